// Whole nodes that watch over their network: who belongs to it, what is told of a split, and what it costs when idle.
#include <gtest/gtest.h>

#include "unit/node/harness.hpp"
#include "unit/node/logged.hpp"

namespace ekiden::node {
namespace {

const std::string kMembers = "members";

void watch(std::size_t, Config& config) { config.watch_network = true; }

/// Members of one topic, who have links to each other.
Harness make_company(std::size_t count) {
  Harness net = make_network(count, watch);
  for (std::size_t i = 0; i < count; ++i) {
    const auto request = net.request<SubscribeTopic>(i, kMembers);
    EXPECT_TRUE(net[i].replies.at(request));
  }
  net.advance(minutes(3));
  return net;
}

partition::State state_of(Harness& net, std::size_t i) { return net[i].node->network(net.now()).counts.last.state; }

TEST(NetworkWatch, TellsOfASplitAndOfItsEnd) {
  Harness net = make_company(6);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(net[i].node->network(net.now()).counts.members, 5U) << i;
    EXPECT_TRUE(net[i].network.empty()) << i;
  }
  for (const std::size_t i : {4U, 5U}) net.freeze(i);
  net.advance(seconds(10));
  for (std::size_t i = 0; i < 4; ++i) {
    const NetworkStatus network = net[i].node->network(net.now());
    EXPECT_EQ(network.counts.last.state, partition::State::split) << i;
    EXPECT_EQ(network.counts.away, 2U) << i;
    EXPECT_EQ(network.away.size(), 2U) << i;
    EXPECT_TRUE(has_logged(net[i].log, "split: ")) << i;
    ASSERT_FALSE(net[i].network.empty());
    EXPECT_EQ(net[i].network.back().state, partition::State::split) << i;
  }
  net.advance(minutes(1));
  for (const std::size_t i : {4U, 5U}) net.thaw(i);
  net.advance(seconds(30));
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(state_of(net, i), partition::State::whole) << i;
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(net[i].network.back().healed) << i;
    EXPECT_EQ(net[i].network.back().healed->back, 2U) << i;
    EXPECT_TRUE(has_logged(net[i].log, "whole again after ")) << i;
  }
}

TEST(NetworkWatch, MissesNobodyWhoLeaves) {
  Harness net = make_company(6);
  for (const std::size_t i : {3U, 4U, 5U}) net.stop(i);
  net.advance(minutes(1));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(net[i].network.empty()) << i;
    EXPECT_EQ(net[i].node->network(net.now()).counts.members, 2U) << i;
  }
}

TEST(NetworkWatch, KeepsNoLinkThatNobodyUses) {
  Harness net(2, {}, watch);
  net.introduce(0, 1, "other");
  net.send(0, 1, "hello");
  net.advance(seconds(2));
  ASSERT_TRUE(net[0].up.contains(net[1].id));
  EXPECT_EQ(net[0].node->network(net.now()).counts.well, 1U);
  net.advance(minutes(6));
  EXPECT_TRUE(net[0].up.empty());
  EXPECT_EQ(net[0].node->network(net.now()).counts.members, 1U) << "it said nothing of going";
  net.advance(minutes(15));
  EXPECT_EQ(net[0].node->network(net.now()).counts.members, 0U);
  EXPECT_TRUE(net[0].network.empty());
}

TEST(NetworkWatch, CanBeSwitchedOff) {
  Harness net(2, {}, [](std::size_t i, Config& config) { config.watch_network = i != 1; });
  net.introduce(0, 1, "other");
  net.send(0, 1, "hello");
  net.advance(seconds(5));
  ASSERT_TRUE(net[0].up.contains(net[1].id));
  EXPECT_FALSE(net[1].node->network(net.now()).is_watched);
  EXPECT_EQ(net[0].node->network(net.now()).counts.neighbours, 0U);
  EXPECT_EQ(net[0].node->network(net.now()).counts.last.here, 1U);
}

}  // namespace
}  // namespace ekiden::node
