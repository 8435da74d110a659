// Endpoints that are tried once, beside whatever links and dials there are.
#include <gtest/gtest.h>

#include "world.hpp"

namespace ekiden::link {
namespace {

using test::World;

ConnId probe(World& world, std::size_t from, const identity::PeerId& whom, const identity::Endpoint& at,
             const std::optional<crypto::Ed25519PublicKey>& key = std::nullopt) {
  const ConnId conn = world.pool(from).probe(world.now(), whom, at, key, world.nodes[from]->out);
  world.handle(from);
  world.run();
  return conn;
}

const Result<ProbeAnswer>& answer(World& world, std::size_t node, ConnId conn) {
  const auto& probed = world.nodes[node]->probed;
  CHECK(!probed.empty() && probed.back().conn == conn);
  return probed.back().result;
}

TEST(Probes, APeerThatProvesItsKeyIsToldAndUp) {
  World world(2);
  const auto conn = probe(world, 0, world.id(1), World::endpoint(1));
  ASSERT_TRUE(answer(world, 0, conn)) << answer(world, 0, conn).error().message;
  EXPECT_EQ(answer(world, 0, conn)->record.record.id(), world.id(1));
  EXPECT_GE(answer(world, 0, conn)->version, kVersionMin);
  EXPECT_TRUE(world.pool(0).is_up(world.id(1)));
  EXPECT_TRUE(world.pool(0).round_trip(world.id(1)));
  EXPECT_EQ(world.nodes[0]->ups.size(), 1U);
}

TEST(Probes, KnowingTheKeyIsOneRoundTripLess) {
  World world(2);
  const auto key = answer(world, 0, probe(world, 0, world.id(1), World::endpoint(1)))->record.record.public_key;
  EXPECT_TRUE(answer(world, 0, probe(world, 0, world.id(1), World::endpoint(1), key)));
}

TEST(Probes, AFailureIsToldOnceAndNotTriedAgain) {
  World world(2);
  const auto nowhere = *identity::Endpoint::parse("tcp://10.9.9.9:1");
  const auto conn = probe(world, 0, world.id(1), nowhere);
  ASSERT_FALSE(answer(world, 0, conn));
  EXPECT_EQ(answer(world, 0, conn).error().message, "tcp://10.9.9.9:1: connecting: connection refused");
  world.run_for(hours(1), minutes(1));
  EXPECT_EQ(world.nodes[0]->dials.size(), 1U);
  EXPECT_TRUE(world.nodes[0]->failures.empty());
}

TEST(Probes, SomebodyElseAtTheAddressIsAFailure) {
  World world(3);
  const auto conn = probe(world, 0, world.id(1), World::endpoint(2));
  ASSERT_FALSE(answer(world, 0, conn));
  EXPECT_FALSE(world.pool(0).is_up(world.id(1)));
  EXPECT_FALSE(world.pool(0).is_up(world.id(2)));
}

TEST(Probes, DialAlsoWhereThereIsALinkAndItStaysUp) {
  World world(2);
  world.want(0, 1);
  world.run();
  const auto conn = probe(world, 0, world.id(1), World::endpoint(1));
  ASSERT_TRUE(answer(world, 0, conn));
  EXPECT_EQ(world.nodes[0]->dials.size(), 2U);
  EXPECT_TRUE(world.nodes[0]->downs.empty());
  EXPECT_TRUE(world.nodes[1]->downs.empty());
  ASSERT_TRUE(world.send(0, 1, "still here"));
  world.run();
  ASSERT_EQ(world.nodes[1]->messages.size(), 1U);
}

TEST(Probes, ALinkThatNobodyWantsIdlesOut) {
  World world(2);
  probe(world, 0, world.id(1), World::endpoint(1));
  world.run_for(world.config.brief_idle_timeout + seconds(1), seconds(1));
  EXPECT_FALSE(world.pool(0).is_up(world.id(1)));
}

TEST(Probes, ALinkThatIsWantedAfterwardsIdlesOutAsOthersDo) {
  World world(2);
  probe(world, 0, world.id(1), World::endpoint(1));
  world.want(0, 1);
  world.pool(0).unwant(world.now(), world.id(1));
  world.run_for(world.config.brief_idle_timeout + seconds(1), seconds(1));
  EXPECT_TRUE(world.pool(0).is_up(world.id(1)));
  world.run_for(world.config.idle_timeout, seconds(1));
  EXPECT_FALSE(world.pool(0).is_up(world.id(1)));
}

TEST(Probes, EndWithThePool) {
  World world(2);
  const ConnId conn =
      world.pool(0).probe(world.now(), world.id(1), World::endpoint(1), std::nullopt, world.nodes[0]->out);
  world.pool(0).shut_down(world.now(), world.nodes[0]->out);
  world.handle(0);
  world.run();
  ASSERT_FALSE(answer(world, 0, conn));
  EXPECT_EQ(answer(world, 0, conn).error().code, Errc::closed);
}

}  // namespace
}  // namespace ekiden::link
