#include "dht/table.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "table_model.hpp"

namespace ekiden::dht {
namespace {

class TableTest : public ::testing::Test {
 protected:
  /// Nodes of one bucket, each of a network of its own, in the order of their numbers.
  std::vector<identity::NodeInfo> nodes_in(std::size_t bucket, std::size_t count, std::size_t first = 0) const {
    std::vector<identity::NodeInfo> nodes;
    for (std::size_t number = first; nodes.size() < count; ++number) {
      if (common_prefix(self_.bytes, fake_node(number).id().bytes) == bucket) nodes.push_back(fake_node(number));
    }
    return nodes;
  }

  Table::Place confirm(const identity::NodeInfo& node) {
    time_ += seconds(1);
    return table_.confirm(at(time_).mono, node.id(), node);
  }
  void fail(const identity::NodeInfo& node) { table_.failed(at(time_).mono, node.id(), node.at); }
  bool has(const identity::NodeInfo& node) const { return table_.find(node.id()) != nullptr; }

  Config config_;
  identity::PeerId self_ = fake_node(60'000).id();
  Table table_{self_, config_};
  Duration time_{};
};

TEST_F(TableTest, KeepsWhoIsAliveAndLetsNewcomersWait) {
  const auto nodes = nodes_in(0, 22);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(confirm(nodes[i]), Table::Place::added);
  EXPECT_EQ(confirm(nodes[20]), Table::Place::spare);
  EXPECT_EQ(confirm(nodes[0]), Table::Place::known);
  EXPECT_EQ(table_.size(), 20U);
  EXPECT_EQ(table_.spare_count(), 1U);
  fail(nodes[5]);
  EXPECT_TRUE(has(nodes[5])) << "one failure is no reason";
  fail(nodes[5]);
  EXPECT_FALSE(has(nodes[5]));
  EXPECT_TRUE(has(nodes[20]));
  EXPECT_EQ(table_.spare_count(), 0U);
  table_.check_invariants();
}

TEST_F(TableTest, AnAnswerForgivesEarlierFailures) {
  const auto nodes = nodes_in(0, 21);
  for (const auto& node : nodes) confirm(node);
  fail(nodes[3]);
  EXPECT_TRUE(table_.seen(at(time_).mono, nodes[3].id(), nodes[3].at));
  fail(nodes[3]);
  EXPECT_TRUE(has(nodes[3]));
}

TEST_F(TableTest, KeepsFailingNodesForADayIfNobodyTakesTheirPlace) {
  const auto nodes = nodes_in(0, 2);
  confirm(nodes[0]);
  for (int i = 0; i < 10; ++i) fail(nodes[0]);
  EXPECT_TRUE(has(nodes[0]));
  std::vector<const Contact*> near;
  table_.closest(Key::of(nodes[0].id()), 5, /*good=*/true, near);
  EXPECT_TRUE(near.empty()) << "it is not told to others";
  time_ += config_.forget_after + seconds(1);
  fail(nodes[0]);
  EXPECT_FALSE(has(nodes[0]));
}

TEST_F(TableTest, ADeadNodeGivesItsPlaceToTheNextConfirmedOne) {
  const auto nodes = nodes_in(0, 21);
  for (std::size_t i = 0; i < 20; ++i) confirm(nodes[i]);
  fail(nodes[7]);
  fail(nodes[7]);
  EXPECT_TRUE(has(nodes[7]));
  EXPECT_EQ(confirm(nodes[20]), Table::Place::added);
  EXPECT_FALSE(has(nodes[7]));
}

TEST_F(TableTest, TheNodeToPingIsTheOneSeenLongestAgoAndOnlyIfThatIsLong) {
  const auto nodes = nodes_in(0, 21);
  for (std::size_t i = 0; i < 20; ++i) confirm(nodes[i]);
  EXPECT_EQ(table_.questionable(at(time_).mono, nodes[20].id()), nullptr);
  time_ += config_.fresh_for;
  table_.seen(at(time_).mono, nodes[0].id(), nodes[0].at);
  time_ += seconds(1);
  const Contact* oldest = table_.questionable(at(time_).mono, nodes[20].id());
  ASSERT_NE(oldest, nullptr);
  EXPECT_EQ(oldest->info, nodes[1]);
}

TEST_F(TableTest, WhoComesByIsNotPingedWhileThereAreEnoughToTakeAPlace) {
  const auto nodes = nodes_in(0, 30);
  const identity::NodeInfo& newcomer = nodes[29];
  const auto wants = [&] { return table_.wants(at(time_).mono, newcomer.id(), newcomer.at); };
  for (std::size_t i = 0; i < 20 + config_.spares; ++i) {
    EXPECT_TRUE(wants()) << i;
    confirm(nodes[i]);
  }
  EXPECT_FALSE(wants());
  time_ += config_.fresh_for / 2;
  for (std::size_t i = 0; i < 20; ++i) confirm(nodes[i]);
  EXPECT_FALSE(wants());
  time_ += config_.fresh_for / 2;
  EXPECT_TRUE(wants()) << "nobody knows whether the spares are still there";
}

TEST_F(TableTest, TwoOfANetworkInABucketAndTenInAll) {
  std::size_t added = 0;
  std::size_t in_first = 0;
  for (std::size_t number = 0; number < 2000; ++number) {
    identity::NodeInfo node = fake_node(number);
    node.at = test_address(7, static_cast<Byte>(number % 250));
    if (confirm(node) != Table::Place::added) continue;
    ++added;
    if (common_prefix(self_.bytes, node.id().bytes) == 0) ++in_first;
  }
  EXPECT_EQ(in_first, 2U);
  EXPECT_EQ(added, 10U);
  table_.check_invariants();
}

TEST_F(TableTest, NodesOfOneIPv6SiteAreOneNetwork) {
  std::size_t added = 0;
  for (std::size_t number = 0; number < 40; ++number) {
    identity::NodeInfo node = nodes_in(1, 1, number * 50)[0];
    node.at.ip = *identity::IpAddress::parse("2a01:db9:0:ab" + std::string(number % 2 == 0 ? "00" : "ff") + "::1");
    added += confirm(node) == Table::Place::added ? 1 : 0;
  }
  EXPECT_EQ(added, 2U);
}

TEST_F(TableTest, AMoveIntoAFullNetworkCostsThePlace) {
  auto nodes = nodes_in(0, 3);
  nodes[0].at = test_address(3, 1);
  nodes[1].at = test_address(3, 2);
  for (const auto& node : nodes) ASSERT_EQ(confirm(node), Table::Place::added);
  nodes[2].at = test_address(4, 9);
  EXPECT_EQ(confirm(nodes[2]), Table::Place::known) << "to a network with room";
  EXPECT_EQ(table_.find(nodes[2].id())->info.at, nodes[2].at);
  nodes[2].at = test_address(3, 3);
  EXPECT_EQ(confirm(nodes[2]), Table::Place::refused);
  EXPECT_FALSE(has(nodes[2]));
}

TEST_F(TableTest, FailuresAtAnotherAddressDoNotCount) {
  const auto nodes = nodes_in(0, 21);
  for (const auto& node : nodes) confirm(node);
  for (int i = 0; i < 5; ++i) table_.failed(at(time_).mono, nodes[4].id(), test_address(999));
  EXPECT_EQ(table_.find(nodes[4].id())->failures, 0U);
}

TEST_F(TableTest, WeAreNotInOurOwnTable) {
  EXPECT_EQ(table_.confirm(at(time_).mono, self_, fake_node(60'000)), Table::Place::refused);
  EXPECT_EQ(table_.size(), 0U);
}

TEST_F(TableTest, RefreshesWhatALookupOfOurOwnIdDoesNotCover) {
  for (std::size_t i = 0; i < 400; ++i) confirm(fake_node(i));
  const std::size_t near = table_.near_bucket();
  ASSERT_GT(near, 1U);
  std::size_t deeper = 0;
  const auto sizes = table_.bucket_sizes();
  for (std::size_t i = near; i < sizes.size(); ++i) deeper += sizes[i];
  EXPECT_LT(deeper, config_.k);
  EXPECT_GE(deeper + sizes[near - 1], config_.k);

  const Instant later = at(time_).mono + hours(1);
  Rng rng(seed_of(1));
  table_.note_lookup(Key::of(self_), later);
  for (std::size_t i = 1; i < near; ++i) table_.note_lookup(random_key_near(self_, i, rng), later);
  ASSERT_TRUE(table_.next_refresh());
  EXPECT_EQ(table_.next_refresh()->bucket, 0U);
  table_.note_lookup(random_key_near(self_, 0, rng), later + seconds(1));
  EXPECT_EQ(table_.next_refresh()->at, later);
}

TEST_F(TableTest, KnowsHowFarALookupOfOurOwnIdHasReached) {
  for (std::size_t i = 0; i < 400; ++i) confirm(fake_node(i));
  const std::size_t near = table_.near_bucket();
  const std::size_t deepest = table_.bucket_sizes().size() - 1;
  ASSERT_LT(near, deepest);
  Rng rng(seed_of(1));
  const auto in_bucket = [&](std::size_t bucket) {
    return identity::PeerId{random_key_near(self_, bucket, rng).bytes};
  };
  table_.note_closest(config_.k, in_bucket(near));
  EXPECT_EQ(table_.near_bucket(), near + 1) << "the rest of the bucket of the farthest is not covered";
  table_.note_closest(config_.k - 1, in_bucket(near));
  EXPECT_EQ(table_.near_bucket(), near) << "these are all there are";
  table_.note_closest(config_.k, in_bucket(0));
  EXPECT_EQ(table_.near_bucket(), near) << "what is known of deeper buckets counts, too";
}

TEST_F(TableTest, CountsWhoIsCloserThanWeAre) {
  for (std::size_t i = 0; i < 400; ++i) confirm(fake_node(i));
  for (std::size_t target = 1000; target < 1200; ++target) {
    const Key key = Key::of(fake_node(target).id());
    std::size_t closer = 0;
    table_.for_each(
        [&](const Contact& contact) { closer += distance(key, contact.id) < distance(key, self_) ? 1 : 0; });
    EXPECT_EQ(table_.count_closer(key, 1000), closer);
    EXPECT_EQ(table_.count_closer(key, 7), std::min<std::size_t>(closer, 7));
  }
}

RC_GTEST_PROP(TableProperty, DoesWhatAFlatListWithTheSameRulesDoes, ()) {
  const auto script = *rc::gen::container<std::vector<Byte>>(600, rc::gen::arbitrary<Byte>());
  play_table(script);
}

}  // namespace
}  // namespace ekiden::dht
