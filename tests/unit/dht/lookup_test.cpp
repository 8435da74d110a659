#include "dht/lookup.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "testing.hpp"

namespace ekiden::dht {
namespace {

class LookupTest : public ::testing::Test {
 protected:
  LookupTest() {
    for (std::size_t i = 0; i < 400; ++i) nodes_.push_back(fake_node(i));
    std::ranges::sort(nodes_, {}, [&](const identity::NodeInfo& node) { return distance(target_, node.id()); });
  }

  /// The node with that rank by distance to the target.
  const identity::NodeInfo& node(std::size_t rank) const { return nodes_[rank]; }
  void seed(Lookup& lookup, std::size_t rank) const { lookup.seed(node(rank).id(), node(rank)); }
  std::size_t rank_of(const Lookup& lookup, Lookup::Index index) const {
    return static_cast<std::size_t>(std::ranges::find(nodes_, lookup.node(index).info) - nodes_.begin());
  }
  void hear(Lookup& lookup, Lookup::Index teller, std::size_t rank) const {
    if (const auto known = lookup.find(node(rank).public_key)) {
      lookup.hear_again(teller, *known, node(rank).at);
    } else {
      lookup.hear(teller, node(rank).id(), node(rank));
    }
  }

  /// Everybody answers and tells the twenty closest that are not farther than half as far as itself.
  std::size_t run(Lookup& lookup) const {
    std::size_t asked = 0;
    while (!lookup.is_finished()) {
      std::vector<Lookup::Index> round;
      while (const auto next = lookup.next(now_)) round.push_back(*next);
      EXPECT_FALSE(round.empty()) << "stuck";
      if (round.empty()) break;
      for (const Lookup::Index index : round) {
        ++asked;
        lookup.answered(now_, index);
        const std::size_t rank = rank_of(lookup, index);
        for (std::size_t i = 0; i < 20; ++i) hear(lookup, index, rank / 2 + i);
        lookup.check_invariants();
      }
    }
    return asked;
  }

  Config config_;
  Key target_ = capability_key("target");
  std::vector<identity::NodeInfo> nodes_;
  Instant now_ = at({}).mono;
};

TEST_F(LookupTest, FindsTheClosestAndAsksNobodyTwice) {
  Lookup lookup(target_, 20, config_);
  for (std::size_t i = 0; i < 20; ++i) seed(lookup, 100 + 10 * i);
  const std::size_t asked = run(lookup);
  const auto closest = lookup.closest_answered(20);
  ASSERT_EQ(closest.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(rank_of(lookup, closest[i]), i);
  EXPECT_LE(asked, 60U);
  EXPECT_EQ(lookup.asked_count(), asked);
  EXPECT_GE(lookup.rounds(), 3U);
  std::set<identity::PeerId> once;
  for (const Step& step : lookup.trail(100)) EXPECT_TRUE(once.insert(step.node).second);
}

TEST_F(LookupTest, WhoAnsweredOnTheWayIsNotAmongTheClosest) {
  Lookup lookup(target_, 5, config_);
  for (std::size_t i = 0; i < 20; ++i) seed(lookup, 100 + 10 * i);
  run(lookup);
  const auto near = lookup.answered_among_closest(20);
  EXPECT_GE(near.size(), 5U);
  EXPECT_LT(near.size(), lookup.closest_answered(20).size());
  for (const Lookup::Index index : near) EXPECT_LT(rank_of(lookup, index), 20U);
}

TEST_F(LookupTest, PathsShareNoAskedNodeAndAlphaBoundsEach) {
  Lookup lookup(target_, 20, config_);
  for (std::size_t i = 0; i < 20; ++i) seed(lookup, i);
  std::vector<std::size_t> on_path(config_.paths, 0);
  while (const auto next = lookup.next(now_)) ++on_path[lookup.node(*next).path];
  for (const std::size_t count : on_path) EXPECT_EQ(count, config_.alpha);
}

/// It invents nodes that are closer than all others, and they answer, with more of them.
TEST_F(LookupTest, ALiarOnOnePathKeepsTheOtherFromNobody) {
  std::vector<identity::NodeInfo> invented;
  for (std::size_t i = 0; i < 20'000; ++i) invented.push_back(fake_node(10'000 + i));
  std::ranges::sort(invented, {}, [&](const identity::NodeInfo& node) { return distance(target_, node.id()); });
  invented.resize(60);
  ASSERT_LT(distance(target_, invented[30].id()), distance(target_, node(1).id()));
  config_.paths = 2;
  Lookup lookup(target_, 20, config_);
  seed(lookup, 300);
  seed(lookup, 301);
  std::set<std::size_t> honest;
  while (!lookup.is_finished()) {
    const auto next = lookup.next(now_);
    ASSERT_TRUE(next);
    lookup.answered(now_, *next);
    const std::size_t rank = rank_of(lookup, *next);
    const bool lies = rank == 300 || rank == nodes_.size();
    if (!lies) honest.insert(rank);
    for (std::size_t i = 0; i < 20; ++i) {
      if (!lies) {
        hear(lookup, *next, rank / 2 + i);
      } else if (const identity::NodeInfo& one = invented[(3 * rank + i) % invented.size()];
                 !lookup.find(one.public_key)) {
        lookup.hear(*next, one.id(), one);
      }
    }
    lookup.check_invariants();
  }
  for (std::size_t rank = 0; rank < 20; ++rank) EXPECT_TRUE(honest.contains(rank)) << rank;
}

TEST_F(LookupTest, WhoIsNoLongerAmongTheClosestHoldsUpNobody) {
  config_.paths = 1;
  Lookup lookup(target_, 3, config_);
  for (const std::size_t rank : {50UL, 60UL, 70UL, 80UL}) seed(lookup, rank);
  std::vector<Lookup::Index> asked;
  while (const auto next = lookup.next(now_)) asked.push_back(*next);
  ASSERT_EQ(asked.size(), config_.alpha);
  lookup.answered(now_, asked[0]);
  for (std::size_t rank = 0; rank < 10; ++rank) hear(lookup, asked[0], rank);
  std::size_t more = 0;
  while (lookup.next(now_)) ++more;
  EXPECT_EQ(more, config_.alpha) << "though two others have not answered";
  for (std::size_t rank = 10; rank < 20; ++rank) hear(lookup, asked[0], rank);
  EXPECT_FALSE(lookup.next(now_)) << "these are not closer";
  lookup.check_invariants();
}

TEST_F(LookupTest, EndsAtTheQuorumAndWidensWhenTold) {
  Lookup lookup(target_, 5, config_);
  for (std::size_t i = 0; i < 20; ++i) seed(lookup, i);
  const std::size_t asked = run(lookup);
  EXPECT_LE(asked, 12U);
  EXPECT_GE(lookup.closest_answered(5).size(), 5U);
  lookup.widen(20);
  EXPECT_FALSE(lookup.is_finished());
  run(lookup);
  EXPECT_GE(lookup.closest_answered(20).size(), 20U);
}

TEST_F(LookupTest, IsOverAtOnceWithNobodyToAsk) {
  Lookup lookup(target_, 20, config_);
  EXPECT_TRUE(lookup.is_finished());
  EXPECT_FALSE(lookup.next(now_));
}

TEST_F(LookupTest, FailedNodesAreReplacedByTheNextOnes) {
  Lookup lookup(target_, 3, config_);
  for (std::size_t i = 0; i < 12; ++i) seed(lookup, i);
  std::size_t failures = 0;
  while (!lookup.is_finished()) {
    const auto next = lookup.next(now_);
    ASSERT_TRUE(next);
    if (rank_of(lookup, *next) < 4) {
      lookup.failed(*next);
      ++failures;
    } else {
      lookup.answered(now_, *next);
    }
  }
  EXPECT_EQ(failures, 4U);
  EXPECT_EQ(rank_of(lookup, lookup.closest_answered(1)[0]), 4U);
}

TEST_F(LookupTest, SlowNodesHoldUpNobody) {
  config_.paths = 1;
  Lookup lookup(target_, 3, config_);
  for (std::size_t i = 0; i < 10; ++i) seed(lookup, i);
  std::vector<Lookup::Index> first;
  while (const auto next = lookup.next(now_)) first.push_back(*next);
  ASSERT_EQ(first.size(), 3U);
  EXPECT_EQ(lookup.next_slow(), now_ + config_.slow_after);
  lookup.answered(now_, first[0]);
  now_ += config_.slow_after;
  lookup.mark_slow(now_);
  std::vector<Lookup::Index> second;
  while (const auto next = lookup.next(now_)) second.push_back(*next);
  ASSERT_EQ(second.size(), 2U) << "two more in the place of the slow ones";
  for (const Lookup::Index index : second) lookup.answered(now_, index);
  EXPECT_TRUE(lookup.is_finished()) << "three have answered";
  lookup.answered(now_, first[1]);
  EXPECT_EQ(lookup.closest_answered(2).size(), 2U) << "late, but it counts";
}

TEST_F(LookupTest, WaitsForSlowNodesIfThereAreNoOthers) {
  config_.paths = 1;
  Lookup lookup(target_, 3, config_);
  seed(lookup, 0);
  const auto only = lookup.next(now_);
  ASSERT_TRUE(only);
  lookup.mark_slow(now_ + config_.slow_after);
  EXPECT_FALSE(lookup.is_finished());
  lookup.failed(*only);
  EXPECT_TRUE(lookup.is_finished());
}

TEST_F(LookupTest, WhoInventsNodesIsNotBelievedFurther) {
  config_.paths = 1;
  Lookup lookup(target_, 20, config_);
  seed(lookup, 300);
  const auto liar = lookup.next(now_);
  ASSERT_TRUE(liar);
  lookup.answered(now_, *liar);
  for (std::size_t i = 0; i < 20; ++i) hear(lookup, *liar, i);
  std::size_t wasted = 0;
  while (const auto next = lookup.next(now_)) {
    lookup.failed(*next);
    ++wasted;
  }
  EXPECT_EQ(wasted, config_.max_bad_tips);
  EXPECT_TRUE(lookup.is_finished());
}

TEST_F(LookupTest, WhatTheLiarNamedIsAskedIfSomebodyElseNamesItToo) {
  config_.paths = 1;
  Lookup lookup(target_, 20, config_);
  seed(lookup, 300);
  seed(lookup, 301);
  const auto liar = lookup.next(now_);
  const auto honest = lookup.next(now_);
  lookup.answered(now_, *liar);
  for (std::size_t i = 0; i < 20; ++i) hear(lookup, *liar, i);
  for (std::size_t i = 0; i < config_.max_bad_tips; ++i) {
    const auto next = lookup.next(now_);
    ASSERT_TRUE(next);
    lookup.failed(*next);
  }
  EXPECT_FALSE(lookup.next(now_));
  lookup.answered(now_, *honest);
  hear(lookup, *honest, 15);
  const auto next = lookup.next(now_);
  ASSERT_TRUE(next);
  EXPECT_EQ(rank_of(lookup, *next), 15U);
}

TEST_F(LookupTest, AWrongAddressToldFirstHidesNobody) {
  config_.paths = 1;
  Lookup lookup(target_, 20, config_);
  seed(lookup, 300);
  seed(lookup, 301);
  const auto liar = lookup.next(now_);
  const auto honest = lookup.next(now_);
  lookup.answered(now_, *liar);
  identity::NodeInfo wrong = node(0);
  wrong.at = test_address(5000);
  lookup.hear(*liar, wrong.id(), wrong);
  const auto first = lookup.next(now_);
  ASSERT_TRUE(first);
  EXPECT_EQ(lookup.node(*first).info.at, wrong.at);
  lookup.answered(now_, *honest);
  hear(lookup, *honest, 0);
  lookup.failed(*first);
  const auto second = lookup.next(now_);
  ASSERT_TRUE(second);
  EXPECT_EQ(lookup.node(*second).info, node(0));
  lookup.failed(*second);
  lookup.hear_again(*liar, *second, wrong.at);
  EXPECT_FALSE(lookup.next(now_)) << "once is enough";
}

TEST_F(LookupTest, OthersCannotMoveANodeOfOurTable) {
  config_.paths = 1;
  Lookup lookup(target_, 20, config_);
  seed(lookup, 0);
  seed(lookup, 300);
  const auto known = lookup.next(now_);
  const auto teller = lookup.next(now_);
  lookup.answered(now_, *teller);
  lookup.hear_again(*teller, *known, test_address(5000));
  lookup.failed(*known);
  EXPECT_FALSE(lookup.next(now_));
}

TEST_F(LookupTest, BoundsQueriesCandidatesAndNetworks) {
  config_.max_queries_per_path = 7;
  config_.max_lookup_nodes = 40;
  config_.max_lookup_prefix = 4;
  Lookup lookup(target_, 20, config_);
  seed(lookup, 390);
  seed(lookup, 391);
  std::size_t asked = 0;
  std::size_t other = 0;
  while (const auto next = lookup.next(now_)) {
    ++asked;
    lookup.answered(now_, *next);
    for (std::size_t i = 0; i < 20; ++i) {
      identity::NodeInfo crowded = node(other++);
      crowded.at = test_address(1, static_cast<Byte>(other));
      lookup.hear(*next, crowded.id(), crowded);
      hear(lookup, *next, 200 + other % 150);
    }
    lookup.check_invariants();
  }
  EXPECT_EQ(asked, 14U);
  EXPECT_TRUE(lookup.is_finished());
}

}  // namespace
}  // namespace ekiden::dht
