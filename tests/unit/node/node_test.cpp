#include "node/node.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/node/harness.hpp"

namespace ekiden::node {
namespace {

using router::MessageState;

bool delivered(const Harness::Peer& peer) {
  return std::any_of(peer.states.begin(), peer.states.end(),
                     [](const StateChanged& change) { return change.state == MessageState::delivered; });
}

std::string text_of(const router::Arrived& message) { return std::string(as_text(message.body)); }

TEST(NodeTest, AMessageIsAcceptedDeliveredAndReceipted) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  const auto request = net.send(0, 1, "hello");
  ASSERT_TRUE(net[0].replies.at(request));
  ASSERT_EQ(net[1].arrivals.size(), 1U);
  EXPECT_EQ(text_of(*net[1].arrivals[0]), "hello");
  EXPECT_EQ(net[1].arrivals[0]->from, net[0].id);
  EXPECT_TRUE(delivered(net[0]));
  EXPECT_EQ(net[0].node->trace(*net[0].replies.at(request))->state, MessageState::delivered);
}

TEST(NodeTest, AVolatileMessageArrivesWithoutWaitingForTheDisk) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  net.send(0, 1, "first", router::DeliveryClass::volatile_);  // Begins the session and reserves a block of counters.
  net[0].disk_syncs = false;
  net[1].disk_syncs = false;
  net.send(0, 1, "quick", router::DeliveryClass::volatile_);
  ASSERT_EQ(net[1].arrivals.size(), 2U);
  EXPECT_EQ(text_of(*net[1].arrivals[1]), "quick");
}

TEST(NodeTest, NothingIsAcceptedOrReceiptedBeforeItIsOnDisk) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  net[0].disk_syncs = false;
  const auto request = net.send(0, 1, "hello");
  EXPECT_FALSE(net[0].replies.contains(request));
  EXPECT_TRUE(net[1].arrivals.empty());
  net[0].disk_syncs = true;
  net[1].disk_syncs = false;
  net.pump();
  EXPECT_TRUE(net[0].replies.contains(request));
  EXPECT_TRUE(net[1].arrivals.empty());
  EXPECT_FALSE(delivered(net[0]));
  net[1].disk_syncs = true;
  net.pump();
  EXPECT_EQ(net[1].arrivals.size(), 1U);
  EXPECT_TRUE(delivered(net[0]));
}

TEST(NodeTest, AMessageAcceptedWhileTheRecipientIsDownArrivesOnceItIsUp) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  net.crash(1);
  const auto request = net.send(0, 1, "later");
  EXPECT_TRUE(net[0].replies.at(request));
  net.crash(0);
  net.boot(0);
  net.advance(minutes(1));
  net.boot(1);
  net.advance(minutes(10));
  ASSERT_EQ(net[1].arrivals.size(), 1U);
  EXPECT_TRUE(delivered(net[0]));
}

TEST(NodeTest, AMessageThatTheApplicationTookIsNotGivenAgainAfterARestart) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  net.send(0, 1, "once");
  net.crash(1);
  net.boot(1);
  ASSERT_EQ(net[1].arrivals.size(), 2U) << "not taken, so given again";
  const RequestId take = net.next_request();
  net.feed(1, TakeMessages{take, {net[1].arrivals[0]->number}});
  net.pump();
  EXPECT_TRUE(net[1].replies.at(static_cast<std::uint64_t>(take)));
  net.crash(1);
  net.boot(1);
  EXPECT_EQ(net[1].arrivals.size(), 2U);
}

TEST(NodeTest, ContactsSurviveARestartAndARemovalIsRemembered) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  net.crash(0);
  net.boot(0);
  ASSERT_NE(net[0].node->contacts().find_by_name("bob"), nullptr);
  net.feed(0, RemoveContact{net.next_request(), net[1].id});
  net.pump();
  net.crash(0);
  net.boot(0);
  EXPECT_EQ(net[0].node->contacts().find_by_name("bob"), nullptr);
}

TEST(NodeTest, OneselfIsNoContact) {
  Harness net(1);
  identity::Contact contact;
  contact.id = net[0].id;
  contact.petname = "me";
  const RequestId request = net.next_request();
  net.feed(0, PutContact{request, contact, false});
  net.pump();
  EXPECT_EQ(net[0].replies.at(static_cast<std::uint64_t>(request)).error().code, Errc::invalid_argument);
}

TEST(NodeTest, NoLinkIsMadeBeforeTheOwnRecordIsOnDisk) {
  Harness net(2);
  net.crash(1);
  net[1].disk_syncs = false;
  net.boot(1);
  EXPECT_FALSE(net[1].node->status().ready);
  net.introduce(0, 1, "bob");
  net.send(0, 1, "hello");
  EXPECT_TRUE(net[0].up.empty());
  EXPECT_GT(net[1].hangups, 0U);
  net[1].disk_syncs = true;
  net.pump();
  net.advance(minutes(1));
  EXPECT_EQ(net[1].arrivals.size(), 1U);
}

TEST(NodeTest, WithoutAnAddressTheTraceSaysWhatToDo) {
  Harness net(2);
  const auto request = net.send(0, 1, "hello");
  const auto trace = net[0].node->trace(*net[0].replies.at(request));
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->state, MessageState::queued);
  EXPECT_TRUE(std::any_of(trace->steps.begin(), trace->steps.end(), [](const router::TraceStep& step) {
    return step.what.find("ekiden contact add") != std::string::npos;
  }));
}

TEST(NodeTest, WhileTheStoreCannotCommitNothingIsAcceptedAndTheReasonIsTold) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  net.feed(0, StorageStalled{{Errc::storage_full, "no space left on device"}});
  const auto refused = net.send(0, 1, "hello");
  ASSERT_FALSE(net[0].replies.at(refused));
  EXPECT_EQ(net[0].replies.at(refused).error().code, Errc::storage_full);
  EXPECT_TRUE(net[0].node->status().storage);
  net.feed(0, StorageResumed{});
  const auto accepted = net.send(0, 1, "hello");
  EXPECT_TRUE(net[0].replies.at(accepted));
  EXPECT_FALSE(net[0].node->status().storage);
}

TEST(NodeTest, ADamagedRowIsAnErrorThatNamesItsTable) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  for (store::Row row : net[0].disk.rows()) {
    row.value.assign({0xff, 0x00});
    Node node(net[0].seed, {}, Rng(Rng::Seed{9}));
    const auto status = node.load({row});
    ASSERT_FALSE(status) << "table " << static_cast<int>(row.key.table);
    EXPECT_EQ(status.error().code, Errc::storage_corrupt);
  }
}

TEST(NodeTest, TheStoreOfAnotherIdentityIsRefused) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  const auto rows = net[0].disk.rows(store::Reading::gathered);
  Node same(net[0].seed, {}, Rng(Rng::Seed{9}));
  EXPECT_TRUE(same.load(rows));
  Node other(net[1].seed, {}, Rng(Rng::Seed{9}));
  const auto status = other.load(rows);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::refused);
  for (const Node* node : {&same, &other}) {
    EXPECT_NE(status.error().message.find(node->self().id().text()), std::string::npos) << status.error().message;
  }
}

TEST(NodeTest, AMessageSubmittedBeforeTheRecordIsOnDiskCountsOnWhereTheLastRunEnded) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  net.send(0, 1, "one");
  net.send(0, 1, "two");
  net.crash(0);
  net[0].disk_syncs = false;
  net.boot(0);
  ASSERT_FALSE(net[0].node->status().ready);
  net.send(0, 1, "three");
  net[0].disk_syncs = true;
  net.pump();
  net.advance(minutes(1));
  EXPECT_EQ(net[1].arrivals.size(), 3U);
}

TEST(NodeTest, BothSidesMaySendFirstAtOnce) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  net.introduce(1, 0, "alice");
  for (const std::size_t i : {0u, 1u}) {
    router::Draft draft;
    draft.to = net[1 - i].id;
    draft.body = {1};
    net.feed(i, SendMessage{net.next_request(), std::move(draft)});
  }
  net.pump();
  net.advance(minutes(1));
  for (const std::size_t i : {0u, 1u}) {
    EXPECT_EQ(net[i].arrivals.size(), 1U);
    EXPECT_TRUE(delivered(net[i]));
    EXPECT_EQ(net[i].up.size(), 1U);
  }
}

TEST(NodeTest, ARecipientThatLostItsDataIsReachedThroughANewSession) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  net.send(0, 1, "before");
  net.crash(1);
  net[1].disk = store::MemoryStore();
  net[1].arrivals.clear();
  net.boot(1);
  net.send(0, 1, "after");
  net.advance(minutes(2));
  ASSERT_EQ(net[1].arrivals.size(), 1U);
  EXPECT_EQ(text_of(*net[1].arrivals[0]), "after");
}

TEST(NodeTest, ShuttingDownSaysGoodbyeAndMakesNoNewLinks) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  net.send(0, 1, "hello");
  ASSERT_EQ(net[1].up.size(), 1U);
  net.feed(0, ShutDown{});
  net.pump();
  EXPECT_TRUE(net[1].up.empty());
}

}  // namespace
}  // namespace ekiden::node
