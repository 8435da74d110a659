// First contact: what strangers write waits for the owner, what blocked peers write is refused.

#include "router/first_contact.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.hpp"
#include "world.hpp"

namespace ekiden::router {
namespace {

using test::World;

/// Station 0 knows station 1; the others are strangers to it.
struct Door : World {
  explicit Door(std::size_t stations = 3, Config config = {}) : World(stations, config) {
    for (std::size_t i = 2; i < stations; ++i) (*this)[0].set_contact((*this)[i].id(), false);
    for (std::size_t i = 1; i < stations; ++i) link(i, 0);
  }
  Router& router() { return (*this)[0].router(); }
  const identity::PeerId& id(std::size_t i) { return (*this)[i].id(); }
  RequestId write(std::size_t from, const std::string& text) {
    const RequestId request = send(from, 0, text);
    pass(milliseconds(50));
    return request;
  }
  std::vector<std::string> arrived() {
    std::vector<std::string> texts;
    for (const auto& message : (*this)[0].arrivals) texts.emplace_back(as_text(message->body));
    return texts;
  }
  MessageState state(std::size_t of, RequestId request) {
    return (*this)[of].router().trace((*this)[of].answer(request))->state;
  }
  std::string last_step(std::size_t of, RequestId request) {
    return (*this)[of].router().trace((*this)[of].answer(request))->steps.back().what;
  }
  void reboot() {
    sync(0);
    crash(0);
    boot(0);
    for (std::size_t i = 1; i < size(); ++i) link(i, 0);
    pass(milliseconds(50));
  }
};

using Texts = std::vector<std::string>;

TEST(FirstContact, WaitsIsReceiptedAndIsShownToNobody) {
  Door door;
  const RequestId sent = door.write(2, "hello");
  door.write(2, "are you there?");
  EXPECT_EQ(door.state(2, sent), MessageState::delivered);
  EXPECT_TRUE(door.arrived().empty());
  EXPECT_TRUE(door.router().inbox(0, 10).empty());
  const auto waiting = door.router().waiting();
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].peer, door.id(2));
  EXPECT_EQ(waiting[0].messages, 2u);
  EXPECT_EQ(as_text(waiting[0].first->body), "hello");
  EXPECT_EQ(door.router().status().waiting_strangers, 1u);
  EXPECT_EQ(door.router().status().waiting_messages, 2u);
  const auto trace = door.router().trace(door[2].answer(sent));
  ASSERT_TRUE(trace);
  EXPECT_NE(trace->steps.back().what.find("contact requests"), std::string::npos);
}

TEST(FirstContact, ArrivesInOrderOnceTheSenderIsAContactAndAfterRestarts) {
  Door door;
  for (const char* text : {"1", "2", "3"}) door.write(2, text);
  door.reboot();
  EXPECT_TRUE(door.arrived().empty());
  EXPECT_EQ(door.router().waiting().at(0).messages, 3u);
  door[0].set_contact(door.id(2), true);
  EXPECT_EQ(door.arrived(), (Texts{"1", "2", "3"}));
  EXPECT_TRUE(door.router().waiting().empty());
  door.write(2, "4");
  EXPECT_EQ(door.arrived().back(), "4");
}

TEST(FirstContact, WhoWasWrittenToMayAnswerAlsoAfterARestart) {
  Door door;
  door.write(2, "before");
  door.send(0, 2, "a letter");
  EXPECT_EQ(door.arrived(), Texts{"before"}) << "writing to somebody is consent";
  door.pass(milliseconds(50));
  door.reboot();
  door.write(2, "an answer");
  EXPECT_EQ(door.arrived().back(), "an answer");
  EXPECT_EQ(door[0].rows_in(store::Table::standings), 1u);
  door.send(0, 2, "another");
  door.send(0, 1, "to a contact");
  door.sync(0);
  EXPECT_EQ(door[0].rows_in(store::Table::standings), 1u) << "one row for each peer, none for contacts";
}

TEST(FirstContact, RequestsDoNotWaitAndAnsweringThemIsNoConsent) {
  Door door;
  Draft question;
  question.exchange = Exchange{.part = Exchange::Part::request, .capability = "upper"};
  question.body = to_bytes(as_bytes("a question"));
  door.send(2, 0, question);
  door.pass(milliseconds(50));
  EXPECT_EQ(door.arrived(), Texts{"a question"});
  Draft answer;
  answer.exchange = Exchange{.part = Exchange::Part::reply, .capability = {}};
  answer.in_reply_to = door[0].arrivals[0]->id;
  door.send(0, 2, answer);
  door.pass(milliseconds(50));
  door.write(2, "thanks");
  EXPECT_EQ(door.arrived().size(), 1u);
  Draft unasked;
  unasked.exchange = Exchange{.part = Exchange::Part::reply, .capability = {}};
  door.send(2, 0, unasked);
  door.pass(milliseconds(50));
  EXPECT_EQ(door.arrived().size(), 1u) << "a reply to nothing is a stranger's message";
}

TEST(FirstContact, BlockedPeersAreDroppedAndRefusedAndAskNoMore) {
  Door door;
  door.write(2, "spam");
  door[0].block(door.now, door.id(2));
  EXPECT_TRUE(door.router().waiting().empty());
  const RequestId refused = door.write(2, "more spam");
  EXPECT_NE(door.last_step(2, refused).find("takes no messages of this node"), std::string::npos);
  const RequestId behind = door.write(2, "and more");
  const auto opens = door[0].opens;
  const auto refusals = door.router().status().refused;
  door.pass(minutes(50));
  EXPECT_EQ(door[0].opens, opens);
  EXPECT_LE(door.router().status().refused, refusals + 1) << "a polite sender does not insist";
  EXPECT_EQ(door.state(2, behind), MessageState::queued);
  door.reboot();
  EXPECT_EQ(door.router().blocked().size(), 1u);
  EXPECT_EQ(door.router().status().inbox_messages, 0u);

  door[0].unblock(door.now, door.id(2));
  door[0].set_contact(door.id(2), true);
  door.retry_now(2, 0);
  door.pass(seconds(1));
  EXPECT_EQ(door.arrived(), (Texts{"more spam", "and more"}));
}

TEST(FirstContact, ABlockedContactIsRefusedUntilItIsNot) {
  Door door;
  door[0].block(door.now, door.id(1));
  const RequestId refused = door.write(1, "x");
  EXPECT_TRUE(door.arrived().empty());
  door[0].unblock(door.now, door.id(1));
  door.retry_now(1, 0);
  door.pass(seconds(1));
  EXPECT_EQ(door.state(1, refused), MessageState::delivered);
  EXPECT_EQ(door.arrived(), Texts{"x"});
}

TEST(FirstContact, OneReceiptLetsAllTheOthersGo) {
  Door door;
  door[0].block(door.now, door.id(2));
  std::vector<RequestId> sent;
  for (int i = 0; i < 5; ++i) sent.push_back(door.write(2, std::to_string(i)));
  door[0].unblock(door.now, door.id(2));
  door[0].set_contact(door.id(2), true);
  door.unlink(2, 0);
  door.link(2, 0);
  door.pass(seconds(5));
  EXPECT_EQ(door.arrived().size(), 5u) << "a new link tries one, and that is taken";
}

TEST(FirstContact, AStrangerHasABoundOfItsOwnAndSoHaveAllOfThem) {
  Config config;
  config.max_first_messages = 3;
  config.max_first_bytes = 100;
  config.max_waiting_strangers = 2;
  Door door(6, config);
  for (int i = 0; i < 5; ++i) door.write(2, "x");
  EXPECT_EQ(door.router().waiting().at(0).messages, 3u);
  door.write(3, std::string(99, 'x'));
  const RequestId large = door.write(3, std::string(2, 'x'));
  EXPECT_NE(door.last_step(3, large).find("room for strangers is full"), std::string::npos);
  const RequestId third = door.write(4, "x");
  EXPECT_NE(door.last_step(4, third).find("room for strangers is full"), std::string::npos);
  EXPECT_EQ(door.router().waiting().size(), 2u);
  door.write(1, "a contact");
  EXPECT_EQ(door.arrived(), Texts{"a contact"});
}

TEST(FirstContact, WhatWaitsLongerThanItIsValidMakesRoom) {
  Config config;
  config.max_waiting_strangers = 1;
  Door door(4, config);
  Draft brief;
  brief.ttl = hours(1);
  brief.body = {1};
  door.send(2, 0, brief);
  door.pass(milliseconds(50));
  door.write(3, "too early");
  EXPECT_EQ(door.router().waiting().at(0).peer, door.id(2));
  door.pass(hours(3));
  door.write(3, "now there is room");
  ASSERT_EQ(door.router().waiting().size(), 1u);
  EXPECT_EQ(door.router().waiting()[0].peer, door.id(3));
}

TEST(FirstContact, VolatileMessagesOfStrangersAreNotKept) {
  Door door;
  Draft draft;
  draft.delivery = DeliveryClass::volatile_;
  draft.body = {7};
  door.send(2, 0, draft);
  door.pass(milliseconds(50));
  EXPECT_TRUE(door.arrived().empty());
  EXPECT_TRUE(door.router().waiting().empty());
  door.send(1, 0, draft);
  door.pass(milliseconds(50));
  EXPECT_EQ(door.arrived().size(), 1u);
}

TEST(FirstContact, StrangersAreRefusedIfTheSettingSaysSo) {
  Config config;
  config.strangers = Strangers::refuse;
  Door door(3, config);
  const RequestId refused = door.write(2, "x");
  EXPECT_NE(door.last_step(2, refused).find("takes no messages of this node"), std::string::npos);
  EXPECT_TRUE(door.router().waiting().empty());
  door.send(0, 2, "a letter");
  door.pass(milliseconds(50));
  door.retry_now(2, 0);
  door.pass(seconds(5));
  EXPECT_EQ(door.arrived(), Texts{"x"});
}

TEST(FirstContact, WhatIsNotOnTheDiskWhenItsSenderIsBlockedGoesWhenItIs) {
  Door door;
  door.send(2, 0, "x");
  door.sync(2);
  while (!door.mail().empty() && door[0].opens == 0) door.deliver(0);
  ASSERT_GT(door[0].unsynced(), 0u);
  door[0].block(door.now, door.id(2));
  door.pass(seconds(1));
  EXPECT_EQ(door.router().status().inbox_messages, 0u);
  EXPECT_TRUE(door.arrived().empty());
}

TEST(FirstContact, TrustedContactsMayFillTheInbox) {
  Config config;
  config.max_inbox_messages = 8;
  config.max_inbox_bytes_per_peer = 10;
  Door door(3, config);
  door[0].trust(door.id(1));
  for (int i = 0; i < 8; ++i) door.write(1, "0123456789");
  EXPECT_EQ(door.arrived().size(), 8u);
}

TEST(Standings, ForgetWhoWasWrittenToFirstAndRefuseToBlockTooMany) {
  Standings standings;
  store::Batch batch;
  const auto peer = [](std::uint32_t n) {
    identity::PeerId id;
    put_be(MutableBytes(id.bytes).first(4), n);
    return id;
  };
  Now now{};
  for (std::uint32_t i = 0; i <= kMaxWritten; ++i) {
    now.wall += milliseconds(1);
    EXPECT_EQ(standings.write_to(now, peer(i), batch).size(), i < kMaxWritten ? 1u : 2u);
  }
  EXPECT_FALSE(standings.is_known(peer(0)));
  EXPECT_TRUE(standings.is_known(peer(1)));
  for (std::uint32_t i = 0; i < kMaxBlocked; ++i) ASSERT_TRUE(standings.block(now, peer(1'000'000 + i), batch));
  EXPECT_EQ(standings.block(now, peer(2'000'000), batch).error().code, Errc::limit_exceeded);
  ASSERT_TRUE(standings.block(now, peer(1'000'000), batch)) << "blocked already";
  EXPECT_EQ(standings.unblock(peer(3), batch).error().code, Errc::not_found);
  standings.check_invariants();
}

TEST(Standings, RowsKeepTheirBytes) {
  Standings standings;
  store::Batch batch;
  identity::PeerId peer;
  peer.bytes[0] = 1;
  const Now now{{}, from_unix_ms(0x0102030405)};
  ASSERT_TRUE(standings.block(now, peer, batch));
  const auto& row = batch.operations().at(0);
  EXPECT_EQ(row.key.table, store::Table::standings);
  EXPECT_EQ(to_hex(row.value), "a20101021b0000000102030405");
  Standings loaded;
  ASSERT_TRUE(loaded.load_row(row.key.name, row.value));
  EXPECT_TRUE(loaded.is_blocked(peer));
  EXPECT_EQ(loaded.load_row(as_bytes("short"), row.value).error().code, Errc::storage_corrupt);
  EXPECT_EQ(loaded.load_row(peer.view(), as_bytes("junk")).error().code, Errc::storage_corrupt);
}

}  // namespace
}  // namespace ekiden::router
