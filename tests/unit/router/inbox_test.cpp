// The recipient's side, seen from outside: the window, its floor, quotas, tombstones, restarts, hostile senders.

#include <gtest/gtest.h>

#include <string>

#include "forger.hpp"
#include "world.hpp"

namespace ekiden::router {
namespace {

using test::Forger;
using test::Mail;
using test::World;

TEST(Inbox, KeepsMessagesUntilTheyAreTaken) {
  World world(2);
  world.link(0, 1);
  world.send(0, 1, "a");
  world.send(0, 1, "b");
  world.flow();
  ASSERT_EQ(world[1].router().inbox(0, 10).size(), 2u);
  const std::uint64_t first = world[1].router().inbox(0, 10)[0]->number;
  ASSERT_EQ(world[1].router().inbox(first, 10).size(), 1u);
  EXPECT_EQ(as_text(world[1].router().inbox(first, 10)[0]->body), "b");

  world.crash(1);
  world.boot(1);
  EXPECT_EQ(world[1].arrivals.size(), 4u) << "announced again after a restart";
  world[1].take(world.now, {first});
  EXPECT_TRUE(world[1].take_answers.empty()) << "answered when it is persisted";
  world.sync(1);
  EXPECT_TRUE(world[1].take_answers.begin()->second);
  world.crash(1);
  world.boot(1);
  EXPECT_EQ(world[1].arrivals.size(), 5u);
  EXPECT_EQ(as_text(world[1].arrivals.back()->body), "b");
}

TEST(Inbox, SaysWhichNumberIsUnknownAndTakesTheOthers) {
  World world(2);
  world.link(0, 1);
  world.send(0, 1, "a");
  world.flow();
  const std::uint64_t number = world[1].arrivals[0]->number;
  world[1].take(world.now, {number, 777, number});
  EXPECT_EQ(world[1].unsynced(), 0u) << "it may share a commit with what is written next";
  world.pass(milliseconds(2));
  world.sync(1);
  const Status answer = world[1].take_answers.begin()->second;
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::not_found);
  EXPECT_NE(answer.error().message.find("777"), std::string::npos);
  EXPECT_TRUE(world[1].router().inbox(0, 10).empty());
  world[1].take(world.now, {number});
  EXPECT_FALSE(world[1].take_answers.rbegin()->second);
}

TEST(Inbox, WritesWhatWasTakenTogetherWithTheNextMessage) {
  World world(2);
  world.link(0, 1);
  world.send(0, 1, "a");
  world.flow();
  world[1].take(world.now, {world[1].arrivals[0]->number});
  world.send(0, 1, "b");
  world.sync(0);
  ASSERT_EQ(world[1].unsynced(), 0u);
  world.deliver(0);
  EXPECT_EQ(world[1].unsynced(), 1u);
  EXPECT_TRUE(world[1].take_answers.empty());
  world.sync(1);
  EXPECT_TRUE(world[1].take_answers.begin()->second);
  world.crash(1);
  world.boot(1);
  EXPECT_EQ(as_text(world[1].arrivals.back()->body), "b");
  EXPECT_EQ(world[1].router().inbox(0, 10).size(), 1u);
}

TEST(Inbox, WritesWhatWasTakenAtTheEnd) {
  World world(2);
  world.link(0, 1);
  world.send(0, 1, "a");
  world.flow();
  world[1].take(world.now, {world[1].arrivals[0]->number});
  world[1].call([&](auto& out) { world[1].router().flush(out); }, world.now);
  world.sync(1);
  EXPECT_TRUE(world[1].take_answers.begin()->second);
}

TEST(Inbox, GivesTheReceiptAgainForARepeatedMessage) {
  World world(2);
  world.link(0, 1);
  const RequestId request = world.send(0, 1, "a");
  world.sync(0);
  world.deliver(0, true);
  world.sync(1);
  world.mail().pop_back();  // the receipt is lost
  world.deliver(0);
  world.pass(milliseconds(20));
  EXPECT_EQ(world[0].settled.at(world[0].answer(request)), MessageState::delivered);
  EXPECT_EQ(world[1].arrivals.size(), 1u);
  EXPECT_EQ(world[1].router().status().duplicates, 1u);
}

TEST(Inbox, DeduplicatesAcrossCrashesOnBothSides) {
  World world(2);
  world.link(0, 1);
  const RequestId request = world.send(0, 1, "a");
  world.sync(0);
  world.deliver(0);
  world.sync(1);
  world.crash(0);  // the receipt is lost with it
  world.crash(1);
  world.boot(0);
  world.boot(1);
  world.take_all(1);
  world.sync(1);
  world.link(0, 1);
  world.pass(seconds(1));
  EXPECT_EQ(world[0].seals, 2u) << "sealed anew: the session cannot know that it is the same";
  EXPECT_EQ(world[0].settled.at(world[0].answer(request)), MessageState::delivered);
  EXPECT_EQ(world[1].number_of.size(), 1u);
  EXPECT_TRUE(world[1].router().inbox(0, 10).empty());
}

TEST(Inbox, ForgetsWhatTheFloorHasPassed) {
  World world(2);
  world.link(0, 1);
  for (int i = 0; i < 20; ++i) world.send(0, 1, std::to_string(i));
  world.flow();
  world.take_all(1);
  world.sync(1);
  EXPECT_EQ(world[1].rows_in(store::Table::inbox), 20u) << "tombstones";
  world.send(0, 1, "last");
  world.flow();
  world.take_all(1);
  world.sync(1);
  EXPECT_EQ(world[1].rows_in(store::Table::inbox), 1u);
  EXPECT_EQ(world[1].rows_in(store::Table::windows), 1u);
  EXPECT_EQ(world[1].arrivals.size(), 21u);
}

TEST(Inbox, KeepsAMessageBelowTheFloorUntilItIsTaken) {
  World world(2);
  world.link(0, 1);
  world.send(0, 1, "a");
  world.flow();
  world.send(0, 1, "b");
  world.flow();
  EXPECT_EQ(world[1].router().inbox(0, 10).size(), 2u);
  world.crash(1);
  world.boot(1);
  world.take_all(1);
  world.sync(1);
  EXPECT_EQ(world[1].rows_in(store::Table::inbox), 1u) << "the second one's tombstone";
}

TEST(Inbox, RefusesWhatIsBelowTheFloor) {
  World world(2);
  world.link(0, 1);
  Forger forger{world};
  forger.send(1, 5, 5);
  forger.send(2, 4, 4);
  EXPECT_EQ(world[1].arrivals.size(), 1u);
  EXPECT_EQ(world[1].router().status().refused, 1u);
  world.take_all(1);
  forger.send(3, 6, 6);
  forger.send(1, 5, 5);
  EXPECT_EQ(world[1].arrivals.size(), 2u) << "taken and forgotten, but not new";
}

TEST(Inbox, FollowsANewOutboxAndRefusesTheOldOne) {
  World world(2);
  world.link(0, 1);
  Forger forger{world};
  forger.send(1, 1000, 999);
  world.take_all(1);
  world.sync(1);
  Content fresh = forger.content(1, 1);
  fresh.epoch = 6;
  forger.send(forger.envelope(2), wire::encode(fresh));
  EXPECT_EQ(world[1].arrivals.size(), 2u);
  EXPECT_EQ(world[1].rows_in(store::Table::inbox), 1u) << "the old epoch's tombstone is gone";
  forger.send(3, 1001, 999);
  EXPECT_EQ(world[1].arrivals.size(), 2u);
  EXPECT_EQ(world[1].router().status().refused, 1u);
  world.crash(1);
  world.boot(1);
  world.link(0, 1);
  forger.send(4, 1002, 999);
  EXPECT_EQ(world[1].number_of.size(), 2u) << "also after a restart";
}

TEST(Inbox, NeverReceiptsAnIdItDidNotStore) {
  World world(2);
  world.link(0, 1);
  Forger forger{world};
  forger.send(1, 5, 1);
  forger.send(2, 5, 1);  // the number of another message
  forger.send(1, 6, 1);  // the id of another message: that one was stored
  EXPECT_EQ(world[1].arrivals.size(), 1u);
  EXPECT_EQ(world[1].router().status().refused, 1u);
  EXPECT_EQ(world[1].router().status().duplicates, 1u);
}

TEST(Inbox, RefusesContentThatContradictsItself) {
  World world(2);
  world.link(0, 1);
  Forger forger{world};
  forger.send(1, 0, 0);
  forger.send(2, 3, 4);
  forger.send(forger.envelope(3), as_bytes("no content"));
  Envelope fleeting = forger.envelope(4);
  fleeting.delivery = DeliveryClass::volatile_;
  forger.send(fleeting, wire::encode(forger.content(7, 1)));
  EXPECT_TRUE(world[1].arrivals.empty());
  EXPECT_EQ(world[1].router().status().refused, 4u);
  forger.send(5, UINT64_MAX, UINT64_MAX);
  EXPECT_EQ(world[1].arrivals.size(), 1u);
}

TEST(Inbox, RefusesEnvelopesThatAreNotTheNeighbours) {
  World world(3);
  world.link(0, 1);
  Forger forger{world};
  Envelope envelope = forger.envelope(1);
  envelope.from = world[2].id();
  world[1].receive(world.now, {world[0].id(), world[1].id(), link_message(wire::MessageType::envelope, envelope)});
  EXPECT_EQ(world[1].last_status.error().code, Errc::refused);
  envelope.from = world[0].id();
  envelope.to = world[2].id();
  world[1].receive(world.now, {world[0].id(), world[1].id(), link_message(wire::MessageType::envelope, envelope)});
  EXPECT_EQ(world[1].last_status.error().code, Errc::refused);
  world[1].receive(world.now, {world[0].id(), world[1].id(), {2, 0xff}});
  EXPECT_EQ(world[1].last_status.error().code, Errc::malformed);
  EXPECT_EQ(world[1].opens, 0u);
}

TEST(Inbox, RefusesWhenItIsFullAndTakesTheRestLater) {
  Config config;
  config.max_inbox_messages = 4;
  World world(2, config);
  world.link(0, 1);
  std::vector<RequestId> requests;
  for (int i = 0; i < 6; ++i) requests.push_back(world.send(0, 1, std::to_string(i)));
  world.pass(seconds(1));
  EXPECT_EQ(world[1].arrivals.size(), 2u) << "one sender gets what leaves as much free";
  const MessageId last = world[0].answer(requests.back());
  const Trace waiting = *world[0].router().trace(last);
  EXPECT_NE(waiting.steps.back().what.find("recipient refused: inbox full, trying again in 3"), std::string::npos)
      << waiting.steps.back().what;
  for (int i = 0; i < 6; ++i) {
    world.take_all(1);
    world.pass(minutes(1));
  }
  EXPECT_EQ(world[1].number_of.size(), 6u);
  EXPECT_EQ(world[0].settled.at(last), MessageState::delivered);
  EXPECT_EQ(world[0].seals, 6u) << "refused unopened, the same bytes are good enough";
}

TEST(Inbox, RefusesByBytesOfOneSender) {
  Config config;
  config.max_inbox_bytes = 10'000;
  config.max_inbox_bytes_per_peer = 3'000;
  World world(2, config);
  world.link(0, 1);
  for (int i = 0; i < 4; ++i) world.send(0, 1, std::string(1000, 'x'));
  world.pass(seconds(1));
  EXPECT_EQ(world[1].arrivals.size(), 3u);
  world.take_all(1);
  world.pass(minutes(1));
  EXPECT_EQ(world[1].arrivals.size(), 4u);
}

TEST(Inbox, SharesItselfAmongSendersSoThatNobodyIsShutOut) {
  Config config;
  config.max_inbox_messages = 12;
  World world(4, config);
  for (std::size_t sender = 1; sender < 4; ++sender) {
    world.link(sender, 0);
    for (int i = 0; i < 12; ++i) world.send(sender, 0, std::to_string(i));
    world.pass(seconds(1));
  }
  std::map<identity::PeerId, int> stored;
  for (const auto& message : world[0].router().inbox(0, 100)) ++stored[message->from];
  EXPECT_EQ(stored.size(), 3u);
  EXPECT_EQ(stored[world[1].id()], 6);
  EXPECT_EQ(stored[world[2].id()], 3);
  EXPECT_EQ(stored[world[3].id()], 2);
}

TEST(Inbox, RefusesUnopenedWhileTheStoreFails) {
  World world(2);
  world.link(0, 1);
  world.send(0, 1, "a");
  world[1].router().set_storage(world.now, fail(Errc::storage_full, "no space"));
  world.pass(seconds(1));
  EXPECT_EQ(world[1].opens, 0u);
  EXPECT_EQ(world[1].router().status().refused, 1u);
  world[1].router().set_storage(world.now, {});
  world.pass(seconds(30));
  EXPECT_EQ(world[1].arrivals.size(), 1u);
  EXPECT_EQ(world[0].seals, 1u);
}

TEST(Inbox, RefusesWhatHasExpiredByItsOwnClock) {
  World world(2);
  world.link(0, 1);
  Forger forger{world};
  Envelope old = forger.envelope(1);
  old.expires = world.now.wall - std::chrono::duration_cast<milliseconds>(Config{}.clock_skew) - milliseconds(100);
  forger.send(old, wire::encode(forger.content(1, 1)));
  EXPECT_EQ(world[1].opens, 0u);
  EXPECT_EQ(world[1].router().status().refused, 1u);
  Envelope late = forger.envelope(2);
  late.expires = world.now.wall - minutes(5);
  forger.send(late, wire::encode(forger.content(2, 1)));
  EXPECT_EQ(world[1].arrivals.size(), 1u) << "a clock may be a little behind";
}

TEST(Inbox, BoundsTheWindowOfOneSender) {
  Config config;
  config.max_window = 3;
  World world(2, config);
  world.link(0, 1);
  Forger forger{world};
  for (Byte n = 1; n <= 4; ++n) forger.send(n, n, 1);
  EXPECT_EQ(world[1].arrivals.size(), 3u);
  forger.send(5, 5, 5);
  EXPECT_EQ(world[1].arrivals.size(), 4u) << "a higher floor makes room";
}

TEST(Inbox, TakesTheSequenceAtTheFloorIntoAFullWindow) {
  Config config;
  config.max_window = 3;
  World world(2, config);
  world.link(0, 1);
  Forger forger{world};
  for (Byte n = 2; n <= 4; ++n) forger.send(n, n, 1);
  forger.send(5, 5, 1);
  EXPECT_EQ(world[1].arrivals.size(), 3u);
  forger.send(1, 1, 1);
  EXPECT_EQ(world[1].arrivals.size(), 4u) << "or the floor could never rise";
  forger.send(6, 6, 1);
  EXPECT_EQ(world[1].arrivals.size(), 4u);
  forger.send(7, 7, 5);
  EXPECT_EQ(world[1].arrivals.size(), 5u);
}

TEST(Inbox, SealedAnewAfterARefusalThatUsedUpTheKey) {
  Config config;
  config.max_window = 1;
  config.max_in_flight = 2;
  World world(2, config);
  world.link(0, 1);
  world.send(0, 1, "a");
  world.send(0, 1, "b");
  for (int i = 0; i < 5; ++i) {
    world.pass(seconds(10));
    world.take_all(1);
  }
  EXPECT_EQ(world[1].number_of.size(), 2u);
  EXPECT_EQ(world[0].router().status().outbox_messages, 0u);
  EXPECT_GT(world[0].seals, 2u);
}

TEST(Inbox, ForgetsExpiredSendersWhenThereAreTooMany) {
  Config config;
  config.max_senders = 2;
  World world(4, config);
  for (std::size_t sender = 1; sender < 4; ++sender) world.link(sender, 0);
  Draft brief;
  brief.ttl = minutes(1);
  brief.body = {1};
  world.send(1, 0, brief);
  world.send(2, 0, brief);
  world.flow();
  const RequestId third = world.send(3, 0, "third");
  world.pass(seconds(1));
  EXPECT_EQ(world[0].arrivals.size(), 2u) << "nobody can be forgotten yet";
  world.take_all(0);
  world.pass(hours(2));
  EXPECT_EQ(world[0].arrivals.size(), 3u);
  EXPECT_EQ(world[3].settled.at(world[3].answer(third)), MessageState::delivered);
  EXPECT_EQ(world[0].rows_in(store::Table::windows), 2u);
  EXPECT_EQ(world[0].rows_in(store::Table::inbox), 2u);
}

TEST(Inbox, ReportsRowsThatContradictEachOther) {
  World world(2);
  world.link(0, 1);
  world.send(0, 1, "a");
  world.flow();
  const auto rows = world[1].disk().rows();
  const auto load = [&](std::vector<store::Row> changed) {
    Router router(world[1].self(), Config{}, Rng(Rng::Seed{}));
    const auto status = router.load(changed);
    return status ? Errc::internal : status.error().code;
  };
  EXPECT_EQ(load(rows), Errc::internal) << "as they are they load";
  for (const store::Table table : {store::Table::meta, store::Table::windows}) {
    auto missing = rows;
    std::erase_if(missing, [&](const store::Row& row) { return row.key.table == table; });
    EXPECT_EQ(load(missing), Errc::storage_corrupt);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].key.table == store::Table::sessions) continue;
    auto cut = rows;
    cut[i].value.pop_back();
    EXPECT_EQ(load(cut), Errc::storage_corrupt);
  }
}

TEST(Inbox, TracesWhatItReceived) {
  World world(2);
  world.link(0, 1);
  const RequestId request = world.send(0, 1, "a");
  world.flow();
  const auto trace = world[1].router().trace(world[0].answer(request));
  ASSERT_TRUE(trace);
  EXPECT_FALSE(trace->outgoing);
  EXPECT_EQ(trace->peer, world[0].id());
  EXPECT_NE(trace->steps.back().what.find("stored as number"), std::string::npos);
}

}  // namespace
}  // namespace ekiden::router
