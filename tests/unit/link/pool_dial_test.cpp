// Wanting peers: links come to be, are lost and dialled again, and say goodbye.
#include <gtest/gtest.h>

#include "link/pool.hpp"
#include "world.hpp"

namespace ekiden::link {
namespace {

using test::World;

class PoolPattern : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Pool, PoolPattern, testing::Bool(),
                         [](const auto& which) { return which.param ? "IK" : "XX"; });

TEST_P(PoolPattern, TwoNodesLinkAndTalk) {
  World world(2);
  world.want(0, 1, GetParam());
  world.run();
  ASSERT_EQ(world.nodes[0]->ups.size(), 1U);
  ASSERT_EQ(world.nodes[1]->ups.size(), 1U);
  EXPECT_TRUE(world.nodes[0]->ups[0].initiated_by_us);
  EXPECT_FALSE(world.nodes[1]->ups[0].initiated_by_us);
  EXPECT_EQ(world.nodes[1]->ups[0].record.record.id(), world.id(0));
  ASSERT_TRUE(world.send(0, 1, "to one"));
  ASSERT_TRUE(world.send(1, 0, "to zero"));
  world.run();
  ASSERT_EQ(world.nodes[1]->messages.size(), 1U);
  EXPECT_EQ(as_text(world.nodes[1]->messages[0].second), "to one");
  EXPECT_EQ(as_text(world.nodes[0]->messages[0].second), "to zero");
  EXPECT_EQ(world.pool(1).half_open(), 0U);
}

TEST(Pools, RefuseToSendWhereThereIsNoLink) {
  World world(2);
  EXPECT_EQ(world.send(0, 1, "x").error().code, Errc::unreachable);
  world.want(0, 1);
  world.run();
  EXPECT_EQ(world.send(0, 1, "").error().code, Errc::invalid_argument);
  EXPECT_EQ(world.send(0, 1, std::string(kMaxMessage + 1, 'x')).error().code, Errc::too_large);
  EXPECT_TRUE(world.send(0, 1, std::string(kMaxMessage, 'x')));
}

// Dialling. -----------------------------------------------------------------------------------------------------------

TEST(Pools, TryTheEndpointsInOrderAndThenBackOff) {
  World world(2);
  const auto nowhere = *identity::Endpoint::parse("tcp://10.9.9.9:1");
  const auto nowhere_else = *identity::Endpoint::parse("tcp://10.9.9.8:1");
  world.want(0, world.id(1), {nowhere, nowhere_else});
  world.run();
  auto& node = *world.nodes[0];
  EXPECT_EQ(node.dials, (std::vector{nowhere, nowhere_else}));
  ASSERT_EQ(node.failures.size(), 1U);
  EXPECT_EQ(node.failures[0].peer, world.id(1));
  EXPECT_EQ(node.failures[0].why.message, "tcp://10.9.9.8:1: connecting: connection refused");
  EXPECT_EQ(world.pool(0).deadline(), node.failures[0].next_attempt);
}

TEST(Pools, TheBackOffDoublesWithJitterUpToItsMaximum) {
  World world(1);
  const auto nowhere = *identity::Endpoint::parse("tcp://10.9.9.9:1");
  world.want(0, test::make_identity(9).id(), {nowhere});
  auto expected = world.config.redial_min;
  for (int i = 0; i < 15; ++i) {
    world.run();
    const auto wait = world.nodes[0]->failures.back().next_attempt - world.now().mono;
    EXPECT_GE(wait, expected / 2) << i;
    EXPECT_LE(wait, expected) << i;
    ASSERT_EQ(world.nodes[0]->failures.size(), static_cast<std::size_t>(i + 1));
    expected = std::min(2 * expected, world.config.redial_max);
    world.advance(wait);
  }
  EXPECT_EQ(expected, world.config.redial_max);
}

TEST(Pools, AnAwaitedPeerIsDialledOftenForAWhile) {
  World world(1);
  const auto nowhere = *identity::Endpoint::parse("tcp://10.9.9.9:1");
  const auto peer = test::make_identity(9).id();
  world.want(0, peer, {nowhere});
  world.pool(0).set_awaited(peer, true);
  const auto begin = world.now().mono;
  const auto next_wait = [&] {
    world.run();
    return world.nodes[0]->failures.back().next_attempt - world.now().mono;
  };
  Duration longest{};
  while (world.now().mono - begin < world.config.redial_soon_for) {
    const Duration wait = next_wait();
    longest = std::max(longest, wait);
    world.advance(wait);
  }
  EXPECT_LE(longest, world.config.redial_soon);
  EXPECT_GT(longest, world.config.redial_soon / 2);
  EXPECT_GT(next_wait(), world.config.redial_soon) << "it does not come back soon";
}

TEST(Pools, WhoIsNotAwaitedAnyMoreIsDialledAsOthersAre) {
  World world(1);
  const auto nowhere = *identity::Endpoint::parse("tcp://10.9.9.9:1");
  const auto peer = test::make_identity(9).id();
  world.want(0, peer, {nowhere});
  world.pool(0).set_awaited(peer, true);
  Duration wait{};
  for (int i = 0; i < 12; ++i) {
    if (i == 9) world.pool(0).set_awaited(peer, false);
    world.run();
    wait = world.nodes[0]->failures.back().next_attempt - world.now().mono;
    world.advance(wait);
  }
  EXPECT_GT(wait, world.config.redial_soon);
}

TEST(Pools, AConnectThatTakesTooLongIsGivenUp) {
  World world(2);
  world.want(0, 1);
  world.advance(world.config.connect_timeout);
  ASSERT_EQ(world.nodes[0]->failures.size(), 1U);
  EXPECT_EQ(world.nodes[0]->failures[0].why.code, Errc::timed_out);
  EXPECT_NE(world.nodes[0]->failures[0].why.message.find("tcp://10.0.1.1:4000: connecting"), std::string::npos);
  EXPECT_TRUE(world.actions().empty());
}

TEST(Pools, AskingAgainForTheSameChangesNothing) {
  World world(1);
  const auto nowhere = *identity::Endpoint::parse("tcp://10.9.9.9:1");
  const auto peer = test::make_identity(9).id();
  world.want(0, peer, {nowhere});
  world.run();
  const auto dials = world.nodes[0]->dials.size();
  world.want(0, peer, {nowhere});
  EXPECT_EQ(world.nodes[0]->dials.size(), dials);
  world.want(0, peer, {*identity::Endpoint::parse("tcp://10.9.9.8:1")});
  EXPECT_EQ(world.nodes[0]->dials.size(), dials + 1);
}

TEST(Pools, RetryNowDialsWhatIsBackingOff) {
  World world(1);
  const auto peer = test::make_identity(9).id();
  world.want(0, peer, {*identity::Endpoint::parse("tcp://10.9.9.9:1")});
  world.run();
  world.pool(0).retry_now(world.now(), peer, world.nodes[0]->out);
  world.handle(0);
  EXPECT_EQ(world.nodes[0]->dials.size(), 2U);
}

TEST(Pools, ALostLinkIsDialledAgainIfItIsWanted) {
  World world(2);
  world.want(0, 1);
  world.run();
  world.restart(1);
  world.run_for(minutes(3));
  EXPECT_EQ(world.nodes[0]->downs.size(), 1U);
  EXPECT_EQ(world.nodes[0]->downs[0].why.code, Errc::timed_out);
  EXPECT_EQ(world.nodes[0]->ups.size(), 2U);
  EXPECT_TRUE(world.pool(0).is_up(world.id(1)));
}

TEST(Pools, AfterUnwantNothingIsDialled) {
  World world(2);
  world.want(0, 1);
  world.run();
  world.pool(0).unwant(world.now(), world.id(1));
  world.run_for(minutes(10));
  EXPECT_FALSE(world.pool(0).is_up(world.id(1)));
  EXPECT_EQ(world.nodes[0]->dials.size(), 1U);
  EXPECT_FALSE(world.pool(0).deadline().has_value());
  EXPECT_FALSE(world.pool(1).deadline().has_value());
}

TEST(Pools, ALinkWhoseUseIsOverEndsSoon) {
  World world(2);
  world.want(0, 1);
  world.run();
  world.pool(0).unwant(world.now(), world.id(1), /*is_over=*/true);
  world.run_for(world.config.brief_idle_timeout + seconds(1), seconds(1));
  EXPECT_FALSE(world.pool(0).is_up(world.id(1)));
  EXPECT_EQ(world.nodes[1]->downs.size(), 1U);
}

TEST(Pools, ALinkThatTheOtherSideWantsStays) {
  World world(2);
  world.want(0, 1);
  world.run();
  world.want(1, 0);
  world.run();
  world.pool(0).unwant(world.now(), world.id(1), /*is_over=*/true);
  world.run_for(world.config.brief_idle_timeout + seconds(1), seconds(1));
  EXPECT_TRUE(world.pool(0).is_up(world.id(1)));
  EXPECT_EQ(world.nodes[0]->dials.size() + world.nodes[1]->dials.size(), 1U);
}

TEST(Pools, ALinkThatComesWhenNobodyWantsItAnyMoreEndsSoon) {
  World world(2);
  world.want(0, 1);
  world.pool(0).unwant(world.now(), world.id(1));
  world.run();
  ASSERT_EQ(world.nodes[1]->ups.size(), 1U);
  world.run_for(world.config.brief_idle_timeout + seconds(1), seconds(1));
  EXPECT_FALSE(world.pool(0).is_up(world.id(1)));
}

TEST(Pools, TheWrongNodeAtAnAddressIsNamed) {
  World world(3);
  world.want(0, world.id(1), {World::endpoint(2)});
  world.run();
  ASSERT_EQ(world.nodes[0]->failures.size(), 1U);
  const auto& why = world.nodes[0]->failures[0].why.message;
  EXPECT_EQ(why, "tcp://10.0.2.1:4000: the node there is " + world.id(2).text() + ", not " + world.id(1).text() +
                     ": correct the address or the id");
  EXPECT_TRUE(world.nodes[2]->ups.empty());
}

TEST(Pools, DiallingOneselfIsRefused) {
  World world(2);
  world.want(0, world.id(0), {World::endpoint(0)});
  ASSERT_EQ(world.nodes[0]->failures.size(), 1U);
  EXPECT_EQ(world.nodes[0]->failures[0].why.code, Errc::invalid_argument);
  world.want(0, world.id(1), {World::endpoint(0)});
  world.run();
  ASSERT_EQ(world.nodes[0]->failures.size(), 2U);
  EXPECT_NE(world.nodes[0]->failures[1].why.message.find("this node itself"), std::string::npos);
}

TEST(Pools, AWrongClockIsNamedWhereItMatters) {
  World world(2);
  world.pool(0).set_own_record(test::make_record(world.nodes[0]->identity, test::kWall + days(900)));
  world.want(0, 1);
  world.run();
  EXPECT_TRUE(world.nodes[1]->ups.empty());
  ASSERT_EQ(world.nodes[1]->notices.size(), 1U);
  EXPECT_NE(world.nodes[1]->notices[0].what.message.find("clock"), std::string::npos);
  ASSERT_EQ(world.nodes[0]->failures.size(), 1U);
  EXPECT_NE(world.nodes[0]->failures[0].why.message.find("clock"), std::string::npos);
}

TEST(Pools, TooManyWantedPeersAreRefused) {
  Config config;
  config.max_wanted = 1;
  World world(3, config);
  world.want(0, 1);
  world.want(0, 2);
  ASSERT_EQ(world.nodes[0]->failures.size(), 1U);
  EXPECT_EQ(world.nodes[0]->failures[0].why.code, Errc::limit_exceeded);
  world.pool(0).unwant(world.now(), world.id(1));
  world.want(0, 2);
  EXPECT_EQ(world.nodes[0]->failures.size(), 1U);
}

TEST(Pools, ANewRecordIsShownInLaterHandshakes) {
  World world(2);
  world.want(0, 1);
  world.run();
  world.pool(1).set_own_record(test::make_record(world.nodes[1]->identity, test::kWall, 8));
  world.pool(1).cut(world.now(), world.id(0), {Errc::refused, "test"}, world.nodes[1]->out);
  world.handle(1);
  world.run_for(seconds(10));
  ASSERT_EQ(world.nodes[0]->ups.size(), 2U);
  EXPECT_EQ(world.nodes[0]->ups[1].record.record.sequence, 8U);
}

TEST(Pools, ACutPeerIsLeftAloneForAWhile) {
  World world(2);
  world.want(0, 1);
  world.run();
  ASSERT_TRUE(world.send(1, 0, "ignored"));
  world.pool(0).cut(world.now(), world.id(1), {Errc::malformed, "too many malformed messages"}, world.nodes[0]->out);
  world.handle(0);
  EXPECT_FALSE(world.pool(0).is_up(world.id(1)));
  world.run();
  EXPECT_TRUE(world.nodes[0]->messages.empty());
  ASSERT_EQ(world.nodes[0]->downs.size(), 1U);
  EXPECT_EQ(world.nodes[0]->downs[0].why.message, "too many malformed messages");
  EXPECT_NE(world.nodes[1]->downs[0].why.message.find("misbehave"), std::string::npos);
  world.run_for(world.config.redial_max - seconds(1));
  EXPECT_EQ(world.nodes[0]->dials.size(), 1U);
  world.run_for(seconds(2));
  EXPECT_EQ(world.nodes[0]->dials.size(), 2U);
}

TEST(Pools, APeerCutWhileItIsDialledIsDialledAgainIfItIsStillWanted) {
  for (const bool wanted : {true, false}) {
    World world(2);
    world.want(0, 1);
    if (!wanted) world.pool(0).unwant(world.now(), world.id(1));
    world.pool(0).cut(world.now(), world.id(1), {Errc::malformed, "nonsense"}, world.nodes[0]->out);
    world.handle(0);
    EXPECT_EQ(world.nodes[0]->failures.size(), wanted ? 1U : 0U);
    world.run_for(world.config.redial_max - seconds(1));
    EXPECT_EQ(world.nodes[0]->dials.size(), 1U);
    world.run_for(seconds(2));
    EXPECT_EQ(world.pool(0).is_up(world.id(1)), wanted);
  }
}

// The end. ------------------------------------------------------------------------------------------------------------

TEST(Pools, ShutDownSaysGoodbyeAndSendsWhatIsQueued) {
  World world(3);
  world.want(0, 1);
  world.run();
  world.want(0, 2);  // Still connecting.
  ASSERT_TRUE(world.send(0, 1, "last words"));
  world.pool(0).shut_down(world.now(), world.nodes[0]->out);
  world.handle(0);
  world.run();
  ASSERT_EQ(world.nodes[1]->messages.size(), 1U);
  ASSERT_EQ(world.nodes[1]->downs.size(), 1U);
  EXPECT_EQ(world.nodes[1]->downs[0].why.code, Errc::closed);
  EXPECT_EQ(world.nodes[1]->downs[0].why.message, "the other side closed the link: it is stopping");
  EXPECT_EQ(world.nodes[0]->downs.size(), 1U);
  EXPECT_FALSE(world.pool(0).deadline().has_value());
  world.want(2, 0);
  world.run();
  EXPECT_TRUE(world.nodes[2]->ups.empty());
  EXPECT_EQ(world.nodes[0]->dials.size(), 2U);
}

TEST(Pools, IgnoreWhatComesFromConnectionsTheyHungUp) {
  World world(2);
  world.want(0, 1);
  world.advance(world.config.connect_timeout);
  auto& node = *world.nodes[0];
  world.pool(0).on_connected(world.now(), ConnId{1}, std::nullopt, node.out);
  world.pool(0).on_bytes(world.now(), ConnId{1}, as_bytes("x"), node.out);
  world.pool(0).on_connect_failed(world.now(), ConnId{1}, {Errc::closed, "late"}, node.out);
  world.pool(0).on_closed(world.now(), ConnId{1}, {Errc::closed, "late"}, node.out);
  world.pool(0).mark_sent(world.now(), ConnId{1}, 5, node.out);
  EXPECT_TRUE(world.pool(0).to_send(world.now(), ConnId{1}).empty());
  EXPECT_TRUE(node.out.empty());
  world.handle(0);
}

}  // namespace
}  // namespace ekiden::link
