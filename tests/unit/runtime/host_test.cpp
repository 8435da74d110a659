#include "runtime/host.hpp"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "runtime/loop.hpp"
#include "runtime/schema.hpp"
#include "unit/runtime/faulty_vfs.hpp"
#include "unit/runtime/host_fixture.hpp"

namespace ekiden::runtime {
namespace {

class HostTest : public ::testing::Test {
 protected:
  /// Both run, and know each other where that is possible: a listens too, so both may dial.
  void start_both() {
    a_.start();
    b_.start();
    ASSERT_TRUE(a_.meet("b", b_));
    ASSERT_TRUE(b_.meet("a", a_));
  }

  static std::string text_of(const router::Arrived& message) { return std::string(as_text(message.body)); }

  test::TemporaryDirectory directory_;
  TestNode a_{directory_ / "a"};
  TestNode b_{directory_ / "b"};
};

TEST_F(HostTest, TwoNodesExchangeMessagesAndTheSenderLearnsOfDelivery) {
  start_both();
  const auto there = a_.send(b_.id(), "hello");
  ASSERT_TRUE(there) << there.error().message;
  const auto arrived = b_.heard().arrivals(1);
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_EQ(text_of(*arrived[0]), "hello");
  EXPECT_EQ(arrived[0]->from, a_.id());
  EXPECT_EQ(arrived[0]->id, *there);
  EXPECT_TRUE(a_.heard().wait_for_state(*there, router::MessageState::delivered));

  const auto back = b_.send(a_.id(), "and back");
  ASSERT_TRUE(back);
  ASSERT_EQ(a_.heard().arrivals(1).size(), 1u);
  EXPECT_TRUE(b_.heard().wait_for_state(*back, router::MessageState::delivered));
  EXPECT_TRUE(a_.stop());
  EXPECT_TRUE(b_.stop());
}

TEST_F(HostTest, ManyMessagesArriveOnceEach) {
  start_both();
  constexpr std::size_t kMessages = 300;
  for (std::size_t i = 0; i < kMessages; ++i) ASSERT_TRUE(a_.send(b_.id(), std::to_string(i)));
  const auto arrived = b_.heard().arrivals(kMessages);
  std::set<std::string> texts;
  std::vector<std::uint64_t> numbers;
  for (const auto& message : arrived) {
    texts.insert(text_of(*message));
    numbers.push_back(message->number);
  }
  EXPECT_EQ(arrived.size(), kMessages);
  EXPECT_EQ(texts.size(), kMessages);
  EXPECT_EQ(b_.inbox().size(), kMessages);
  ASSERT_TRUE(b_.take(numbers));
  EXPECT_TRUE(b_.inbox().empty());
}

TEST_F(HostTest, VolatileMessagesArriveOverALinkThatIsUp) {
  start_both();
  ASSERT_TRUE(a_.send(b_.id(), "first"));
  ASSERT_EQ(b_.heard().arrivals(1).size(), 1u);
  ASSERT_TRUE(a_.send(b_.id(), "quick", router::DeliveryClass::volatile_));
  const auto arrived = b_.heard().arrivals(2);
  ASSERT_EQ(arrived.size(), 2u);
  EXPECT_EQ(text_of(*arrived[1]), "quick");
}

TEST_F(HostTest, WhatWasAcceptedSurvivesACrashAndArrivesLater) {
  start_both();
  ASSERT_TRUE(a_.send(b_.id(), "first"));
  ASSERT_EQ(b_.heard().arrivals(1).size(), 1u);
  b_.crash();
  const auto id = a_.send(b_.id(), "while you were away");
  ASSERT_TRUE(id) << id.error().message;
  a_.crash();

  b_.start();
  a_.start();
  ASSERT_TRUE(a_.meet("b", b_));  // its port is another one
  ASSERT_TRUE(a_.heard().wait_for_state(*id, router::MessageState::delivered));
  const auto inbox = b_.inbox();
  ASSERT_EQ(inbox.size(), 2u);
  EXPECT_EQ(text_of(*inbox[0]), "first");
  EXPECT_EQ(text_of(*inbox[1]), "while you were away");
}

TEST_F(HostTest, WhatWasNotTakenIsAnnouncedAgainAfterARestart) {
  start_both();
  ASSERT_TRUE(a_.send(b_.id(), "keep me"));
  const auto arrived = b_.heard().arrivals(1);
  ASSERT_EQ(arrived.size(), 1u);
  ASSERT_TRUE(b_.stop());
  b_.start();
  const auto again = b_.heard().arrivals(1);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0]->id, arrived[0]->id);
  ASSERT_TRUE(b_.take({again[0]->number}));
  ASSERT_TRUE(b_.stop());
  b_.start();
  EXPECT_TRUE(b_.inbox().empty());
}

TEST_F(HostTest, StoppingTellsSubscribersAndEndsInOrder) {
  start_both();
  ASSERT_TRUE(a_.send(b_.id(), "x"));
  ASSERT_EQ(b_.heard().arrivals(1).size(), 1u);
  const auto status = a_.stop();
  EXPECT_TRUE(status) << status.error().message;
  EXPECT_TRUE(a_.heard().was_stopping());
  EXPECT_FALSE(b_.heard().was_stopping());
}

TEST_F(HostTest, ASecondNodeOnTheDirectoryIsRefused) {
  a_.start();
  const auto second = a_.open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy);
  EXPECT_NE(second.error().message.find(a_.data_dir().string()), std::string::npos) << second.error().message;
}

TEST_F(HostTest, APortInUseIsRefusedAndNamed) {
  a_.start();
  const std::string endpoint = a_.host().listening().at(0).text();
  const auto c_dir = directory_ / "c";
  ASSERT_TRUE(init_data_dir({.data_dir = c_dir, .listen = {endpoint}, .advertise = {}}));
  auto opened = Host::open({.data_dir = c_dir,
                            .settings = *load_settings(c_dir),
                            .identity = *load_identity(c_dir),
                            .log = [](const LogLine&) {}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::busy);
  EXPECT_NE(opened.error().message.find(endpoint), std::string::npos) << opened.error().message;
}

TEST_F(HostTest, AMissingStoreIsAnErrorUnlessANewOneIsAskedFor) {
  std::filesystem::remove(a_.data_dir() / kStoreFile);
  const auto missing = a_.open();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  a_.start(nullptr, true);
  ASSERT_TRUE(a_.stop());
  const auto again = a_.open(nullptr, true);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::already_exists);
}

TEST_F(HostTest, AFailingDiskEndsTheNodeAndAcceptsNothing) {
  FaultyVfs vfs;
  a_.start(vfs.name());
  ASSERT_TRUE(a_.call([this] { return a_.host().node().self().id() == a_.id(); }));
  vfs.fail(Fault::sync_error, 0, 1);
  const auto sent = a_.send(b_.id(), "x");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Errc::closed) << sent.error().message;
  const auto status = a_.wait();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::storage_failed) << status.error().message;
  a_.start();
  EXPECT_EQ(a_.status().router.outbox_messages, 0u);
}

TEST_F(HostTest, AFullDiskIsSaidAndPassesWhenThereIsRoom) {
  FaultyVfs vfs;
  a_.start(vfs.name());
  ASSERT_TRUE(a_.send(b_.id(), "before"));
  vfs.fail(Fault::full, 0, ~std::uint64_t{0} / 2);
  // This one is under way when the disk is found full: it is answered once it is durable.
  auto promise = std::make_shared<std::promise<Result<router::MessageId>>>();
  auto accepted = promise->get_future();
  a_.host().post([&] {
    router::Draft draft;
    draft.to = b_.id();
    a_.host().send(std::move(draft), [promise](auto result) { promise->set_value(std::move(result)); });
  });
  const auto deadline = std::chrono::steady_clock::now() + kHostPatience;
  while (!a_.status().storage && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  const auto refused = a_.send(b_.id(), "while full");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::storage_full) << refused.error().message;
  EXPECT_EQ(accepted.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  vfs.fail(Fault::none, 0);
  ASSERT_EQ(accepted.wait_for(kHostPatience), std::future_status::ready);
  EXPECT_TRUE(accepted.get());
  while (a_.status().storage && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(a_.send(b_.id(), "after"));
  EXPECT_TRUE(a_.stop());
}

TEST_F(HostTest, WhileTheDiskIsBehindNothingIsReadFromOtherNodes) {
  FaultyVfs vfs;
  b_.set_max_backlog(20'000);
  a_.start();
  b_.start(vfs.name());
  ASSERT_TRUE(a_.meet("b", b_));
  ASSERT_TRUE(b_.meet("a", a_));
  ASSERT_TRUE(a_.send(b_.id(), "first"));
  ASSERT_EQ(b_.heard().arrivals(1).size(), 1u);
  ASSERT_TRUE(b_.send(a_.id(), "and back"));
  ASSERT_EQ(a_.heard().arrivals(1).size(), 1u);

  vfs.fail(Fault::full, 0, ~std::uint64_t{0} / 2);
  auto promise = std::make_shared<std::promise<Result<router::MessageId>>>();
  auto stalled = promise->get_future();
  b_.host().post([&] {
    router::Draft draft;
    draft.to = a_.id();
    draft.body = Bytes(30'000, 1);
    b_.host().send(std::move(draft), [promise](auto result) { promise->set_value(std::move(result)); });
  });
  ASSERT_TRUE(b_.wait_for_log("pauses"));
  // A volatile message needs no disk: it would arrive at once if it were read.
  ASSERT_TRUE(a_.send(b_.id(), "quick", router::DeliveryClass::volatile_));
  for (int round = 0; round < 100; ++round) static_cast<void>(b_.status());
  EXPECT_EQ(b_.heard().arrivals(1).size(), 1u);
  vfs.fail(Fault::none, 0);
  ASSERT_EQ(b_.heard().arrivals(2).size(), 2u);
  EXPECT_TRUE(b_.wait_for_log("goes on"));
  ASSERT_EQ(stalled.wait_for(kHostPatience), std::future_status::ready);
  EXPECT_TRUE(stalled.get());
}

TEST_F(HostTest, ANodeWithWorkForAnUnreachablePeerStopsPromptly) {
  a_.start();
  identity::Contact contact;
  contact.id = b_.id();
  contact.petname = "b";
  contact.endpoints = {*identity::Endpoint::parse("tcp://192.0.2.1:7420")};
  ASSERT_TRUE(a_.put_contact(contact));
  ASSERT_TRUE(a_.send(b_.id(), "x"));
  EXPECT_TRUE(a_.stop());
}

TEST(HostLogTest, NobodyForgesLinesOrTalksToTheTerminal) {
  EXPECT_EQ(escape_for_log("plain 日本", false), "plain 日本");
  EXPECT_EQ(escape_for_log("a\nb\x1b[31m\x7f", false), "a\\u000ab\\u001b[31m\\u007f");
  EXPECT_EQ(escape_for_log("\"\\", true), "\\\"\\\\");
  EXPECT_EQ(escape_for_log("\xc2\x9b", false), "\\u009b");
  EXPECT_EQ(escape_for_log("a\xff", false), "a\\u00ff");
}

}  // namespace
}  // namespace ekiden::runtime
