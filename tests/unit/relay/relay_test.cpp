#include "relay/relay.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/relay/world.hpp"

namespace ekiden::relay {
namespace {

using test::World;

std::vector<identity::PeerId> nodes_on(const path::Hops& path) {
  std::vector<identity::PeerId> nodes;
  for (const path::Hop& hop : path) nodes.push_back(identity::PeerId::of(hop.by));
  return nodes;
}

TEST(Relay, AMessageGoesAlongALineAndItsReceiptComesBack) {
  World world(5);
  world.line();
  world.want(0, 4);
  EXPECT_FALSE(world.send(0, 4, 1));
  world.advance(seconds(2));
  ASSERT_TRUE(world[0].routed.contains(world.id(4)));
  EXPECT_TRUE(world[0].met.contains(world.id(4)) && world[4].met.contains(world.id(0)));

  ASSERT_TRUE(world.send(0, 4, 1));
  ASSERT_EQ(world[4].arrived.size(), 1U);
  const Arrived& arrived = world[4].arrived.front();
  EXPECT_EQ(arrived.from, world.id(0));
  EXPECT_EQ(arrived.id, World::uuid(1));
  EXPECT_EQ(to_bytes(arrived.payload), Bytes(100, 1));
  EXPECT_EQ(nodes_on(arrived.path), (std::vector{world.id(0), world.id(1), world.id(2), world.id(3)}));
  EXPECT_EQ(world.held(), 0U);
  ASSERT_EQ(world[0].handed_on.size(), 1U);
  EXPECT_EQ(world[0].handed_on.front().by, world.id(1));

  ASSERT_TRUE(world.send(4, 0, 2, false, 200, PacketKind::receipt));
  ASSERT_EQ(world[0].arrived.size(), 1U);
  EXPECT_EQ(world[0].arrived.front().kind, PacketKind::receipt);
}

TEST(Relay, WhatIsNotDurableWaitsForNoDisk) {
  World world(3);
  world.line();
  world.want(0, 2);
  world.advance(seconds(2));
  world[1].syncs = false;
  ASSERT_TRUE(world.send(0, 2, 1, false));
  ASSERT_EQ(world[2].arrived.size(), 1U);
  EXPECT_TRUE(world[2].arrived.front().path.empty());
  EXPECT_EQ(world.relay(1).status().passed, 2U);  // with the reply that told the route
}

TEST(Relay, NothingIsAcknowledgedBeforeItIsOnDisk) {
  World world(3);
  world.line();
  world.want(0, 2);
  world.advance(seconds(2));
  world[1].syncs = false;
  world.carries = [](std::size_t from, auto, wire::MessageType type) {
    return !(from == 2 && type == wire::MessageType::taken);
  };
  ASSERT_TRUE(world.send(0, 2, 1));
  EXPECT_EQ(world[2].arrived.size(), 1U);  // It goes on while the disk works.
  EXPECT_TRUE(world[0].handed_on.empty());
  world[1].syncs = true;
  world.sync(1);
  world.run();
  EXPECT_EQ(world[0].handed_on.size(), 1U);
}

TEST(Relay, OnAnotherDiskIsOnDisk) {
  World world(3);
  world.line();
  world.want(0, 2);
  world.advance(seconds(2));
  world[1].syncs = false;
  ASSERT_TRUE(world.send(0, 2, 1));
  EXPECT_EQ(world[2].arrived.size(), 1U);
  EXPECT_EQ(world[0].handed_on.size(), 1U);
  EXPECT_EQ(world.relay(1).status().packets, 0U);
  world[1].syncs = true;
  world.sync(1);
  world.run();
  EXPECT_EQ(world[0].handed_on.size(), 1U);
  EXPECT_EQ(world.held(), 0U);
}

TEST(Relay, WhatARelayHasTakenSurvivesItsCrashAndTheOriginsEnd) {
  World world(4);
  world.line();
  world.want(0, 3);
  world.advance(seconds(2));
  world.unlink(1, 2);
  world.link(1, 2);
  world.carries = [](std::size_t from, std::size_t to, wire::MessageType type) {
    return !(from == 1 && to == 2 && type == wire::MessageType::packet);
  };
  ASSERT_TRUE(world.send(0, 3, 1));
  ASSERT_EQ(world[0].handed_on.size(), 1U);
  world.unlink(0, 1);
  world.restart(1);
  world.unlink(0, 1);
  EXPECT_TRUE(world[3].arrived.empty());
  world.carries = [](auto, auto, auto) { return true; };
  world.advance(minutes(1));
  ASSERT_EQ(world[3].arrived.size(), 1U);
  EXPECT_EQ(nodes_on(world[3].arrived.front().path), (std::vector{world.id(0), world.id(1), world.id(2)}));
  EXPECT_EQ(world.held(), 0U);
}

TEST(Relay, ABrokenWayIsLeftAtOnce) {
  World world(5);  // 0 - 1 - 2 - 4 and 1 - 3 - 4
  world.link(0, 1);
  world.link(1, 2);
  world.link(1, 3);
  world.link(2, 4);
  world.link(3, 4);
  world.want(0, 4);
  world.advance(seconds(2));
  ASSERT_TRUE(world[0].routed.contains(world.id(4)));
  world.unlink(3, 4);
  ASSERT_TRUE(world.send(0, 4, 1));
  EXPECT_EQ(world.relay(3).status().refused, 1U);
  world.advance(seconds(5));
  ASSERT_EQ(world[4].arrived.size(), 1U);
  EXPECT_EQ(nodes_on(world[4].arrived.front().path), (std::vector{world.id(0), world.id(1), world.id(2)}));
  EXPECT_EQ(world.held(), 0U);
}

TEST(Relay, ABlackHoleIsScoredDownAndTheOtherWayTaken) {
  World world(4);  // 0 - 1 - 3 and 0 - 2 - 3
  world.link(0, 1);
  world.link(0, 2);
  world.link(1, 3);
  world.link(2, 3);
  world.want(0, 3);
  world.advance(seconds(2));
  ASSERT_TRUE(world.send(0, 3, 1));
  ASSERT_EQ(world[3].arrived.size(), 1U);
  const std::size_t hole = world[3].arrived.front().path.back().by == world[1].self.public_key() ? 1 : 2;
  world.carries = [hole](std::size_t from, std::size_t, wire::MessageType type) {
    return !(from == hole && type == wire::MessageType::packet);
  };
  world.relay(0).on_settled(world.now, world.id(3), World::uuid(1), true);
  std::size_t lost = 0;
  for (Byte number = 2; number < 30; ++number) {
    const std::size_t before = world[3].arrived.size();
    ASSERT_TRUE(world.send(0, 3, number));
    if (world[3].arrived.size() == before) {
      ++lost;
      world.advance(seconds(2));
      ASSERT_TRUE(world.send(0, 3, number));
      EXPECT_EQ(world[3].arrived.size(), before + 1) << int{number};
    }
    world.relay(0).on_settled(world.now, world.id(3), World::uuid(number), true);
  }
  EXPECT_LE(lost, 3U);
}

/// 0 and 3 are linked to 1 and 2, and have both for relays.
void make_diamond(World& world) {
  for (const std::size_t relay : {1U, 2U}) {
    world.link(0, relay);
    world.link(relay, 3);
  }
  world.want(0, 3);
  world.advance(seconds(2));
}

TEST(Relay, AReceiptGoesBackTheWayThatItsMessageCame) {
  for (const std::size_t broken : {1U, 2U}) {
    World world(4);
    make_diamond(world);
    std::optional<std::size_t> given_to;
    world.carries = [&](std::size_t from, std::size_t to, wire::MessageType type) {
      if (from == 3 && type == wire::MessageType::packet) given_to = to;
      return type != wire::MessageType::packet || from != 0 || to != broken;
    };
    for (int i = 0; i < 2 && world[3].arrived.empty(); ++i) {
      ASSERT_TRUE(world.send(0, 3, 1));
      world.advance(seconds(1));
    }
    ASSERT_EQ(world[3].arrived.size(), 1U);
    ASSERT_TRUE(world.send(3, 0, 2, false, 200, PacketKind::receipt));
    EXPECT_EQ(given_to, 3 - broken);
  }
}

TEST(Relay, AWayThatSwallowsReceiptsIsLeft) {
  for (const std::size_t liar : {1U, 2U}) {
    World world(4);
    make_diamond(world);
    // All messages come by the liar, which hands on nothing that goes the other way.
    world.carries = [&](std::size_t from, std::size_t to, wire::MessageType type) {
      if (type != wire::MessageType::packet) return true;
      return from == 0 ? to == liar : from != 3 || to != liar;
    };
    for (int i = 0; i < 8 && world[0].arrived.empty(); ++i) {
      static_cast<void>(world.send(0, 3, 1));
      world.advance(seconds(2));
      if (!world[3].arrived.empty()) static_cast<void>(world.send(3, 0, 2, false, 200, PacketKind::receipt));
    }
    EXPECT_FALSE(world[0].arrived.empty());
  }
}

TEST(Relay, ARelayThatRepeatsAMessageCostsNoWayItsScore) {
  World world(4);
  make_diamond(world);
  std::shared_ptr<const Bytes> heard;
  ASSERT_TRUE(world.send(0, 3, 1));
  ASSERT_FALSE(world[3].buffers.empty());
  for (const auto& buffer : world[3].buffers) {
    if (buffer->front() == static_cast<Byte>(wire::MessageType::packet)) heard = buffer;
  }
  const identity::PeerId by = identity::PeerId::of(world[3].arrived.front().path.back().by);
  const std::size_t relay = by == world.id(1) ? 1 : 2;
  std::optional<std::size_t> given_to;
  world.carries = [&](std::size_t from, std::size_t to, wire::MessageType) {
    if (from == 3) given_to = to;
    return true;
  };
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(world.send(3, 0, static_cast<Byte>(10 + i), false, 200, PacketKind::receipt));
    EXPECT_EQ(given_to, relay);
    world.advance(seconds(2));
    ASSERT_TRUE(world.inject(relay, 3, wire::MessageType::packet, to_bytes(ByteView(*heard).subspan(1))));
  }
}

TEST(Relay, ARelayWithoutAWaySaysSoAndTheMessageComesBack) {
  World world(3);
  world.line();
  world.want(0, 2);
  world.advance(seconds(2));
  world.unlink(1, 2);
  ASSERT_TRUE(world.send(0, 2, 1));
  ASSERT_EQ(world[0].returned.size(), 1U);
  EXPECT_FALSE(world[0].routed.contains(world.id(2)));
  EXPECT_EQ(world.held(), 0U);
  world.link(1, 2);
  world.advance(minutes(1));
  EXPECT_TRUE(world[0].routed.contains(world.id(2)));
}

TEST(Relay, ARelayThatIsSwitchedOffHandsOnNothing) {
  World world(3);
  world.line();
  world.want(0, 2);
  world.advance(seconds(2));
  world.relay(1).set_forwarding(false);
  ASSERT_TRUE(world.send(0, 2, 1));
  EXPECT_EQ(world[0].returned.size(), 1U);
  EXPECT_TRUE(world[2].arrived.empty());
}

TEST(Relay, TheRelaysThatARecordNamesAreDialledAndAskedFirst) {
  World world(4);
  world[3].relays = {world.id(2)};
  world.link(0, 1);
  world.link(2, 3);
  world.want(0, 3);
  world.advance(seconds(2));
  EXPECT_EQ(world[0].wanted, std::set{world.id(2)});
  world.link(0, 2);
  world.advance(milliseconds(1));
  ASSERT_TRUE(world[0].routed.contains(world.id(3)));
  ASSERT_TRUE(world.send(0, 3, 1));
  EXPECT_EQ(world[3].arrived.size(), 1U);
  world.relay(0).unwant_route(world.id(3), world[0].out);
  world.run();
  EXPECT_TRUE(world[0].wanted.empty());
}

TEST(Relay, WhereARequestFindsNobodyNodesThatAnsweredAreDialled) {
  World world(4);
  world.link(0, 1);
  world.link(2, 3);
  world[1].near = {world.id(0), world.id(2)};
  world.want(0, 3);
  world.advance(seconds(2));
  EXPECT_EQ(world[1].wanted, std::set{world.id(2)});
  world.link(1, 2);
  world.advance(seconds(20));
  EXPECT_TRUE(world[0].routed.contains(world.id(3)));
  world.advance(kScoutFor);
  EXPECT_TRUE(world[1].wanted.empty());
}

TEST(Relay, ARequestForSomebodyAwayEndsAtItsRelay) {
  World world(4);
  world[3].relays = {world.id(1)};
  world.link(0, 1);
  world.link(1, 2);
  world.want(0, 3);
  const std::size_t before = world.packets;
  world.advance(milliseconds(1500));
  EXPECT_EQ(world.packets - before, 1U);
  EXPECT_FALSE(world[0].routed.contains(world.id(3)));
}

TEST(Relay, ARequestEndsAfterTheLongestWay) {
  World world(path::kMaxHops + 2);
  world.line();
  world.want(0, path::kMaxHops);
  world.want(0, path::kMaxHops + 1);
  world.advance(seconds(2));
  EXPECT_TRUE(world[0].routed.contains(world.id(path::kMaxHops)));
  EXPECT_FALSE(world[0].routed.contains(world.id(path::kMaxHops + 1)));
  ASSERT_TRUE(world.send(0, path::kMaxHops, 1, true, 33'200));
  EXPECT_EQ(world[path::kMaxHops].arrived.size(), 1U);
}

TEST(Relay, ANeighbourUsesNoMoreThanItsShareAndStrangersNoMoreThanTheirs) {
  World world(3, {.max_packets = 8, .max_packets_per_neighbour = 6});
  world.line();
  world.want(0, 2);
  world.advance(seconds(2));
  world.carries = [](std::size_t from, std::size_t, wire::MessageType type) {
    return !(from == 1 && type == wire::MessageType::packet);
  };
  for (Byte number = 1; number <= 8; ++number) world.send(0, 2, number);
  EXPECT_EQ(world.relay(1).status().packets, 4U);
  world[1].contacts.insert(world.id(0));
  for (Byte number = 11; number <= 18; ++number) world.send(0, 2, number);
  EXPECT_EQ(world.relay(1).status().packets, 6U);
  EXPECT_EQ(world[0].handed_on.size(), 6U);
}

TEST(Relay, APacketIsDroppedWhenItsTimeIsOver) {
  World world(3);
  world.line();
  world.want(0, 2);
  world.advance(seconds(2));
  world.carries = [](std::size_t from, std::size_t, wire::MessageType type) {
    return !(from == 1 && type == wire::MessageType::packet);
  };
  ASSERT_TRUE(world.send(0, 2, 1));
  world.advance(hours(23));
  EXPECT_EQ(world.relay(1).status().packets, 1U);
  world.advance(hours(2));
  EXPECT_EQ(world.relay(1).status().packets, 0U);
  EXPECT_EQ(world.relay(1).status().expired, 1U);
  EXPECT_EQ(world.held(), 0U);
}

TEST(Relay, WhatTheRecipientCannotTakeNowStaysWithTheRelay) {
  World world(3);
  world.line();
  world.want(0, 2);
  world.advance(seconds(2));
  world[2].settles = false;
  ASSERT_TRUE(world.send(0, 2, 1));
  world.relay(2).settled(world.id(0), World::uuid(1), false);
  world.run();
  EXPECT_EQ(world.held(), 1U);
  world[2].settles = true;
  world.advance(minutes(1));
  EXPECT_EQ(world.held(), 0U);
  EXPECT_EQ(world[2].arrived.size(), 2U);
}

}  // namespace
}  // namespace ekiden::relay
