// Time: renewal, expiry, prekeys, clocks that leap.
#include "session/header.hpp"
#include "unit/session/testing.hpp"

namespace ekiden::session {
namespace {

/// The monotonic clock goes on as if nothing had happened; only the calendar leaps.
Now leaped(Now now, Duration leap) { return {now.mono, now.wall + std::chrono::duration_cast<milliseconds>(leap)}; }

std::size_t rows_of(const Agent& agent, store::Table table) {
  const auto rows = agent.disk.rows();
  return static_cast<std::size_t>(std::ranges::count(rows, table, [](const auto& row) { return row.key.table; }));
}

TEST(Lifetime, ASessionIsReplacedSevenDaysBeforeItsEnd) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  const SessionId old = alice.active_with(bob.id()).id;
  say(at(days(22)), alice, bob);
  EXPECT_EQ(alice.active_with(bob.id()).id, old);
  say(at(days(23)), alice, bob);
  const auto fresh = alice.active_with(bob.id());
  EXPECT_NE(fresh.id, old);
  say(at(days(23)), bob, alice);
  EXPECT_EQ(bob.active_with(alice.id()).id, fresh.id);
  EXPECT_EQ(alice.active_with(bob.id()).state, State::established);
}

TEST(Lifetime, MessagesOfTheReplacedSessionAreOpenedUntilItsEnd) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  const Bytes late = sealed_by(at(days(1)), alice, bob, "late");
  const Bytes too_late = sealed_by(at(days(1)), alice, bob, "too late");
  say(at(days(24)), alice, bob);
  expect_opens(at(days(29)), bob, alice, late, "late");
  expect_fails(at(days(30)), bob, alice, too_late, OpenFailure::expired);
}

TEST(Lifetime, BothSidesRenewingAtOnceSettleOnOneSession) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  const Bytes from_alice = sealed_by(at(days(24)), alice, bob, "a");
  const Bytes from_bob = sealed_by(at(days(24)), bob, alice, "b");
  expect_opens(at(days(24)), bob, alice, from_alice, "a");
  expect_opens(at(days(24)), alice, bob, from_bob, "b");
  EXPECT_EQ(alice.active_with(bob.id()).id, bob.active_with(alice.id()).id);
  converse(at(days(24)), alice, bob);
}

TEST(Lifetime, WithoutAUsableRecordTheOldSessionGoesOnToItsEnd) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  auto record = bob.record(at({}));
  const SessionId old = alice.active_with(bob.id()).id;
  const auto sealed = alice.seal(at(days(29)), record, Durability::durable, "x");  // The record expired on day 7.
  ASSERT_TRUE(sealed.has_value());
  EXPECT_EQ(sealed->session, old);
  EXPECT_EQ(alice.seal(at(days(30)), record, Durability::durable, "x").error().code, Errc::expired);
}

TEST(Lifetime, TheEndOfASessionErasesItsRowsAndKeys) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  sealed_by(at({}), alice, bob, "lost");
  say(at({}), alice, bob);
  for (Agent* agent : {&alice, &bob}) {
    EXPECT_GT(rows_of(*agent, store::Table::sessions), 0U);
    agent->tick(at(days(30)));
    agent->persist();
    EXPECT_EQ(agent->engine->size(), 0U);
  }
  EXPECT_EQ(rows_of(alice, store::Table::sessions), 0U);
  EXPECT_EQ(rows_of(bob, store::Table::sessions), 1U);  // He remembers that it is over, as long as its prekey lives.
  bob.tick(at(days(61)));
  bob.persist();
  EXPECT_EQ(rows_of(bob, store::Table::sessions), 0U);
}

TEST(Lifetime, AFirstMessageDoesNotStartAnExpiredSessionAgain) {
  Agent alice(1), bob(2);
  bob.tick(at(days(6)));
  const Bytes first = sealed_by(at(days(6)), alice, bob, "once", Durability::volatile_);
  expect_opens(at(days(6)), bob, alice, first, "once", Durability::volatile_);
  bob.tick(at(days(36)));
  bob.persist();
  EXPECT_EQ(bob.engine->size(), 0U);
  expect_fails(at(days(36)), bob, alice, first, OpenFailure::expired, Durability::volatile_);
  bob.crash(at(days(36)));
  expect_fails(at(days(36)), bob, alice, first, OpenFailure::expired, Durability::volatile_);
}

TEST(Lifetime, WhatHasExpiredStaysExpiredWhenTheClockIsSetBack) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  const Bytes body = sealed_by(at({}), alice, bob, "x");
  expect_fails(at(days(30)), bob, alice, body, OpenFailure::expired);
  const Now back = leaped(at(days(30)), -days(29));
  expect_fails(back, bob, alice, body, OpenFailure::expired);
  EXPECT_EQ(bob.engine->deadline(), at(days(30)).mono);
  bob.tick(back);
  EXPECT_EQ(bob.engine->size(), 0U);
  expect_fails(back, bob, alice, body, OpenFailure::expired);
}

TEST(Lifetime, AClockThatLeapsAheadAndBackCostsASessionAndNothingElse) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  alice.tick(at(hours(1)));
  const Now year_ahead = leaped(at(hours(2)), days(365));
  alice.tick(year_ahead);
  alice.persist();
  EXPECT_EQ(alice.engine->size(), 0U);
  const Now now = at(hours(3));
  alice.tick(now);
  say(now, alice, bob);
  say(now, bob, alice);
  EXPECT_EQ(alice.active_with(bob.id()).id, bob.active_with(alice.id()).id);
}

TEST(Lifetime, ASessionFromTheFutureHasItsTermFromNow) {
  Agent alice(1), bob(2);
  const Now ahead = leaped(at({}), days(1000));
  const auto record = bob.record(ahead);
  ASSERT_TRUE(alice.seal(ahead, record, Durability::durable, "x").has_value());
  alice.tick(at(hours(1)));
  const auto status = alice.active_with(bob.id());
  EXPECT_EQ(status.created, at(hours(1)).wall);
  EXPECT_EQ(status.expires, at(hours(1)).wall + days(30));
}

TEST(Lifetime, PrekeysRotateEverySevenDays) {
  Agent bob(2);
  const auto first = bob.engine->prekey();
  bob.effects.take();
  bob.tick(at(days(7) - seconds(1)));
  EXPECT_EQ(bob.engine->prekey(), first);
  bob.tick(at(days(7)));
  EXPECT_NE(bob.engine->prekey(), first);
  EXPECT_NE(bob.engine->prekey().id, first.id);
  const auto effects = bob.effects.take();
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_EQ(std::get<PrekeyChanged>(effects[0]).prekey, bob.engine->prekey());
}

TEST(Lifetime, APrekeySurvivesARestart) {
  Agent bob(2);
  const auto prekey = bob.engine->prekey();
  bob.effects.take();
  bob.crash(at(days(1)));
  EXPECT_EQ(bob.engine->prekey(), prekey);
  EXPECT_TRUE(bob.effects.empty());
  bob.crash(at(days(8)));
  EXPECT_NE(bob.engine->prekey(), prekey);
}

TEST(Lifetime, AnOldPrekeyOpensFirstMessagesForThirtyDaysAndIsThenErased) {
  Agent bob(2);
  const auto record = bob.record(at({}));
  bob.tick(at(days(7)));
  Agent alice(1), carol(3);
  const auto in_time = alice.seal(at(days(6)), record, Durability::durable, "in time");
  const auto too_late = carol.seal(at(days(6)), record, Durability::durable, "too late");
  ASSERT_TRUE(in_time && too_late);
  expect_opens(at(days(37) - seconds(1)), bob, alice, in_time->sealed, "in time");
  bob.persist();
  EXPECT_GE(rows_of(bob, store::Table::prekeys), 2U);
  expect_fails(at(days(37)), bob, carol, too_late->sealed, OpenFailure::unknown_session);
  bob.tick(at(days(37)));
  bob.persist();
  for (const auto& row : bob.disk.rows()) {
    EXPECT_FALSE(row.key.table == store::Table::prekeys && row.key.number == record.prekey->id);
  }
  expect_fails(at(days(37)), bob, carol, too_late->sealed, OpenFailure::unknown_session);
}

TEST(Lifetime, PrekeysStayFewHoweverTheClockLeaps) {
  Agent bob(2);
  for (int i = 1; i < 60; ++i) {
    bob.tick(leaped(at(hours(2 * i)), i % 2 == 0 ? Duration(0) : Duration(days(8))));
    bob.persist();
    EXPECT_LE(rows_of(bob, store::Table::prekeys), 16U);
  }
  Agent alice(1);
  say(at(hours(200)), alice, bob);
}

TEST(Lifetime, TheTimerIsNeverFurtherThanAnHourBecauseTheCalendarMayLeap) {
  Agent alice(1), bob(2);
  EXPECT_EQ(alice.engine->deadline(), at(hours(1)).mono);
  converse(at({}), alice, bob);
  EXPECT_LE(*alice.engine->deadline(), at(hours(1)).mono);
}

}  // namespace
}  // namespace ekiden::session
