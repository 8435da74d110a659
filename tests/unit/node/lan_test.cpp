// Nodes of one local network, without a list of nodes, contacts or private_network, find each other.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness.hpp"

namespace ekiden::node {
namespace {

Config lan_only() {
  Config config;
  config.discovery = true;
  config.lan_ports = lan::Ports{.udp = 7420, .tcp = 7420};
  return config;
}

bool was_dialled(const Harness::Peer& from, const identity::Endpoint& to, identity::LearnedFrom source) {
  return std::ranges::any_of(from.dials,
                             [&](const Dial& dial) { return dial.endpoint == to && dial.learned_from == source; });
}

TEST(LanNodes, FindEachOtherByBeaconsAloneAndAMessageArrives) {
  Harness net(2, lan_only());
  net.advance(seconds(1));
  net.send(0, 1, "are you next door?");
  ASSERT_EQ(net[1].arrivals.size(), 1U);
  EXPECT_EQ(as_text(net[1].arrivals[0]->body), "are you next door?");
  EXPECT_TRUE(was_dialled(net[0], net[1].endpoint, identity::LearnedFrom::lan));
  net.send(1, 0, "yes");
  EXPECT_EQ(net[0].arrivals.size(), 1U);
}

TEST(LanNodes, KnowEachOtherWithinASecondInTheDhtToo) {
  Harness net(4, lan_only());
  net.advance(seconds(1));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(net[i].node->status().lan.peers, 3U) << i;
    EXPECT_EQ(net[i].node->status().dht.nodes, 3U) << i;
  }
}

TEST(LanNodes, AMessageThatWaitsArrivesOnceItsRecipientComes) {
  Harness net(2, lan_only());
  net.crash(1);
  net.advance(minutes(10));
  net.send(0, 1, "welcome");
  net.advance(minutes(10));
  EXPECT_TRUE(net[1].arrivals.empty());
  net.boot(1);
  net.advance(milliseconds(100));
  EXPECT_EQ(net[1].arrivals.size(), 1U);
}

TEST(LanNodes, AMessageThatWaitsArrivesOnceItsRecipientIsBackWhereItWas) {
  Harness net(2, lan_only());
  net.advance(seconds(2));
  net.crash(1);
  net.send(0, 1, "welcome back");
  net.advance(minutes(4));
  net.boot(1);
  net.advance(milliseconds(100));
  EXPECT_EQ(net[1].arrivals.size(), 1U);
}

TEST(LanNodes, FindTheRecordOfANeighbour) {
  Harness net(3, lan_only());
  net.advance(seconds(1));
  net.find(0, 2);
  net.advance(seconds(1));
  ASSERT_EQ(net[0].found.size(), 1U);
  ASSERT_TRUE(net[0].found[0].record) << net[0].found[0].record.error().message;
  EXPECT_EQ(net[0].found[0].record->signed_bytes, to_bytes(net[2].node->own_record()));
}

TEST(LanNodes, FindTheRecordOfANeighbourThatTheDhtHasNoRoomFor) {
  Config config = lan_only();
  config.dht.max_prefix_in_table = config.dht.max_prefix_in_bucket = 1;
  Harness net(6, config, [](std::size_t i, Config& one) { one.dht.k = i == 0 ? 1 : one.dht.k; });
  net.advance(seconds(1));
  for (std::size_t i = 1; i < 6; ++i) net.find(0, i);
  net.advance(seconds(1));
  ASSERT_EQ(net[0].found.size(), 5U);
  for (const PeerFound& found : net[0].found) EXPECT_TRUE(found.record);
}

TEST(LanNodes, TellWhomTheyHearAndWhere) {
  Harness net(2, lan_only());
  net.advance(seconds(1));
  const auto peers = net[0].node->lan_peers();
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_EQ(peers[0].peer, net[1].id);
  ASSERT_EQ(peers[0].endpoints.size(), 2U);
  EXPECT_EQ(peers[0].endpoints[0], net[1].endpoint);
  EXPECT_EQ(peers[0].endpoints[1].text(), "udp://10.0.1.1:7420");
  EXPECT_EQ(net[0].node->lan_endpoints(net[1].id), peers[0].endpoints);
  EXPECT_TRUE(net[0].node->lan_endpoints(net[0].id).empty());
  EXPECT_TRUE(net[0].node->status().lan.on);
}

TEST(LanNodes, AreSilentAndDeafWhenItIsOff) {
  const auto silent_with = [](const std::function<void(Config&)>& change) {
    Harness net(2, lan_only(), [&](std::size_t i, Config& one) {
      if (i == 1) change(one);
    });
    net.advance(minutes(5));
    const auto status = net[1].node->status().lan;
    return net[1].beacons.empty() && !status.on && status.peers == 0 && net[0].node->status().lan.peers == 0;
  };
  EXPECT_TRUE(silent_with([](Config& one) { one.lan_ports.reset(); }));
  EXPECT_TRUE(silent_with([](Config& one) { one.discovery = false; }));
  EXPECT_TRUE(silent_with([](Config& one) { one.take_part = false; }));
}

TEST(LanNodes, SayNothingBeforeTheirRecordIsOnDiskAndAfterTheEnd) {
  Harness net(2, lan_only());
  net.crash(1);
  net[1].beacons.clear();
  net[1].disk_syncs = false;
  net.boot(1);
  net.advance(seconds(10));
  EXPECT_TRUE(net[1].beacons.empty()) << "who would dial now would be turned away";
  net[1].disk_syncs = true;
  net.pump();
  net.advance(seconds(1));
  EXPECT_FALSE(net[1].beacons.empty());
  net.feed(1, ShutDown{});
  net.pump();
  const std::size_t said = net[1].beacons.size();
  net.advance(minutes(2));
  EXPECT_EQ(net[1].beacons.size(), said);
}

TEST(LanNodes, APlayedBackBeaconDoesNotKeepAMessageFromArriving) {
  Harness net(2, lan_only());
  net.advance(seconds(1));
  for (Byte i = 60; i < 62; ++i) {
    net.feed(0, BeaconHeard{{identity::IpAddress::v4({10, 0, i, 1}), 7419}, net[1].beacons.back()});
  }
  net.pump();
  net.send(0, 1, "to you and nobody else");
  net.advance(seconds(90));
  EXPECT_EQ(net[1].arrivals.size(), 1U);
}

TEST(LanNodes, DoNotDialPrivateAddressesThatARecordNamesForAPeerHeardElsewhere) {
  Harness net(2, lan_only(), [](std::size_t i, Config& one) {
    if (i == 1) one.lan_ports->tcp = 0;  // It says that it takes no links.
  });
  net.advance(seconds(1));
  net.find(0, 1);
  net.advance(seconds(1));
  ASSERT_TRUE(net[0].found.at(0).record);
  net.send(0, 1, "hello");
  net.advance(minutes(1));
  EXPECT_TRUE(net[0].dials.empty()) << "its record names 10.0.1.1, which is no reason to dial it";
}

}  // namespace
}  // namespace ekiden::node
