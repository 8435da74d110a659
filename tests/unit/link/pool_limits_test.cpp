// What a pool admits before anybody has proven anything, and when it is full.
#include <gtest/gtest.h>

#include "link/pool.hpp"
#include "world.hpp"

namespace ekiden::link {
namespace {

using test::World;

struct Door {
  explicit Door(const Config& config = {}) : world(1, config) {}

  void knock(const std::string& address) {
    world.pool(0).on_accepted(world.now(), ConnId{world.accepted++}, *identity::IpAddress::parse(address), 1000,
                              world.nodes[0]->out);
    world.handle(0);
  }
  std::size_t open() { return world.pool(0).half_open(); }

  World world;
};

TEST(Doors, AdmitOnlySoManyHandshakesFromOneNetwork) {
  for (const auto& [inside, outside] :
       {std::pair{"192.0.2.", "192.0.3.1"}, {"2001:db8:0:100::", "2001:db8:0:200::1"}}) {
    Door door;
    for (int i = 1; i <= 20; ++i) door.knock(inside + std::to_string(i));
    EXPECT_EQ(door.open(), door.world.config.max_half_open_per_prefix);
    EXPECT_EQ(door.world.nodes[0]->notices.size(), 4U);
    EXPECT_EQ(door.world.nodes[0]->notices[0].what.code, Errc::limit_exceeded);
    door.knock(outside);
    EXPECT_EQ(door.open(), door.world.config.max_half_open_per_prefix + 1);
  }
}

TEST(Doors, AdmitOnlySoManyHandshakesInTotal) {
  Door door;
  for (int i = 0; i < 300; ++i) door.knock("10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".1");
  EXPECT_EQ(door.open(), door.world.config.max_half_open);
}

/// As many from each of 16 networks as one may have.
void fill(Door& door) {
  for (int network = 0; network < 16; ++network) {
    for (int i = 0; i < 16; ++i) door.knock("10.1." + std::to_string(network) + ".1");
  }
}

TEST(Doors, GiveANewcomerThePlaceOfANetworkThatHasMany) {
  Door door;
  fill(door);
  ASSERT_EQ(door.open(), door.world.config.max_half_open);
  ASSERT_TRUE(door.world.nodes[0]->notices.empty());
  for (int i = 1; i <= 5; ++i) door.knock("192.0.2.1");
  EXPECT_EQ(door.open(), door.world.config.max_half_open);
  const auto& notices = door.world.nodes[0]->notices;
  ASSERT_EQ(notices.size(), 5U);
  for (const auto& notice : notices) {
    EXPECT_TRUE(notice.remote.starts_with("10.1.")) << notice.remote << ": " << notice.what.message;
  }
  door.knock("10.1.9.1");
  EXPECT_EQ(door.open(), door.world.config.max_half_open);
  EXPECT_TRUE(door.world.nodes[0]->notices.back().what.message.contains("from 10.1.9.0/24"))
      << "a network that has its share gets no more: " << door.world.nodes[0]->notices.back().what.message;
}

TEST(Doors, GiveANewcomerThePlaceOfTheOldestOnceItHadItsTimeWhereNoNetworkHasMany) {
  Door door;
  for (int i = 0; i < 256; ++i) {
    door.knock("10.2." + std::to_string(i) + ".1");
    if (i == 0) door.world.advance(milliseconds(1));
  }
  door.knock("192.0.2.1");
  EXPECT_EQ(door.world.nodes[0]->notices.back().remote, "192.0.2.1:1000") << "all are as good as the newcomer";
  door.world.advance(seconds(2) - milliseconds(1));
  door.knock("192.0.2.1");
  EXPECT_EQ(door.open(), door.world.config.max_half_open);
  EXPECT_EQ(door.world.nodes[0]->notices.back().remote, "10.2.0.1:1000") << "the oldest";
}

TEST(Doors, GiveEachPlaceBackAtTheDeadline) {
  Door door;
  for (int i = 1; i <= 16; ++i) door.knock("192.0.2.1");
  door.world.advance(door.world.config.handshake_timeout - seconds(1));
  EXPECT_EQ(door.open(), 16U);
  door.world.advance(seconds(1));
  EXPECT_EQ(door.open(), 0U);
  door.knock("192.0.2.1");
  EXPECT_EQ(door.open(), 1U);
}

TEST(Doors, GiveAPlaceBackWhenAConnectionEndsOrSpeaksSomethingElse) {
  Door door;
  door.knock("192.0.2.1");
  door.knock("192.0.2.1");
  auto& node = *door.world.nodes[0];
  door.world.pool(0).on_bytes(door.world.now(), ConnId{kFirstAccepted}, as_bytes("GET / HTTP/1.1"), node.out);
  door.world.handle(0);
  EXPECT_EQ(door.open(), 1U);
  ASSERT_EQ(node.notices.size(), 1U);
  EXPECT_EQ(node.notices[0].remote, "192.0.2.1:1000");
  EXPECT_EQ(node.notices[0].what.message, "it does not speak Ekiden");
  door.world.pool(0).on_closed(door.world.now(), ConnId{kFirstAccepted + 1}, {Errc::closed, "reset"}, node.out);
  door.world.handle(0);
  EXPECT_EQ(door.open(), 0U);
}

TEST(Doors, DoNotFillTheLog) {
  Door door;
  for (int i = 0; i < 1000; ++i) door.knock("192.0.2.1");
  EXPECT_EQ(door.world.nodes[0]->notices.size(), door.world.config.max_notices_per_second);
  door.world.advance(seconds(1));
  door.knock("192.0.2.1");
  EXPECT_NE(door.world.nodes[0]->notices.back().what.message.find("968 more were not shown"), std::string::npos)
      << door.world.nodes[0]->notices.back().what.message;
}

}  // namespace
}  // namespace ekiden::link
