// What a peer may make us skip, and that honest peers never notice.
#include "session/skip_budget.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "unit/session/testing.hpp"

namespace ekiden::session {
namespace {

TEST(SkipBudget, IsTwiceTheBoundAndComesBackOneByOne) {
  SkipBudget budget(10);
  const Instant start = at({}).mono;
  EXPECT_EQ(budget.left(start), 20u);
  budget.spend(start, 20);
  EXPECT_EQ(budget.left(start), 0u);
  EXPECT_EQ(budget.left(start + seconds(6) - Duration(1)), 0u);
  EXPECT_EQ(budget.left(start + seconds(6)), 1u);
  EXPECT_EQ(budget.left(start + minutes(1)), 10u);
  budget.spend(start + minutes(1), 10);
  EXPECT_EQ(budget.left(start + minutes(2)), 10u);
  EXPECT_EQ(budget.left(start + minutes(3)), 20u);
  EXPECT_EQ(budget.left(start + hours(1)), 20u);
}

TEST(SkipBudget, OfABoundOfZeroIsNothing) { EXPECT_EQ(SkipBudget(0).left(at({}).mono), 0u); }

/// In any minute no more than what was there and what came back, however the peer goes about it.
RC_GTEST_PROP(SkipBudget, BoundsEveryMinute, (const std::vector<std::pair<std::uint16_t, std::uint8_t>>& attempts)) {
  SkipBudget budget(10);
  std::vector<std::pair<Instant, std::size_t>> spent;
  Instant now = at({}).mono;
  for (const auto& [pause_ms, wish] : attempts) {
    now += milliseconds(pause_ms);
    const std::size_t count = std::min<std::size_t>(wish % 12, budget.left(now));
    budget.spend(now, count);
    spent.emplace_back(now, count);
    std::size_t in_a_minute = 0;
    for (const auto& [when, what] : spent) in_a_minute += now - when < minutes(1) ? what : 0;
    RC_ASSERT(in_a_minute <= 30u);
  }
}

Config tight() {
  Config config;
  config.max_skipped = 10;
  config.reserve_block = 4;
  return config;
}

/// A message that stands `gap` ahead of the one before.
Bytes far_ahead(Now now, Agent& from, const Agent& to, int gap) {
  for (int i = 0; i < gap; ++i) sealed_by(now, from, to, "lost");
  return sealed_by(now, from, to, "x");
}

TEST(SkipBudget, APeerThatUsesItUpIsTooFarUntilItComesBack) {
  Agent alice(1), bob(2, tight());
  converse(at({}), alice, bob);
  for (int i = 0; i < 2; ++i) expect_opens(at({}), bob, alice, far_ahead(at({}), alice, bob, 10), "x");
  const Bytes third = far_ahead(at({}), alice, bob, 10);
  const auto before = bob.state();
  expect_fails(at({}), bob, alice, third, OpenFailure::too_far);
  expect_fails(at(seconds(59)), bob, alice, third, OpenFailure::too_far);
  EXPECT_EQ(bob.state(), before);
  expect_opens(at(minutes(1)), bob, alice, third, "x");
}

TEST(SkipBudget, IsNotFilledByANewSession) {
  Agent eve(3), bob(2, tight());
  int opened = 0;
  for (int i = 0; i < 10; ++i) {
    eve.disk = {};
    eve.crash(at({}));
    eve.persist();
    opened += bob.open(at({}), eve.id(), far_ahead(at({}), eve, bob, 10)).has_value() ? 1 : 0;
    bob.persist();
  }
  EXPECT_EQ(opened, 2);
  EXPECT_LE(bob.disk.size(), 120u);

  Agent alice(1);
  expect_opens(at({}), bob, alice, far_ahead(at({}), alice, bob, 10), "x");
}

TEST(SkipBudget, IsNotSpentByWhatDoesNotVerify) {
  Agent alice(1), bob(2, tight());
  converse(at({}), alice, bob);
  Bytes forged = far_ahead(at({}), alice, bob, 10);
  const Bytes good = forged;
  forged.back() ^= 1;
  for (int i = 0; i < 5; ++i) expect_fails(at({}), bob, alice, forged, OpenFailure::bad);
  expect_opens(at({}), bob, alice, good, "x");
}

TEST(SkipBudget, IsEnoughForMessagesThatStayInOrder) {
  Agent alice(1), bob(2, tight());
  for (int i = 0; i < 100; ++i) say(at({}), alice, bob);
}

TEST(SkipBudget, IsEnoughForSevenRestartsAtOnce) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  for (int i = 0; i < 7; ++i) {
    say(at({}), alice, bob, Durability::volatile_);
    alice.crash(at({}));
    say(at({}), alice, bob);
  }
  EXPECT_GT(bob.active_with(alice.id()).skipped_keys, 900u) << "each restart passes over a block";
}

}  // namespace
}  // namespace ekiden::session
