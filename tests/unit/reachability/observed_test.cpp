// Where peers say that they see us: who is believed, and what liars can do.
#include <gtest/gtest.h>

#include <array>

#include "unit/reachability/world.hpp"

namespace ekiden::reachability {
namespace {

constexpr std::string_view kAddress = "9.9.9.9";
constexpr std::string_view kTcp = "tcp://9.9.9.9:7420";
constexpr std::string_view kUdp = "udp://9.9.9.9:40001";
// One to a network.
constexpr std::array<Byte, 3> kThree = {10, 20, 30};
constexpr std::array<Byte, 3> kOthers = {30, 40, 50};

TEST(Observed, TwoNetworksThatAgreeMakeACandidateWithTheOwnPort) {
  World world;
  world.sees(10, kAddress);
  EXPECT_TRUE(world.engine->status().empty());
  world.sees(20, kAddress);
  ASSERT_TRUE(world.status_of(kTcp));
  EXPECT_EQ(world.status_of(kTcp)->source, Source::observed);
  EXPECT_FALSE(world.publishes(kTcp));
}

TEST(Observed, PeersOfOneNetworkCountOnce) {
  World world;
  for (Byte number = 10; number < 20; ++number) world.sees(number, kAddress);
  EXPECT_TRUE(world.engine->status().empty());
}

TEST(Observed, OnAPrivateNetworkPeersCount) {
  Config config;
  config.private_network = true;
  World world(config);
  world.sees(10, "192.168.1.7");
  world.sees(11, "192.168.1.7");
  world.up(10);
  world.up(11);
  world.run(seconds(5));
  EXPECT_TRUE(world.publishes("tcp://192.168.1.7:7420"));
}

TEST(Observed, IsVerifiedByTwoNetworks) {
  World world;
  world.sees(10, kAddress);
  world.sees(20, kAddress);
  world.up(30);
  world.up(31);
  world.run(minutes(10));
  EXPECT_FALSE(world.publishes(kTcp)) << "one network has reached it";
  EXPECT_EQ(world.status_of(kTcp)->state, State::candidate);
  world.up(40);
  world.run(minutes(10));
  EXPECT_TRUE(world.publishes(kTcp));
}

TEST(Observed, OfDatagramsThePortCountsToo) {
  World world;
  world.sees_datagrams(10, kAddress, 40'001);
  world.sees_datagrams(20, kAddress, 40'002);  // A router that gives each a port of its own.
  EXPECT_TRUE(world.engine->status().empty());
  world.sees_datagrams(30, kAddress, 40'001);
  EXPECT_TRUE(world.status_of(kUdp));
}

TEST(Observed, SpecialAddressesAreNotHeard) {
  World world;
  for (const Byte number : kThree) {
    for (const auto* address : {"127.0.0.1", "192.168.1.1", "0.0.0.0", "169.254.1.1", "::1"}) {
      world.sees(number, address);
      world.sees_datagrams(number, address, 7420);
    }
  }
  EXPECT_TRUE(world.engine->status().empty());
}

TEST(Observed, WhoListensOnLoopbackAloneIsNotSeenByOthers) {
  World world({}, {}, {"tcp://127.0.0.1:7420", "udp://127.0.0.1:7420"});
  world.sees(10, kAddress);
  world.sees(20, kAddress);
  EXPECT_TRUE(world.engine->status().empty());
}

TEST(Observed, ALiarCannotSayWhereWeAre) {
  World world;
  world.sees(10, "6.6.6.6");
  world.sees(20, kAddress);
  world.sees(30, kAddress);
  for (const Byte number : kThree) world.up(number);
  world.run(minutes(5));
  EXPECT_TRUE(world.publishes(kTcp));
  EXPECT_FALSE(world.status_of("tcp://6.6.6.6:7420"));
}

TEST(Observed, ACandidateGoesWhenItsVotesDo) {
  World world;
  world.sees(10, "6.6.6.6");
  world.sees(20, "6.6.6.6");
  EXPECT_TRUE(world.status_of("tcp://6.6.6.6:7420"));
  world.sees(10, kAddress);
  EXPECT_FALSE(world.status_of("tcp://6.6.6.6:7420"));
  EXPECT_FALSE(world.status_of(kTcp));
}

TEST(Observed, AFloodOfAddressesIsBoundedAndKeepsWhatIsVerified) {
  World world;
  world.sees(10, kAddress);
  world.sees(20, kAddress);
  world.up(30);
  world.up(40);
  world.run(seconds(5));
  ASSERT_TRUE(world.publishes(kTcp));
  for (int round = 0; round < 200; ++round) {
    const std::string address = "7.7." + std::to_string(round) + ".1";
    for (int i = 0; i < 25; ++i) world.sees(static_cast<Byte>(10 * i + round % 10), address);
  }
  world.run(minutes(1));
  EXPECT_TRUE(world.publishes(kTcp));
  EXPECT_LE(world.engine->status().size(), Config{}.max_observed);
  EXPECT_LE(world.asked.size(), 4 * Config{}.questions_per_minute);
}

TEST(Observed, WhoMovesPublishesTheNewAddressAndLosesTheOld) {
  World world;
  const auto move_to = [&](std::string_view address) {
    world.sees(10, address);
    world.sees(20, address);
  };
  move_to(kAddress);
  for (const Byte number : kOthers) world.up(number);
  world.run(seconds(5));
  ASSERT_TRUE(world.publishes(kTcp));
  for (const Byte number : kOthers) world.up(number, World::Answer::not_reached);
  move_to("7.7.7.7");
  world.run(minutes(2));
  EXPECT_FALSE(world.publishes(kTcp));
  for (const Byte number : kOthers) world.up(number);
  world.run(minutes(31));
  EXPECT_TRUE(world.publishes("tcp://7.7.7.7:7420"));
  EXPECT_FALSE(world.status_of(kTcp)) << "nobody sees us there";
}

TEST(Observed, IsRememberedOverARestart) {
  World world;
  world.sees(10, kAddress);
  world.sees(20, kAddress);
  world.up(30);
  world.up(40);
  world.run(seconds(5));
  ASSERT_TRUE(world.publishes(kTcp));
  world.peers.clear();
  world.boot(7);
  EXPECT_TRUE(world.publishes(kTcp));
}

TEST(Observed, APeerThatSeesUsElsewhereIsNotAsked) {
  World world({}, {std::string(kTcp)});
  world.peers[10] = World::Answer::silent;
  world.engine->on_peer_up(world.now(), {peer_id(10), identity::IpAddress::v6({0x26, 6, 0x47, 0})}, world.out);
  world.settle();
  EXPECT_TRUE(world.asked.empty()) << "its link is of the other family";
}

}  // namespace
}  // namespace ekiden::reachability
