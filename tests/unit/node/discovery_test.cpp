// Nodes that know nobody's address find each other through the DHT.
#include <gtest/gtest.h>

#include "crypto/curve_memo.hpp"
#include "harness.hpp"

namespace ekiden::node {
namespace {

TEST(Discovery, NodesJoinThroughABootstrapNode) {
  Harness net = make_network(5);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(net[i].node->status().dht.nodes, 4U) << i;
}

TEST(Discovery, ARecordIsFoundByTheIdOfItsOwner) {
  Harness net = make_network(5);
  net.find(2, 4);
  net.advance(seconds(1));
  ASSERT_EQ(net[2].found.size(), 1U);
  ASSERT_TRUE(net[2].found[0].record) << net[2].found[0].record.error().message;
  EXPECT_EQ(net[2].found[0].record->signed_bytes, to_bytes(net[4].node->own_record()));
  EXPECT_GE(net[2].found[0].trail.answered, 1U);
}

TEST(Discovery, WhoNeverWasThereIsNotFound) {
  Harness net = make_network(4);
  net.feed(1, FindPeer{net.next_request(), identity::PeerId{{9}}});
  net.pump();
  net.advance(seconds(10));
  ASSERT_EQ(net[1].found.size(), 1U);
  ASSERT_FALSE(net[1].found[0].record);
  EXPECT_EQ(net[1].found[0].record.error().code, Errc::not_found);
}

TEST(Discovery, AskingThoseToWhomThereIsASessionCostsNoPublicKeyOperation) {
  Harness net = make_network(5);
  const identity::PeerId nobody{{9}};
  const auto search = [&] {
    net[1].found.clear();
    net.feed(1, FindPeer{net.next_request(), nobody});
    net.pump();
  };
  search();
  crypto::CurveMemo counter(64);
  counter.install();
  search();
  ASSERT_EQ(net[1].found.size(), 1U);
  EXPECT_EQ(net[1].found[0].trail.answered, 4U);
  EXPECT_EQ(counter.operations(), 0U);
  // What is found is verified, and that alone is paid for.
  net.find(1, 4);
  ASSERT_EQ(net[1].found.size(), 2U);
  ASSERT_TRUE(net[1].found[1].record);
  EXPECT_GT(counter.operations(), 0U);
}

TEST(Discovery, AMessageToAnIdWithoutAnAddressArrives) {
  Harness net = make_network(5);
  net.send(2, 4, "who knows you?");
  net.advance(seconds(10));
  ASSERT_EQ(net[4].arrivals.size(), 1U);
  EXPECT_EQ(as_text(net[4].arrivals[0]->body), "who knows you?");
}

TEST(Discovery, AMessageWaitsForWhoComesLater) {
  Harness net = make_network(5);
  net.crash(4);
  net.advance(days(2));  // Its record is gone everywhere.
  net.send(2, 4, "welcome back");
  net.advance(minutes(3));
  EXPECT_TRUE(net[4].arrivals.empty());
  net.boot(4);
  net.advance(minutes(12));
  ASSERT_EQ(net[4].arrivals.size(), 1U);
}

TEST(Discovery, ARestartedNodeRemembersTheNetwork) {
  Harness net = make_network(5);
  net.advance(minutes(10));
  net.crash(3);
  net.crash(0);  // The only bootstrap node.
  net.boot(3);
  net.advance(minutes(2));
  EXPECT_GE(net[3].node->status().dht.nodes, 3U);
  net.send(3, 2, "still here");
  net.advance(minutes(1));
  EXPECT_EQ(net[2].arrivals.size(), 1U);
}

TEST(Discovery, IsOffUnlessItIsWanted) {
  Harness net(2);
  net.find(0, 1);
  ASSERT_EQ(net[0].found.size(), 1U);
  EXPECT_EQ(net[0].found[0].record.error().code, Errc::unsupported);
  net.feed(0, DatagramArrived{Harness::address_of(1), Bytes(427)});
  net.pump();
  EXPECT_EQ(net[0].node->status().datagrams.dropped, 0U);
}

}  // namespace
}  // namespace ekiden::node
