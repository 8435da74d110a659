// When a node says that it is here, and whom it remembers.
#include "lan/lan.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "identity/lan_beacon.hpp"
#include "support/identities.hpp"

namespace ekiden::lan {
namespace {

using identity::IpAddress;
using test::at;

constexpr Ports kPorts{.udp = 7420, .tcp = 7421};

identity::Identity numbered(std::size_t number) {
  ByteArray<32> seed{};
  seed[0] = static_cast<Byte>(number);
  seed[1] = static_cast<Byte>(number >> 8);
  seed[2] = 1;
  return identity::Identity(crypto::Ed25519Seed(seed));
}

Bytes beacon_of(const identity::Identity& who, bool asks = false, Ports ports = kPorts) {
  return *identity::sign_lan_beacon(
      who, {.public_key = who.public_key(), .udp_port = ports.udp, .tcp_port = ports.tcp, .asks = asks});
}

identity::SocketAddress host(std::size_t number) {
  return {IpAddress::v4({192, 168, static_cast<Byte>(number >> 8), static_cast<Byte>(number)}), 7419};
}

/// One node, whose beacons are written down with the time.
struct Node {
  explicit Node(Config config = {}, Byte number = 200)
      : self(test::make_identity(number)), lan(self, config, test::make_rng(number)) {}

  void start() {
    lan.start(test::at(now), kPorts, out);
    look();
  }
  void hear(const Bytes& beacon, const identity::SocketAddress& from = host(1)) {
    lan.on_beacon(test::at(now), from, beacon, out);
    look();
  }
  void advance(Duration by) {
    const Duration end = now + by;
    for (auto next = lan.deadline(); next && *next <= test::at(end).mono; next = lan.deadline()) {
      now = std::max(now, *next - test::at({}).mono);
      lan.on_deadline(test::at(now), out);
      look();
    }
    now = end;
  }
  void look() {
    for (auto& effect : out.take()) {
      if (auto* word = std::get_if<Say>(&effect)) said.emplace_back(now, std::move(word->beacon));
      if (auto* one = std::get_if<Heard>(&effect)) heard.push_back(*one);
      if (auto* one = std::get_if<Forgotten>(&effect)) forgotten.push_back(one->peer);
    }
    lan.check_invariants();
  }
  std::size_t peers() const { return lan.status().peers; }

  identity::Identity self;
  Lan lan;
  Outbox<Lan::Effect> out;
  Duration now{};
  std::vector<std::pair<Duration, Bytes>> said;
  std::vector<Heard> heard;
  std::vector<identity::PeerId> forgotten;
};

TEST(Lan, AsksAFewTimesAtTheStartAndThenSaysThatItIsThere) {
  Node node;
  node.start();
  node.advance(minutes(10));
  ASSERT_GE(node.said.size(), 10U);
  EXPECT_EQ(node.said[0].first, Duration{});
  EXPECT_EQ(node.said[1].first, seconds(1));
  EXPECT_EQ(node.said[2].first, seconds(3));
  for (std::size_t i = 0; i < node.said.size(); ++i) {
    const auto beacon = identity::verify_lan_beacon(node.said[i].second);
    ASSERT_TRUE(beacon);
    EXPECT_EQ(beacon->asks, i < 3) << i;
    EXPECT_EQ(beacon->udp_port, kPorts.udp);
    EXPECT_EQ(beacon->tcp_port, kPorts.tcp);
  }
  std::set<Duration> waits;
  for (std::size_t i = 3; i < node.said.size(); ++i) {
    const Duration wait = node.said[i].first - node.said[i - 1].first;
    EXPECT_GE(wait, seconds(45));
    EXPECT_LE(wait, seconds(75));
    waits.insert(wait);
  }
  EXPECT_GT(waits.size(), 3U) << "no jitter";
}

TEST(Lan, IsSilentAndDeafBeforeTheStartAndAfterTheEnd) {
  Node node;
  node.hear(beacon_of(numbered(1), true));
  EXPECT_EQ(node.peers(), 0U);
  EXPECT_FALSE(node.lan.deadline());
  node.start();
  node.lan.stop();
  node.hear(beacon_of(numbered(1), true));
  node.advance(minutes(5));
  EXPECT_EQ(node.said.size(), 1U);
  EXPECT_TRUE(node.heard.empty());
}

TEST(Lan, RemembersWhereAPeerIs) {
  Node node;
  node.start();
  const auto bob = numbered(1);
  node.hear(beacon_of(bob), host(9));
  const Peer* peer = node.lan.find(bob.id());
  ASSERT_NE(peer, nullptr);
  ASSERT_EQ(peer->places.size(), 1U);
  EXPECT_EQ(peer->places[0].ip, host(9).ip);
  EXPECT_EQ(peer->places[0].udp_port, kPorts.udp);
  EXPECT_EQ(peer->places[0].tcp_port, kPorts.tcp);
  ASSERT_EQ(node.heard.size(), 1U);
  EXPECT_TRUE(node.heard[0].is_news);
  EXPECT_EQ(node.heard[0].node.at, (identity::SocketAddress{host(9).ip, kPorts.udp}));
  node.hear(beacon_of(bob), host(9));
  EXPECT_FALSE(node.heard[1].is_news);
  node.hear(beacon_of(bob, true), host(9));
  EXPECT_TRUE(node.heard[2].is_news) << "it has just started";
  node.hear(beacon_of(bob, false, {.udp = 1, .tcp = 0}), host(9));
  EXPECT_TRUE(node.heard[3].is_news) << "it has other ports";
}

TEST(Lan, ForgetsWhoIsNotHeardForFiveMinutes) {
  Node node;
  node.start();
  const auto bob = numbered(1);
  node.hear(beacon_of(bob), host(1));
  node.advance(minutes(3));
  node.hear(beacon_of(bob), host(2));
  node.advance(minutes(2));
  ASSERT_NE(node.lan.find(bob.id()), nullptr);
  EXPECT_EQ(node.lan.find(bob.id())->places.size(), 1U);
  EXPECT_EQ(node.forgotten.size(), 1U);
  node.advance(minutes(3) - nanoseconds(1));
  EXPECT_NE(node.lan.find(bob.id()), nullptr);
  node.advance(nanoseconds(1));
  EXPECT_EQ(node.lan.find(bob.id()), nullptr);
  EXPECT_EQ(node.forgotten.size(), 2U);
}

TEST(Lan, AnswersWhoAsksWithOneBeaconSoon) {
  Node node;
  node.start();
  node.advance(seconds(10));
  const std::size_t before = node.said.size();
  node.hear(beacon_of(numbered(1), true), host(1));
  node.hear(beacon_of(numbered(2), true), host(2));
  node.advance(milliseconds(500));
  ASSERT_EQ(node.said.size(), before + 1) << "two questions, one answer";
  EXPECT_EQ(node.said.back().second, beacon_of(node.self));
  node.advance(seconds(40));
  EXPECT_EQ(node.said.size(), before + 1) << "the answer was heard by all";
}

TEST(Lan, AnswersANewcomerWhoseQuestionWasLostAndNobodyElse) {
  Node node;
  node.start();
  node.advance(seconds(10));
  const std::size_t before = node.said.size();
  node.hear(beacon_of(numbered(1)));
  node.advance(milliseconds(500));
  EXPECT_EQ(node.said.size(), before + 1);
  node.advance(seconds(5));
  node.hear(beacon_of(numbered(1)));
  node.advance(seconds(5));
  EXPECT_EQ(node.said.size(), before + 1);
}

TEST(Lan, SpeaksAtMostOnceASecondHoweverMuchIsAsked) {
  Node node;
  node.start();
  node.advance(seconds(10));
  const std::size_t before = node.said.size();
  for (int i = 0; i < 200; ++i) {
    node.hear(beacon_of(numbered(1), true));
    node.advance(milliseconds(50));
  }
  EXPECT_LE(node.said.size() - before, 11U);
  EXPECT_GE(node.said.size() - before, 3U);
  for (std::size_t i = before + 1; i < node.said.size(); ++i) {
    EXPECT_GE(node.said[i].first - node.said[i - 1].first, seconds(1));
  }
}

TEST(Lan, QuestionsOfOthersDoNotKeepItFromItsOwn) {
  Node node;
  node.start();
  for (int i = 0; i < 40; ++i) {
    node.hear(beacon_of(numbered(1), true));
    node.advance(milliseconds(100));
  }
  const auto asked =
      std::ranges::count_if(node.said, [&](const auto& one) { return one.second == beacon_of(node.self, true); });
  EXPECT_EQ(asked, 3);
}

TEST(Lan, IgnoresItself) {
  Node node;
  node.start();
  node.hear(beacon_of(node.self, true));
  node.hear(beacon_of(node.self, false, {.udp = 9, .tcp = 9}));
  EXPECT_EQ(node.peers(), 0U);
  EXPECT_TRUE(node.heard.empty());
  node.advance(milliseconds(900));
  EXPECT_EQ(node.said.size(), 1U);
}

TEST(Lan, HearsAddressesOfLocalNetworksAlone) {
  const auto counts = [](std::string_view address, bool special) {
    Config config;
    config.special_sources = special;
    Node node(config);
    node.start();
    node.hear(beacon_of(numbered(1)), {*IpAddress::parse(address), 7419});
    return node.peers() == 1;
  };
  for (const auto* address : {"10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1", "fd00::1"}) {
    EXPECT_TRUE(counts(address, false)) << address;
  }
  for (const auto* address : {"127.0.0.1", "169.254.1.1", "fe80::1", "::1"}) {
    EXPECT_FALSE(counts(address, false)) << address;
    EXPECT_TRUE(counts(address, true)) << address;
  }
  for (const auto* address : {"8.8.8.8", "2001:4860::1", "239.255.74.20", "0.0.0.0", "192.0.2.1"}) {
    EXPECT_FALSE(counts(address, true)) << address;
  }
}

TEST(Lan, AFloodOfKeysPushesOutNobody) {
  Config config;
  config.max_peers = 32;
  config.max_per_address = 4;
  Node node(config);
  node.start();
  const auto bob = numbered(1);
  node.hear(beacon_of(bob), host(1));
  for (std::size_t i = 2; i < 200; ++i) {
    node.hear(beacon_of(numbered(i)), host(2));
    node.advance(milliseconds(200));
  }
  EXPECT_EQ(node.peers(), 1U + config.max_per_address);
  EXPECT_NE(node.lan.find(numbered(199).id()), nullptr) << "of one address, those heard last are remembered";
  for (std::size_t i = 200; i < 260; ++i) node.hear(beacon_of(numbered(i)), host(i));
  EXPECT_EQ(node.peers(), config.max_peers);
  EXPECT_NE(node.lan.find(bob.id()), nullptr);
}

TEST(Lan, OneSourceCannotUseUpTheChecksOfOthers) {
  Node node;
  node.start();
  Bytes forged = beacon_of(numbered(1));
  forged.back() ^= 1;
  for (int i = 0; i < 10'000; ++i) node.hear(forged, host(1));
  EXPECT_EQ(node.peers(), 0U);
  node.hear(beacon_of(numbered(1)), host(1));
  EXPECT_EQ(node.peers(), 0U) << "its source has sent too much";
  node.hear(beacon_of(numbered(1)), host(2));
  EXPECT_EQ(node.peers(), 1U);
  EXPECT_GE(node.lan.status().dropped, 10'000U);
}

TEST(Lan, ManySourcesTogetherAreBoundedToo) {
  Node node;
  node.start();
  Bytes forged = beacon_of(numbered(1));
  forged.back() ^= 1;
  for (std::size_t i = 0; i < 4'000; ++i) node.hear(forged, host(i));
  node.hear(beacon_of(numbered(1)), host(5'000));
  EXPECT_EQ(node.peers(), 0U);
  node.advance(seconds(1));
  node.hear(beacon_of(numbered(1)), host(5'000));
  EXPECT_EQ(node.peers(), 1U);
}

TEST(Lan, APlayedBackBeaconAddsAnAddressAndTakesNone) {
  Node node;
  node.start();
  const auto bob = numbered(1);
  node.hear(beacon_of(bob), host(1));
  node.hear(beacon_of(bob), host(66));
  const Peer* peer = node.lan.find(bob.id());
  ASSERT_NE(peer, nullptr);
  ASSERT_EQ(peer->places.size(), 2U);
  EXPECT_EQ(peer->places[1].ip, host(1).ip);
  node.hear(beacon_of(bob), host(1));
  EXPECT_EQ(node.lan.find(bob.id())->places[0].ip, host(1).ip);
}

TEST(Lan, RefusesWhatIsNoBeacon) {
  Node node;
  node.start();
  node.hear({});
  node.hear(Bytes(1'000, 0xd2));
  node.hear(test::make_record(numbered(1)));
  EXPECT_EQ(node.peers(), 0U);
  EXPECT_EQ(node.lan.status().dropped, 3U);
}

/// All hear what one says, after a moment, but for what is lost.
struct Crowd {
  explicit Crowd(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) nodes.push_back(std::make_unique<Node>(Config(), static_cast<Byte>(i + 1)));
  }
  void start(std::size_t i, Duration now) {
    nodes[i]->now = now;
    nodes[i]->start();
    spread(i);
  }
  void advance(Duration by) {
    for (Duration step{}; step < by; step += milliseconds(10)) {
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        nodes[i]->advance(milliseconds(10));
        spread(i);
      }
    }
  }
  void spread(std::size_t from) {
    for (; told[from] < nodes[from]->said.size(); ++told[from]) {
      for (std::size_t to = 0; to < nodes.size(); ++to) {
        if (to != from) nodes[to]->hear(nodes[from]->said[told[from]].second, host(from + 1));
      }
    }
  }
  std::vector<std::unique_ptr<Node>> nodes;
  std::map<std::size_t, std::size_t> told;
};

TEST(Lan, ACrowdThatComesAtOnceKnowsEachOtherWithinASecondAndIsNotLoud) {
  Crowd crowd(20);
  for (std::size_t i = 0; i < 20; ++i) crowd.start(i, {});
  crowd.advance(milliseconds(1'600));
  std::size_t said = 0;
  for (const auto& node : crowd.nodes) {
    EXPECT_EQ(node->peers(), 19U);
    said += node->said.size();
  }
  EXPECT_LE(said, 60U);
}

TEST(Lan, WhoComesLaterKnowsAllWithinHalfASecond) {
  Crowd crowd(5);
  for (std::size_t i = 0; i < 4; ++i) crowd.start(i, {});
  crowd.advance(seconds(20));
  crowd.start(4, seconds(20));
  crowd.advance(milliseconds(510));
  EXPECT_EQ(crowd.nodes[4]->peers(), 4U);
}

/// Against a list that is as simple as possible: who was heard within five minutes, where there is room for all.
RC_GTEST_PROP(Lan, RemembersWhatASimpleListWould, ()) {
  Node node;
  node.start();
  std::map<std::pair<std::size_t, std::size_t>, Duration> model;  // peer and host, when it was heard
  const auto steps = *rc::gen::container<std::vector<std::tuple<int, int, int>>>(
      rc::gen::tuple(rc::gen::inRange(0, 6), rc::gen::inRange(0, 4), rc::gen::inRange(1, 100)));
  for (const auto& [peer, where, pause] : steps) {
    node.advance(seconds(pause));
    const auto key = std::pair(static_cast<std::size_t>(peer), static_cast<std::size_t>(where));
    node.hear(beacon_of(numbered(key.first + 1)), host(key.second + 1));
    model[key] = node.now;
    std::erase_if(model, [&](const auto& item) { return node.now - item.second >= minutes(5); });
    std::map<std::size_t, std::size_t> places;
    for (const auto& [sighting, when] : model) ++places[sighting.first];
    RC_ASSERT(node.peers() == places.size());
    for (const auto& [id, count] : places) {
      const Peer* known = node.lan.find(numbered(id + 1).id());
      RC_ASSERT(known != nullptr && known->places.size() == count);
    }
  }
}

}  // namespace
}  // namespace ekiden::lan
