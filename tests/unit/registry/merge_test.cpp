// The types that merge, against what merging has to be: commutative, associative, idempotent, and the same everywhere
// in the end, whatever comes in which order and how often.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <vector>

#include "registry/last_writer.hpp"
#include "registry/multi_value.hpp"
#include "registry/observed_set.hpp"

namespace ekiden::registry {
namespace {

using Register = MultiValueRegister<int, int>;
using Set = ObservedSet<int, int>;
using Last = LastWriterRegister<int>;

constexpr int kAuthors = 4;

Stamp random_stamp() { return {*rc::gen::inRange<std::uint64_t>(1, 6), *rc::gen::inRange<std::uint32_t>(0, 3)}; }

/// Each author works on a state of its own, and sometimes takes over that of another: so every history that can happen.
template <class State, class Act>
std::vector<State> random_history(Act act) {
  std::vector<State> states(kAuthors);
  std::vector<Stamp> last(kAuthors, Stamp{1, 0});
  const int steps = *rc::gen::inRange(0, 40);
  for (int i = 0; i < steps; ++i) {
    const auto author = static_cast<std::size_t>(*rc::gen::inRange(0, kAuthors));
    const auto other = static_cast<std::size_t>(*rc::gen::inRange(0, kAuthors));
    last[author] = successor(last[author]);
    if (*rc::gen::inRange(0, 3) == 0) {
      states[author].merge(states[other]);
    } else {
      act(states[author], Dot<int>{static_cast<int>(author), last[author]});
    }
    states[author].check_invariants();
  }
  return states;
}

std::vector<Register> random_registers() {
  return random_history<Register>([](Register& state, const Dot<int>& dot) {
    const int value = *rc::gen::inRange(0, 5);
    if (value == 0) {
      state.clear();
    } else {
      state.write(dot, value);
    }
  });
}

std::vector<Set> random_sets() {
  return random_history<Set>([](Set& state, const Dot<int>& dot) {
    const int element = *rc::gen::inRange(0, 5);
    if (*rc::gen::arbitrary<bool>()) {
      state.add(dot, element);
    } else {
      state.remove(element);
    }
  });
}

std::vector<Last> random_last() {
  std::vector<Last> states;
  for (int i = 0; i < kAuthors; ++i) {
    Version version{.stamp = random_stamp(), .digest = {}};
    version.digest[0] = static_cast<Byte>(*rc::gen::inRange(0, 3));
    // What a version belongs to follows from it: it has the digest.
    states.emplace_back(version, version.digest[0] + static_cast<int>(version.stamp.ms) * 10 +
                                     static_cast<int>(version.stamp.counter) * 100);
  }
  return states;
}

template <class State>
State merged(State a, const State& b) {
  a.merge(b);
  return a;
}

template <class State>
void check_laws(const std::vector<State>& states) {
  const State& a = states[0];
  const State& b = states[1];
  const State& c = states[2];
  RC_ASSERT(merged(a, b) == merged(b, a));
  RC_ASSERT(merged(merged(a, b), c) == merged(a, merged(b, c)));
  RC_ASSERT(merged(a, a) == a);
  RC_ASSERT(merged(merged(a, b), b) == merged(a, b));
}

/// All states are delivered to two replicas, in other orders, with some of them several times.
template <class State>
void check_convergence(const std::vector<State>& states) {
  State first = states[0];
  for (const State& state : states) first.merge(state);
  const auto order = *rc::gen::container<std::vector<std::size_t>>(20, rc::gen::inRange<std::size_t>(0, states.size()));
  State second = states.back();
  for (const std::size_t which : order) second.merge(states[which]);
  for (auto state = states.rbegin(); state != states.rend(); ++state) second.merge(*state);
  RC_ASSERT(first == second);
}

RC_GTEST_PROP(LastWriter, Merges, ()) { check_laws(random_last()); }
RC_GTEST_PROP(LastWriter, Converges, ()) { check_convergence(random_last()); }
RC_GTEST_PROP(MultiValue, Merges, ()) { check_laws(random_registers()); }
RC_GTEST_PROP(MultiValue, Converges, ()) { check_convergence(random_registers()); }
RC_GTEST_PROP(ObservedSet, Merges, ()) { check_laws(random_sets()); }
RC_GTEST_PROP(ObservedSet, Converges, ()) { check_convergence(random_sets()); }

RC_GTEST_PROP(ObservedSet, WhatWasRemovedIsNotBackWithOlderStates, ()) {
  const std::vector<Set> older = random_sets();
  Set all;
  for (const Set& state : older) all.merge(state);
  const int gone = *rc::gen::inRange(0, 5);
  all.remove(gone);
  const auto order = *rc::gen::container<std::vector<std::size_t>>(12, rc::gen::inRange<std::size_t>(0, older.size()));
  for (const std::size_t which : order) {
    all.merge(older[which]);
    RC_ASSERT(!all.contains(gone));
  }
}

RC_GTEST_PROP(MultiValue, WhatWasReplacedIsNotBackWithOlderStates, ()) {
  const std::vector<Register> older = random_registers();
  Register all;
  for (const Register& state : older) all.merge(state);
  const Dot<int> dot{0, {100, 0}};
  all.write(dot, 77);
  for (const Register& state : older) all.merge(state);
  RC_ASSERT((all.values().size() == 1U && all.values().at(dot) == 77));
}

TEST(MultiValue, ShowsWhatIsConcurrentUntilSomebodyWritesAgain) {
  Register left;
  left.write({1, {10, 0}}, 1);
  Register right;
  right.write({2, {11, 0}}, 2);
  left.merge(right);
  EXPECT_EQ(left.values().size(), 2U);
  right.merge(left);
  right.write({2, {12, 0}}, 3);
  left.merge(right);
  ASSERT_EQ(left.values().size(), 1U);
  EXPECT_EQ(left.values().begin()->second, 3);
}

TEST(ObservedSet, OfAnAdditionAndARemovalAtTheSameTimeTheAdditionWins) {
  Set left;
  left.add({1, {10, 0}}, 5);
  Set right = left;
  right.remove(5);
  left.add({1, {11, 0}}, 5);
  right.merge(left);
  EXPECT_TRUE(right.contains(5));
}

TEST(VersionVector, ForgetsOnlyThoseOfWhomNothingIsRecent) {
  VersionVector<int> seen;
  seen.add(1, {10, 0});
  seen.add(2, {20, 0});
  seen.prune({20, 0});
  EXPECT_FALSE(seen.covers(1, {10, 0}));
  EXPECT_TRUE(seen.covers(2, {20, 0}));
}

TEST(LastWriter, SaysWhatWasOffered) {
  Last state({.stamp = {5, 1}, .digest = {7}}, 1);
  EXPECT_EQ(state.merge({{.stamp = {5, 0}, .digest = {9}}, 2}), Standing::older);
  EXPECT_EQ(state.merge({{.stamp = {5, 1}, .digest = {7}}, 1}), Standing::same);
  EXPECT_EQ(state.merge({{.stamp = {5, 1}, .digest = {6}}, 2}), Standing::equivocal_older);
  EXPECT_EQ(state.value(), 1);
  EXPECT_EQ(state.merge({{.stamp = {5, 1}, .digest = {8}}, 2}), Standing::equivocal_newer);
  EXPECT_EQ(state.merge({{.stamp = {6, 0}, .digest = {0}}, 3}), Standing::newer);
  EXPECT_EQ(state.value(), 3);
}

constexpr WallTime kThen = from_unix_ms(1'800'000'000'000);

TEST(HybridClock, GoesOnWhileTheWallClockStandsOrGoesBack) {
  HybridClock clock;
  const Stamp first = *clock.next(kThen);
  const Stamp second = *clock.next(kThen);
  const Stamp third = *clock.next(kThen - minutes(1));
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_EQ(third.ms, to_unix_ms(kThen));
}

TEST(HybridClock, FollowsWhatWasSeenForOneStampOnly) {
  HybridClock clock;
  const Stamp ahead{to_unix_ms(kThen + kMaxAhead), 7};
  EXPECT_EQ(*clock.next(kThen, ahead), successor(ahead));
  EXPECT_EQ(clock.next(kThen)->ms, to_unix_ms(kThen));
}

TEST(HybridClock, RefusesAYearAhead) {
  HybridClock clock;
  EXPECT_FALSE(clock.next(kThen, {to_unix_ms(kThen + days(365)), 0}));
  EXPECT_FALSE(clock.next(kThen, {kMaxUnixMs, ~std::uint32_t{0}}));
  EXPECT_EQ(clock.next(kThen)->ms, to_unix_ms(kThen));
}

TEST(HybridClock, IsNotBoundByItsOwnWrongTimes) {
  HybridClock clock;
  EXPECT_EQ(clock.next(kThen + days(365))->ms, to_unix_ms(kThen + days(365)));
  EXPECT_EQ(clock.next(kThen)->ms, to_unix_ms(kThen));
}

TEST(Stamp, HasASuccessorWhenItsCounterIsFull) {
  EXPECT_EQ(successor({5, ~std::uint32_t{0}}), (Stamp{6, 0}));
  EXPECT_LT((Stamp{5, ~std::uint32_t{0}}), successor({5, ~std::uint32_t{0}}));
}

}  // namespace
}  // namespace ekiden::registry
