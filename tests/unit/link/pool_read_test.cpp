// Who is read at once, and who waits for somebody else.
#include <gtest/gtest.h>

#include "raw_peer.hpp"
#include "world.hpp"

namespace ekiden::link {
namespace {

using test::World;

/// Node 0 has a link to each of the others; the first is its contact.
class Reading : public testing::Test {
 protected:
  static constexpr std::size_t kContact = 1;
  static constexpr std::size_t kStranger = 2;

  Reading() {
    for (const std::size_t other : {kContact, kStranger}) world.want(other, 0);
    world.run();
    world.pool(0).guard([this](const identity::PeerId& peer) { return peer == world.id(kContact); });
    world.pool(0).set_guarded(true);
  }

  ConnId conn_of(std::size_t node) {
    for (const LinkStatus& link : world.links(0)) {
      if (link.peer == world.id(node)) return link.conn;
    }
    return {};
  }
  bool may_read(std::size_t node) { return world.pool(0).may_read(world.now(), conn_of(node)); }
  void charge(std::size_t node, Duration work) { world.pool(0).charge(world.now(), world.id(node), work); }

  World world{3};
};

TEST_F(Reading, LetsStrangersWaitForTheirPartWhileAContactIsBusy) {
  world.pool(0).occupy(world.now());
  EXPECT_TRUE(may_read(kStranger));
  charge(kStranger, seconds(1));
  charge(kContact, seconds(100));
  EXPECT_TRUE(may_read(kContact)) << "whatever it costs";
  EXPECT_FALSE(may_read(kStranger));
  EXPECT_EQ(world.pool(0).unread(), 1U);
  world.advance(milliseconds(100));
  EXPECT_TRUE(world.nodes[0]->resumed.empty());
  world.run_for(seconds(10));
  ASSERT_EQ(world.nodes[0]->resumed.size(), 1U);
  EXPECT_EQ(world.nodes[0]->resumed[0], conn_of(kStranger));
  EXPECT_TRUE(may_read(kStranger));
  EXPECT_EQ(world.pool(0).unread(), 0U);
}

TEST_F(Reading, LetsNobodyWaitWithoutSomebodyToWaitFor) {
  world.pool(0).set_guarded(false);
  world.pool(0).occupy(world.now());
  charge(kStranger, seconds(1000));
  EXPECT_TRUE(may_read(kStranger));
}

TEST_F(Reading, LetsAStrangerWaitNoMoreWhoHasBecomeAContact) {
  world.pool(0).occupy(world.now());
  charge(kStranger, seconds(1000));
  EXPECT_FALSE(may_read(kStranger));
  world.pool(0).guard([](const identity::PeerId&) { return true; });
  EXPECT_TRUE(may_read(kStranger));
  EXPECT_EQ(world.pool(0).unread(), 0U);
}

TEST_F(Reading, CountsHandshakesOfANetwork) {
  world.pool(0).occupy(world.now());
  test::RawPeer first(world, 0, "192.0.2.1", 101);
  EXPECT_TRUE(world.pool(0).may_read(world.now(), first.conn()));
  for (Byte i = 0; i < 100; ++i) {
    test::RawPeer more(world, 0, "192.0.2.2", static_cast<Byte>(102 + i));
    more.ping(false);
  }
  EXPECT_FALSE(world.pool(0).may_read(world.now(), first.conn()));
  test::RawPeer elsewhere(world, 0, "192.0.3.1", 99);
  EXPECT_TRUE(world.pool(0).may_read(world.now(), elsewhere.conn()));
}

/// What it sends stays unread here: it is not silent.
TEST_F(Reading, EndsNoLinkForSilenceThatWaits) {
  world.pool(0).occupy(world.now());
  charge(kStranger, hours(1));
  ASSERT_FALSE(may_read(kStranger));
  const ConnId conn = conn_of(kStranger);
  for (int i = 0; i < 50; ++i) {
    world.elapsed += seconds(10);
    world.pool(0).occupy(world.now());
    world.pool(0).on_deadline(world.now(), world.nodes[0]->out);
    world.handle(0);
  }
  EXPECT_EQ(conn_of(kStranger), conn) << "for minutes it was not read";
  world.elapsed += seconds(110);
  world.pool(0).on_deadline(world.now(), world.nodes[0]->out);
  world.handle(0);
  EXPECT_EQ(conn_of(kStranger), ConnId{}) << "a place is not kept for ever";
}

}  // namespace
}  // namespace ekiden::link
