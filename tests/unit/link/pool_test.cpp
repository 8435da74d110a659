// Pools of several nodes over a network that the test moves by hand.
#include "link/pool.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "world.hpp"

namespace ekiden::link {
namespace {

using test::World;

const LinkStatus* carrier(const std::vector<LinkStatus>& links) {
  const auto found = std::ranges::find_if(links, [](const auto& link) { return link.carries_traffic; });
  return found == links.end() ? nullptr : &*found;
}

class EitherPattern : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Pool, EitherPattern, testing::Bool(),
                         [](const auto& which) { return which.param ? "IK" : "XX"; });

TEST_P(EitherPattern, TwoNodesLinkAndTalk) {
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

// Limits before authentication. ---------------------------------------------------------------------------------------

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

// Several links to one peer. ------------------------------------------------------------------------------------------

/// One open link on each side, the same, which both would use; messages flow both ways.
void expect_converged(World& world, bool messages) {
  const auto left = world.links(0);
  const auto right = world.links(1);
  RC_ASSERT(left.size() == 1U);
  RC_ASSERT(right.size() == 1U);
  const auto* mine = carrier(left);
  const auto* theirs = carrier(right);
  RC_ASSERT(mine != nullptr && theirs != nullptr);
  RC_ASSERT(mine->initiated_by_us != theirs->initiated_by_us);
  if (!messages) return;
  world.nodes[0]->messages.clear();
  world.nodes[1]->messages.clear();
  RC_ASSERT(world.send(0, 1, "there").has_value());
  RC_ASSERT(world.send(1, 0, "back").has_value());
  world.run();
  RC_ASSERT(world.nodes[0]->messages.size() == 1U);
  RC_ASSERT(world.nodes[1]->messages.size() == 1U);
}

RC_GTEST_PROP(SimultaneousDials, SettleOnOneLinkInEveryOrderAndLoseNothing, (bool knows_key)) {
  World world(2);
  std::array<std::multiset<Bytes>, 2> sent;
  std::array<std::size_t, 2> counter{};
  world.want(0, 1, knows_key);
  world.want(1, 0, knows_key);
  const auto choices = *rc::gen::container<std::vector<std::pair<std::uint8_t, std::uint8_t>>>(
      60, rc::gen::arbitrary<std::pair<std::uint8_t, std::uint8_t>>());
  for (const auto& [what, amount] : choices) {
    const std::size_t from = what % 2;
    if (amount % 4 == 0 && world.pool(from).is_up(world.id(1 - from))) {
      const auto message = "m" + std::to_string(counter[from]++) + std::string(amount, 'x');
      RC_ASSERT(world.send(from, 1 - from, message).has_value());
      sent[1 - from].insert(to_bytes(as_bytes(message)));
    }
    const auto actions = world.actions();
    if (actions.empty()) break;
    world.perform(actions[what % actions.size()], amount % 2 == 0 ? 40 : ~std::size_t{0});
  }
  world.run();
  for (std::size_t i = 0; i < 2; ++i) {
    std::multiset<Bytes> received;
    for (const auto& [from, message] : world.nodes[i]->messages) received.insert(message);
    RC_ASSERT(received == sent[i]);
    RC_ASSERT(world.nodes[i]->ups.size() == world.nodes[i]->downs.size() + 1);
  }
  expect_converged(world, true);
}

TEST(SimultaneousDials, ThatOpenInOppositeOrdersSettleOnOneLink) {
  World world(2);
  world.want(0, 1);
  world.want(1, 0);
  world.perform(world.actions()[0]);  // Both connections are made before any byte moves.
  world.perform(world.actions()[0]);
  world.run();
  EXPECT_EQ(world.links(0).size(), 1U);
  EXPECT_EQ(world.links(1).size(), 1U);
  EXPECT_TRUE(world.nodes[0]->downs.empty());
  EXPECT_TRUE(world.nodes[1]->downs.empty());
}

RC_GTEST_PROP(Restarts, AreNoticedAtOnceByTheSideThatIsDialled, (bool smaller_restarts)) {
  World world(2);
  const std::size_t smaller = world.id(0) < world.id(1) ? 0 : 1;
  const std::size_t restarted = smaller_restarts ? smaller : 1 - smaller;
  const std::size_t other = 1 - restarted;
  const bool first_by_restarted = *rc::gen::arbitrary<bool>();
  world.want(first_by_restarted ? restarted : other, first_by_restarted ? other : restarted);
  world.run();
  world.restart(restarted);
  world.want(restarted, other);
  world.run();
  RC_ASSERT(world.send(other, restarted, "after the restart").has_value());
  world.run();
  RC_ASSERT(world.nodes[restarted]->messages.size() == 1U);
  RC_ASSERT(world.nodes[other]->downs.empty());
  world.run_for(seconds(80));
  expect_converged(world, true);
}

TEST(Pools, NeverKeepMoreLinksToAPeerThanAllowed) {
  World world(2);
  world.want(0, 1);
  world.run();
  for (int i = 0; i < 6; ++i) {
    world.restart(0);
    world.want(0, 1);
    world.run();
    EXPECT_LE(world.links(1).size(), world.config.max_links_per_peer);
    ASSERT_TRUE(world.send(1, 0, "here"));
    world.run();
    EXPECT_EQ(world.nodes[0]->messages.size(), static_cast<std::size_t>(i + 1));
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
  world.pool(0).on_connected(world.now(), ConnId{1}, node.out);
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
