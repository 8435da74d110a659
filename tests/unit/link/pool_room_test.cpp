// Who gets a place, and who gives way, when links and queues are full.
#include <gtest/gtest.h>

#include <string>

#include "link/pool.hpp"
#include "raw_peer.hpp"

namespace ekiden::link {
namespace {

using test::RawPeer;
using test::World;

TEST(Pools, FullOfActiveLinksRefuseANewcomerAndFullOfIdleOnesMakeRoom) {
  Config config;
  config.max_links = 2;
  World world(4, config);
  world.want(1, 0);
  world.want(2, 0);
  world.run();
  world.want(3, 0);
  world.run();
  EXPECT_FALSE(world.pool(0).is_up(world.id(3)));
  ASSERT_FALSE(world.nodes[3]->failures.empty());
  EXPECT_NE(world.nodes[3]->failures[0].why.message.find("too many links"), std::string::npos);
  world.run_for(minutes(2));
  EXPECT_TRUE(world.pool(0).is_up(world.id(3)));
  EXPECT_LE(world.links(0).size(), 2U);
}

TEST(Pools, FullOfLinksThatStrangersKeepBusyStillReachWhomTheyWant) {
  for (const bool wanted_dials : {false, true}) {
    Config config;
    config.max_links = 2;
    World world(4, config);
    world.want(1, 0);  // As the dialling side wants the link, its pings say *keep*.
    world.want(2, 0);
    world.run();
    world.advance(seconds(1));
    ASSERT_TRUE(world.send(2, 0, "busy"));
    world.run();
    if (wanted_dials) {
      world.nodes[3]->reachable = false;
      world.want(0, 3);
      world.want(3, 0);
    } else {
      world.want(0, 3);
    }
    world.run();
    EXPECT_TRUE(world.pool(0).is_up(world.id(3)));
    EXPECT_TRUE(world.pool(0).is_up(world.id(2)));
    EXPECT_FALSE(world.pool(0).is_up(world.id(1))) << "it was without messages for longest";
  }
}

TEST(Pools, NeverCloseAWantedLinkToMakeRoom) {
  Config config;
  config.max_links = 2;
  World world(4, config);
  world.want(0, 1);
  world.want(0, 2);
  world.run();
  world.advance(seconds(1));
  world.want(0, 3);
  world.run();
  EXPECT_FALSE(world.pool(0).is_up(world.id(3)));
  EXPECT_TRUE(world.pool(0).is_up(world.id(1)));
  EXPECT_TRUE(world.pool(0).is_up(world.id(2)));
  EXPECT_FALSE(world.nodes[0]->failures.empty());
}

TEST(Pools, OpenOnlySoManyLinksFromOneNetwork) {
  for (const auto& [inside, outside] :
       {std::pair{"192.0.2.", "192.0.3.1"}, {"2001:db8:0:100::", "2001:db8:0:200::1"}}) {
    Config config;
    config.max_links_per_prefix = 2;
    World world(1, config);
    RawPeer first(world, 0, inside + std::string("1"), 101);
    RawPeer second(world, 0, inside + std::string("2"), 102);
    RawPeer third(world, 0, inside + std::string("3"), 103);
    for (auto* peer : {&first, &second, &third}) {
      peer->ping(true);
      world.advance(seconds(1));
    }
    EXPECT_TRUE(world.pool(0).is_up(second.id()));
    EXPECT_FALSE(world.pool(0).is_up(third.id()));
    ASSERT_EQ(world.nodes[0]->notices.size(), 1U);
    EXPECT_NE(world.nodes[0]->notices[0].what.message.find("refused: 2 links are open from "), std::string::npos);
    RawPeer elsewhere(world, 0, outside, 104);
    elsewhere.ping(true);
    EXPECT_TRUE(world.pool(0).is_up(elsewhere.id()));

    RawPeer contact(world, 0, inside + std::string("4"), 105);
    world.want(0, contact.id(), {});
    contact.ping(true);
    EXPECT_TRUE(world.pool(0).is_up(contact.id()));
    EXPECT_TRUE(world.pool(0).is_up(elsewhere.id())) << "it has nothing to do with that network";
    EXPECT_FALSE(world.pool(0).is_up(first.id())) << "it was without messages for longest";
  }
}

TEST(Pools, GiveThePlaceOfANetworkBackWhenALinkEnds) {
  Config config;
  config.max_links_per_prefix = 1;
  World world(1, config);
  RawPeer first(world, 0, "192.0.2.1", 101);
  first.ping(false);
  world.pool(0).on_closed(world.now(), first.conn(), {Errc::closed, "reset"}, world.nodes[0]->out);
  world.handle(0);
  ASSERT_EQ(world.nodes[0]->downs.size(), 1U);
  EXPECT_EQ(world.nodes[0]->downs[0].why.code, Errc::unreachable) << "nobody has said goodbye";
  RawPeer second(world, 0, "192.0.2.2", 102);
  second.ping(false);
  EXPECT_TRUE(world.pool(0).is_up(second.id()));
}

TEST(Pools, HearNothingOnALinkThatTheyRefused) {
  Config config;
  config.max_links = 1;
  World world(1, config);
  RawPeer first(world, 0, "192.0.2.1", 101);
  first.message("heard");
  RawPeer second(world, 0, "192.0.2.2", 102);
  second.message("in the same record that would open the link");
  ASSERT_EQ(world.nodes[0]->messages.size(), 1U);
  EXPECT_EQ(world.nodes[0]->messages[0].first, first.id());
}

// Queues. -------------------------------------------------------------------------------------------------------------

/// A node with links to two strangers that take nothing, and to one wanted peer.
struct Queues {
  Queues() : world(2, config()), slow(world, 0, "192.0.2.1", 101), slower(world, 0, "192.0.2.2", 102) {
    slow.ping(true);
    slower.ping(true);
    world.want(0, 1);
    world.run();
  }
  static Config config() {
    Config config;
    config.max_links = 10;
    config.max_queued_total = 100'000;
    return config;
  }
  Status send(const identity::PeerId& to, std::size_t bytes) {
    auto status = world.pool(0).send(world.now(), to, wire::Priority::normal, Bytes(bytes, 1), world.nodes[0]->out);
    world.handle(0);
    return status;
  }

  World world;
  RawPeer slow;
  RawPeer slower;
};

TEST(PoolQueues, TheFullestLinkThatNobodyWantsGivesWay) {
  Queues queues;
  auto& pool = queues.world.pool(0);
  ASSERT_TRUE(queues.send(queues.slow.id(), 30'000));
  for (const std::size_t bytes : {30'000u, 20'000u}) ASSERT_TRUE(queues.send(queues.slower.id(), bytes));
  ASSERT_TRUE(queues.send(queues.world.id(1), 30'000));
  EXPECT_TRUE(pool.is_up(queues.slow.id()));
  EXPECT_FALSE(pool.is_up(queues.slower.id()));
  EXPECT_EQ(queues.world.nodes[0]->downs.back().why.code, Errc::limit_exceeded);
}

TEST(PoolQueues, TheFullestLinkItselfGetsNoMore) {
  Queues queues;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queues.send(queues.slow.id(), 30'000));
  const auto refused = queues.send(queues.slow.id(), 20'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::limit_exceeded);
  EXPECT_NE(refused.error().message.find("on all of them"), std::string::npos);
  EXPECT_TRUE(queues.world.pool(0).is_up(queues.slow.id()));
  queues.slow.pull();
  EXPECT_TRUE(queues.send(queues.slow.id(), 20'000)) << "what was taken leaves room";
}

TEST(PoolQueues, WantedLinksAndSmallQueuesAreNeverClosedForRoom) {
  Queues queues;
  ASSERT_TRUE(queues.send(queues.slow.id(), 9'000));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queues.send(queues.world.id(1), 30'000));
  EXPECT_EQ(queues.send(queues.slower.id(), 30'000).error().code, Errc::limit_exceeded);
  EXPECT_EQ(queues.send(queues.world.id(1), 30'000).error().code, Errc::limit_exceeded);
  EXPECT_TRUE(queues.world.pool(0).is_up(queues.slow.id()));
  EXPECT_TRUE(queues.world.pool(0).is_up(queues.world.id(1)));
}

}  // namespace
}  // namespace ekiden::link
