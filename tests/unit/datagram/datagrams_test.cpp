#include "datagram/datagrams.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/curve_memo.hpp"
#include "datagram/cookie.hpp"
#include "net.hpp"

namespace ekiden::datagram {
namespace {

using test::Net;
using test::Packet;
using test::Peer;

struct Pair {
  explicit Pair(const Config& config = {}) : a(net.add(1, config)), b(net.add(2, config)) {}
  Net net;
  Peer& a;
  Peer& b;
};

TEST(Datagrams, FirstContactCostsOneRoundTrip) {
  Pair pair;
  pair.net.ask(pair.a, 1, pair.b.info(), "aloha");
  pair.net.run(2 * Net::kDelay);
  EXPECT_EQ(pair.a.answered.at(1), "bloha");
  EXPECT_EQ(pair.net.sent.size(), 2U);
  ASSERT_EQ(pair.b.queried.size(), 1U);
  EXPECT_FALSE(pair.b.queried[0].proven);
  EXPECT_EQ(pair.b.queried[0].from, pair.a.info());
  ASSERT_EQ(pair.a.confirmed.size(), 1U);
  EXPECT_EQ(pair.a.confirmed[0], pair.b.info());
  EXPECT_TRUE(pair.b.confirmed.empty());
}

TEST(Datagrams, TheAnswerOfAHandshakeIsToldBeforeWhoHasGivenItIsConfirmed) {
  Pair pair;
  pair.net.ask(pair.a, 1, pair.b.info(), "aloha");
  pair.net.run(2 * Net::kDelay);
  ASSERT_EQ(pair.a.confirmed.size(), 1U);
  EXPECT_EQ(pair.a.answers_before[0], 1U) << "who has answered need not be asked whether he is there";
}

TEST(Datagrams, AnInitiatorProvesItselfSoonEvenWithNothingToAsk) {
  Pair pair;
  pair.net.ask(pair.a, 1, pair.b.info(), "aloha");
  pair.net.run(seconds(1));
  ASSERT_EQ(pair.b.confirmed.size(), 1U);
  EXPECT_EQ(pair.b.confirmed[0], pair.a.info());
  EXPECT_EQ(pair.net.sent.size(), 3U);
}

TEST(Datagrams, ASessionServesBothSidesWithoutAnotherHandshake) {
  Pair pair;
  pair.net.ask(pair.a, 1, pair.b.info(), "aloha");
  pair.net.run(seconds(1));
  const auto before = pair.net.sent.size();
  pair.net.ask(pair.a, 2, pair.b.info(), "again");
  pair.net.ask(pair.b, 3, pair.a.info(), "back");
  pair.net.run(seconds(1));
  EXPECT_EQ(pair.a.answered.at(2), "bgain");
  EXPECT_EQ(pair.b.answered.at(3), "cack");
  ASSERT_EQ(pair.net.sent.size(), before + 4);
  EXPECT_EQ(pair.a.datagrams->status().handshakes, 1U);
  EXPECT_EQ(pair.b.datagrams->status().handshakes, 1U);
  EXPECT_TRUE(pair.b.queried.back().proven);
}

TEST(Datagrams, ShowsItsSessionsThatAreProven) {
  Pair pair;
  Peer& third = pair.net.add(3);
  const Instant began = pair.net.now().mono;
  pair.net.ask(pair.a, 1, pair.b.info(), "aloha");
  pair.net.run(2 * Net::kDelay);
  EXPECT_TRUE(pair.b.datagrams->sessions(9).empty()) << "nothing came in it yet";
  pair.net.run(seconds(1));
  pair.net.ask(third, 2, pair.a.info(), "hello");
  pair.net.ask(pair.a, 3, pair.b.info(), "again");
  pair.net.run(seconds(1));

  const auto all = pair.a.datagrams->sessions(9);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].node, third.info()) << "used last";
  EXPECT_FALSE(all[0].begun_by_us);
  EXPECT_FALSE(all[0].round_trip.has_value()) << "nothing was asked in it";
  EXPECT_EQ(all[1].node, pair.b.info());
  EXPECT_TRUE(all[1].begun_by_us);
  EXPECT_EQ(all[1].since, began + 2 * Net::kDelay);
  EXPECT_EQ(all[1].round_trip, 2 * Net::kDelay);
  EXPECT_EQ(pair.a.datagrams->sessions(1).size(), 1U);

  // Of two sessions with a node, the one that queries take.
  pair.b.restart();
  pair.net.ask(pair.b, 4, pair.a.info(), "back");
  pair.net.run(seconds(1));
  EXPECT_EQ(pair.a.datagrams->status().sessions, 3U);
  const auto later = pair.a.datagrams->sessions(9);
  ASSERT_EQ(later.size(), 2U);
  EXPECT_EQ(later[0].node, pair.b.info());
  EXPECT_FALSE(later[0].begun_by_us);
}

TEST(Datagrams, ACachedSessionCostsNoPublicKeyOperation) {
  crypto::CurveMemo counter(64);
  counter.install();
  Pair pair;
  const auto before = counter.operations();
  pair.net.ask(pair.a, 1, pair.b.info(), "aloha");
  pair.net.run(seconds(1));
  const auto handshake = counter.operations() - before;
  EXPECT_GE(handshake, 10U);  // Each side draws a key and multiplies four times: es, ss, ee and se.

  for (std::uint64_t id = 2; id < 100; ++id) {
    pair.net.ask(pair.a, id, pair.b.info(), "again", /*reads=*/id % 2 == 0);
    pair.net.ask(pair.b, id, pair.a.info(), "back", /*reads=*/id % 2 == 0);
    pair.net.run(seconds(30));
  }
  EXPECT_EQ(pair.a.answered.size(), 99U);
  EXPECT_EQ(pair.b.answered.size(), 98U);
  EXPECT_EQ(counter.operations() - before, handshake);

  pair.net.run(minutes(20));  // Nobody keeps the session so long.
  pair.net.ask(pair.a, 100, pair.b.info(), "aloha");
  pair.net.run(seconds(1));
  EXPECT_EQ(counter.operations() - before, 2 * handshake);
}

TEST(Datagrams, WhatWritesWaitsForTheProof) {
  Pair pair;
  pair.net.ask(pair.a, 1, pair.b.info(), "store", /*reads=*/false);
  pair.net.run(seconds(1));
  EXPECT_EQ(pair.a.answered.at(1), "ttore");
  ASSERT_EQ(pair.b.queried.size(), 1U);
  EXPECT_TRUE(pair.b.queried[0].proven);
  EXPECT_EQ(pair.net.sent.size(), 4U);
}

TEST(Datagrams, QueriesDuringAHandshakeShareIt) {
  Pair pair;
  for (std::uint64_t id = 1; id <= 10; ++id) pair.net.ask(pair.a, id, pair.b.info(), "aloha");
  pair.net.run(seconds(1));
  EXPECT_EQ(pair.a.answered.size(), 10U);
  EXPECT_EQ(pair.net.sent.size(), 2U + 9U * 2U);
}

TEST(Datagrams, UntilItsAddressIsProvenNobodyGetsThreeTimesWhatItSent) {
  Pair pair;
  pair.b.answers = false;
  pair.net.ask(pair.a, 1, pair.b.info(), "a");
  pair.net.run(Net::kDelay);
  ASSERT_EQ(pair.b.queried.size(), 1U);
  Outbox<Datagrams::Effect> out;
  pair.b.datagrams->answer(pair.net.now(), pair.b.queried[0].token, Bytes(kMaxAnswer), out);
  const auto effects = out.take();
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_LE(std::get<Send>(effects[0]).packet.size(), 3 * pair.net.sent[0].bytes.size());
  EXPECT_GE(pair.net.sent[0].bytes.size(), kMinInitiation);
  EXPECT_LE(std::get<Send>(effects[0]).packet.size(), kMaxPacket);
}

TEST(Datagrams, TheLongestQueriesAndAnswersFit) {
  Pair pair;
  pair.net.ask(pair.a, 1, pair.b.info(), std::string(kMaxFirstQuery, 'x'));
  pair.net.run(seconds(1));
  pair.net.ask(pair.a, 2, pair.b.info(), std::string(kMaxAnswer, 'x'), /*reads=*/false);
  pair.net.run(seconds(1));
  pair.b.answers = false;
  pair.net.ask(pair.a, 3, pair.b.info(), std::string(kMaxBody, 'x'), /*reads=*/false);
  pair.net.run(seconds(1));
  EXPECT_EQ(pair.a.answered.at(1).size(), kMaxFirstQuery);
  EXPECT_EQ(pair.a.answered.at(2).size(), kMaxAnswer);
  EXPECT_EQ(pair.b.queried.back().body.view().size(), kMaxBody);
  for (const Packet& packet : pair.net.sent) EXPECT_LE(packet.bytes.size(), kMaxPacket);
}

TEST(Datagrams, ACopyOfAFirstFlightIsNotAnsweredAgain) {
  Pair pair;
  pair.net.ask(pair.a, 1, pair.b.info(), "aloha");
  pair.net.run(seconds(1));
  const Bytes first = pair.net.sent[0].bytes;
  const auto before = pair.net.sent.size();
  pair.net.bring(pair.b, pair.a.at, first);
  pair.net.bring(pair.b, test::address_of(9), first);  // a forged source
  EXPECT_EQ(pair.net.sent.size(), before);
  EXPECT_EQ(pair.b.queried.size(), 1U);
}

TEST(Datagrams, ForgedFirstFlightsFillOneSmallTableAndNothingElse) {
  const Config config{.max_provisional = 4, .max_unanswered = 4, .handshakes = {1'000'000, 1'000'000}};
  Pair pair(config);
  for (std::uint64_t id = 1; id <= 50; ++id) {
    Peer& forger = pair.net.add(static_cast<Byte>(id + 10));
    pair.net.on_the_way = [&](Packet& packet) {
      packet.from = test::address_of(200);  // Answers go astray.
      return true;
    };
    pair.net.ask(forger, id, pair.b.info(), "aloha");
  }
  pair.net.run(Net::kDelay);
  EXPECT_EQ(pair.b.queried.size(), 50U);
  EXPECT_EQ(pair.b.datagrams->status().provisional, 4U);
  EXPECT_EQ(pair.b.datagrams->status().sessions, 0U);
  EXPECT_TRUE(pair.b.confirmed.empty());
  pair.net.on_the_way = [](Packet&) { return false; };
  pair.net.run(seconds(20));
  EXPECT_EQ(pair.b.datagrams->status().provisional, 0U);
}

TEST(Datagrams, ACopiedDataPacketIsHeardOnce) {
  Pair pair;
  pair.net.ask(pair.a, 1, pair.b.info(), "aloha");
  pair.net.run(seconds(1));
  pair.net.ask(pair.a, 2, pair.b.info(), "again");
  const Bytes copy = pair.net.sent.back().bytes;
  pair.net.run(seconds(1));
  const auto before = pair.net.sent.size();
  pair.net.bring(pair.b, pair.a.at, copy);
  EXPECT_EQ(pair.b.queried.size(), 2U);
  EXPECT_EQ(pair.net.sent.size(), before);
}

TEST(Datagrams, ASessionIsNotHeardFromAnotherAddress) {
  Pair pair;
  pair.net.ask(pair.a, 1, pair.b.info(), "aloha");
  pair.net.run(seconds(1));
  pair.net.on_the_way = [](Packet&) { return false; };
  pair.net.ask(pair.a, 2, pair.b.info(), "again");
  pair.net.bring(pair.b, test::address_of(9), pair.net.sent.back().bytes);
  EXPECT_EQ(pair.b.queried.size(), 1U);
  pair.net.bring(pair.b, pair.a.at, pair.net.sent.back().bytes);
  EXPECT_EQ(pair.b.queried.size(), 2U);
}

TEST(Datagrams, ANodeThatForgotItsSessionsIsAskedAgainByANewHandshake) {
  Pair pair;
  pair.net.ask(pair.a, 1, pair.b.info(), "aloha");
  pair.net.run(seconds(1));
  pair.b.restart();
  pair.net.ask(pair.a, 2, pair.b.info(), "again");
  pair.net.run(seconds(2));
  EXPECT_EQ(pair.a.answered.at(2), "bgain");
  EXPECT_EQ(pair.a.datagrams->status().handshakes, 2U);
}

TEST(Datagrams, WhoDoesNotHoldTheKeyCannotAnswer) {
  Pair pair;
  Peer& other = pair.net.add(3);
  pair.net.ask(pair.a, 1, {other.identity.public_key(), pair.b.at}, "aloha");
  pair.net.run(seconds(10));
  ASSERT_TRUE(pair.a.failed.contains(1));
  EXPECT_EQ(pair.a.failed.at(1).code, Errc::timed_out);
  EXPECT_EQ(pair.a.failed.at(1).message, "203.0.2.1:4433 did not answer 3 datagrams in 3500 ms");
  EXPECT_TRUE(pair.b.queried.empty());
  EXPECT_EQ(pair.a.datagrams->status().queries, 0U);
}

TEST(Datagrams, AKeyThatNobodyCanHoldIsRefused) {
  Pair pair;
  pair.net.ask(pair.a, 1, {crypto::Ed25519PublicKey{{1}}, pair.b.at}, "aloha");  // the identity point
  ASSERT_TRUE(pair.a.failed.contains(1));
  EXPECT_EQ(pair.a.failed.at(1).code, Errc::refused);
  EXPECT_TRUE(pair.net.sent.empty());
}

TEST(Datagrams, QueriesUnderWayAreBounded) {
  Pair pair({.max_queries = 2});
  for (std::uint64_t id = 1; id <= 3; ++id) pair.net.ask(pair.a, id, pair.b.info(), "aloha");
  ASSERT_TRUE(pair.a.failed.contains(3));
  EXPECT_EQ(pair.a.failed.at(3).code, Errc::limit_exceeded);
  pair.net.run(seconds(1));
  EXPECT_EQ(pair.a.answered.size(), 2U);
}

TEST(Datagrams, SessionsEndWhenTheyAreOldOrIdle) {
  Pair pair;
  pair.net.ask(pair.a, 1, pair.b.info(), "aloha");
  pair.net.run(seconds(1));
  EXPECT_EQ(pair.a.datagrams->status().sessions, 1U);
  pair.net.run(minutes(20));
  EXPECT_EQ(pair.a.datagrams->status().sessions, 0U);
  EXPECT_EQ(pair.b.datagrams->status().sessions, 0U);
  EXPECT_FALSE(pair.a.datagrams->deadline());
  for (std::uint64_t id = 2; id < 20; ++id) {
    pair.net.ask(pair.a, id, pair.b.info(), "aloha");
    pair.net.run(minutes(8));
  }
  EXPECT_EQ(pair.a.answered.size(), 19U);
  EXPECT_EQ(pair.a.datagrams->status().handshakes,
            4U);  // the first, and one at 0, 64 and 128 minutes of the second part
}

TEST(Datagrams, TheSessionUsedLongestAgoMakesRoom) {
  Net net;
  Peer& a = net.add(1, {.max_sessions = 2});
  for (Byte number = 2; number <= 4; ++number) {
    net.ask(a, number, net.add(number).info(), "aloha");
    net.run(seconds(1));
  }
  EXPECT_EQ(a.answered.size(), 3U);
  EXPECT_EQ(a.datagrams->status().sessions, 2U);
}

TEST(Datagrams, UnderLoadACookieComesFirstAndCostsNoState) {
  const Config busy{.handshakes = {1, 1}};
  Net net;
  Peer& b = net.add(2, busy);
  Peer& a = net.add(1);
  Peer& c = net.add(3);
  net.ask(a, 1, b.info(), "aloha");
  net.ask(c, 1, b.info(), "aloha");
  net.run(4 * Net::kDelay);
  EXPECT_EQ(a.answered.size(), 1U);
  EXPECT_EQ(c.answered.size(), 1U);
  EXPECT_EQ(b.datagrams->status().cookies, 1U);
  const Packet& cookie = net.sent[3];
  EXPECT_EQ(cookie.bytes.size(), 25U);
  EXPECT_EQ(net.sent.size(), 6U);
}

TEST(Datagrams, ACookieOfAnotherAddressOrAnotherTimeIsWorthNothing) {
  CookieJar jar(ekiden::test::make_rng(7));
  const auto here = test::address_of(1);
  const Instant start = Instant(hours(1));
  const Cookie cookie = jar.bake(start, here, Index{5});
  EXPECT_TRUE(jar.verify(start, here, Index{5}, cookie));
  EXPECT_FALSE(jar.verify(start, here, Index{6}, cookie));
  EXPECT_FALSE(jar.verify(start, {here.ip, 1}, Index{5}, cookie));
  EXPECT_FALSE(jar.verify(start, test::address_of(2), Index{5}, cookie));
  EXPECT_FALSE(jar.verify(start, here, Index{5}, Cookie{}));
  EXPECT_TRUE(jar.verify(start + minutes(3), here, Index{5}, cookie));
  EXPECT_FALSE(jar.verify(start + minutes(5), here, Index{5}, cookie));
}

TEST(Datagrams, UnderLoadOnePrefixCannotTakeAllHandshakes) {
  Net net;
  Peer& b = net.add(2, {.handshakes = {1, 1}, .proven_handshakes = {1, 3}});
  net.ask(net.add(1), 1, b.info(), "takes the token");
  for (Byte number = 50; number < 60; ++number) {
    net.ask(net.add(number, {}, {identity::IpAddress::v4({198, 51, 100, number}), 4433}), 1, b.info(), "aloha");
  }
  net.ask(net.add(3), 1, b.info(), "from elsewhere");
  net.run(4 * Net::kDelay);
  EXPECT_EQ(b.datagrams->status().cookies, 11U);
  EXPECT_EQ(b.queried.size(), 1U + 3U + 1U);
}

TEST(Datagrams, TamperedPacketsChangeNothing) {
  Pair pair;
  pair.net.ask(pair.a, 1, pair.b.info(), "aloha");
  pair.net.run(seconds(1));
  pair.net.ask(pair.a, 2, pair.b.info(), "again");
  const Bytes good = pair.net.sent.back().bytes;
  const auto dropped = pair.b.datagrams->status().dropped;
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 0x40;
    pair.net.bring(pair.b, pair.a.at, bad);
  }
  EXPECT_EQ(pair.b.queried.size(), 1U);
  EXPECT_GE(pair.b.datagrams->status().dropped, dropped + good.size() - 1);
  pair.net.run(seconds(1));
  EXPECT_EQ(pair.a.answered.at(2), "bgain");
}

RC_GTEST_PROP(Datagrams, EveryQueryEndsOnceWhateverHappensToPackets, ()) {
  Pair pair;
  const auto fates = *rc::gen::container<std::vector<int>>(60, rc::gen::inRange(0, 10));
  std::size_t packet_number = 0;
  pair.net.on_the_way = [&](Packet& packet) {
    const int fate = fates[packet_number++ % fates.size()];
    if (fate == 1) packet.bytes[packet.bytes.size() / 2] ^= 1;
    if (fate == 2) packet.bytes.resize(packet.bytes.size() / 2);
    if (fate == 3) packet.at += seconds(1);
    return fate != 0;
  };
  std::uint64_t id = 0;
  for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 6))) {
    if (step == 0) pair.b.restart();
    if (step == 1) pair.net.run(seconds(3));
    if (step >= 2) {
      const bool forth = step % 2 == 0;
      ++id;
      pair.net.ask(forth ? pair.a : pair.b, id, forth ? pair.b.info() : pair.a.info(), "aloha", step < 4);
    }
    if (step == 0) {  // What the other life asked is nobody's any more.
      pair.b.answered.clear();
      pair.b.failed.clear();
    }
  }
  pair.net.run(minutes(1));
  RC_ASSERT(pair.a.datagrams->status().queries == 0U);
  RC_ASSERT(pair.b.datagrams->status().queries == 0U);
  for (const auto& [number, why] : pair.a.failed) RC_ASSERT(!pair.a.answered.contains(number));
  for (const auto& [number, text] : pair.a.answered) RC_ASSERT(text == "bloha");
}

}  // namespace
}  // namespace ekiden::datagram
