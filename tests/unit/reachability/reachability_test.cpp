// What is configured, mapped and remembered: asked about, verified, published, checked again and lost.
#include "reachability/reachability.hpp"

#include <gtest/gtest.h>

#include "support/golden.hpp"
#include "unit/reachability/world.hpp"

namespace ekiden::reachability {
namespace {

constexpr std::string_view kOurTcp = "tcp://9.9.9.9:7420";
constexpr std::string_view kOurUdp = "udp://9.9.9.9:7420";

std::vector<std::string> just_tcp() { return {std::string(kOurTcp)}; }

TEST(Reachability, WhatIsConfiguredIsPublishedOnceAPeerHasReachedIt) {
  World world({}, {std::string(kOurTcp), std::string(kOurUdp)});
  EXPECT_TRUE(world.engine->endpoints().empty());
  EXPECT_EQ(world.status_of(kOurTcp)->state, State::candidate);
  world.up(1);
  EXPECT_TRUE(world.publishes(kOurTcp));
  EXPECT_TRUE(world.publishes(kOurUdp));
  EXPECT_EQ(world.status_of(kOurTcp)->verified_at, world.now().wall);
  EXPECT_EQ(world.asked.size(), 2U) << "one question for each";
  EXPECT_EQ(world.notices.size(), 2U);
}

TEST(Reachability, WithoutAPeerItAsksForOneMoreAndMoreRarely) {
  World world({}, just_tcp());
  world.run(hours(24));
  EXPECT_GE(world.needed_peers, 50U);
  EXPECT_LE(world.needed_peers, 120U);
  world.up(1);
  EXPECT_TRUE(world.publishes(kOurTcp)) << "who comes is asked at once";
}

TEST(Reachability, WhatIsNotReachedIsNotPublishedAndSaysWhy) {
  World world({}, just_tcp());
  world.up(1, World::Answer::not_reached);
  world.run(hours(1));
  EXPECT_TRUE(world.engine->endpoints().empty());
  const auto status = world.status_of(kOurTcp);
  EXPECT_EQ(status->state, State::unreachable);
  EXPECT_EQ(status->last_error, "connection refused");
  EXPECT_EQ(status->refused_by, peer_id(1));
  EXPECT_GE(world.asked.size(), 5U);
  EXPECT_LE(world.asked.size(), 16U) << "it backs off";
  world.up(1, World::Answer::reached);
  world.run(minutes(31));
  EXPECT_TRUE(world.publishes(kOurTcp)) << "the router was mended";
  EXPECT_TRUE(world.status_of(kOurTcp)->last_error.empty());
}

TEST(Reachability, APeerThatRefusesOrIsSilentSaysNothing) {
  World world({}, just_tcp());
  world.up(1, World::Answer::refused);
  EXPECT_EQ(world.status_of(kOurTcp)->state, State::candidate);
  EXPECT_EQ(world.status_of(kOurTcp)->refused_by, peer_id(1));
  world.up(2, World::Answer::silent);
  world.run(seconds(20));
  EXPECT_EQ(world.open().size(), 1U);
  world.run(seconds(20));
  EXPECT_EQ(world.status_of(kOurTcp)->state, State::candidate);
  world.up(3);
  world.run(minutes(1));
  EXPECT_TRUE(world.publishes(kOurTcp));
}

TEST(Reachability, ALateAnswerAndAnAnswerOfSomebodyElseAreNotHeard) {
  World world({}, just_tcp());
  world.up(1, World::Answer::silent);
  ASSERT_EQ(world.open().size(), 1U);
  const QuestionId question = world.open()[0].id;
  EXPECT_FALSE(world.engine->on_answer(world.now(), question, peer_id(2), Verdict::reached, "", world.out));
  world.run(seconds(31));
  EXPECT_FALSE(world.engine->on_answer(world.now(), question, peer_id(1), Verdict::reached, "", world.out));
  EXPECT_FALSE(world.publishes(kOurTcp));
}

TEST(Reachability, ThePeerGoesBeforeItAnswered) {
  World world({}, just_tcp());
  world.up(1, World::Answer::silent);
  world.down(1);
  EXPECT_EQ(world.engine->asking(), 0U);
  world.up(2);
  world.run(seconds(2));
  EXPECT_TRUE(world.publishes(kOurTcp));
}

TEST(Reachability, WhatIsVerifiedIsCheckedEveryHalfHour) {
  World world({}, just_tcp());
  world.up(1);
  world.run(hours(24));
  EXPECT_TRUE(world.publishes(kOurTcp));
  EXPECT_GE(world.asked.size(), 48U);
  EXPECT_LE(world.asked.size(), 98U);
}

TEST(Reachability, ItIsLostAfterThreePeersInARow) {
  World world({}, just_tcp());
  world.up(1);
  ASSERT_TRUE(world.publishes(kOurTcp));
  world.up(1, World::Answer::not_reached);
  world.up(2, World::Answer::not_reached);
  world.run(hours(6));
  EXPECT_TRUE(world.publishes(kOurTcp)) << "two are not enough";
  world.up(3, World::Answer::not_reached);
  world.run(hours(1));
  EXPECT_FALSE(world.publishes(kOurTcp));
  EXPECT_EQ(world.status_of(kOurTcp)->state, State::unreachable);
  EXPECT_EQ(world.notices.back().kind, Notice::Kind::lost);
  EXPECT_TRUE(wire::decode<ReachabilityRow>(world.disk.rows()[0].value)->verified.empty());
}

TEST(Reachability, ASuccessBetweenFailuresKeepsIt) {
  World world({}, just_tcp());
  world.up(1);
  for (Byte liar = 2; liar < 4; ++liar) world.up(liar, World::Answer::not_reached);
  for (int round = 0; round < 50; ++round) {
    world.run(hours(1));
    EXPECT_TRUE(world.publishes(kOurTcp));
  }
}

TEST(Reachability, WithoutAnyCheckItIsLostInTheEnd) {
  World world({}, just_tcp());
  world.up(1);
  world.down(1);
  world.run(hours(23));
  EXPECT_TRUE(world.publishes(kOurTcp));
  world.run(hours(2));
  EXPECT_FALSE(world.publishes(kOurTcp));
  EXPECT_EQ(world.status_of(kOurTcp)->state, State::candidate);
}

TEST(Reachability, ARestartPublishesAtOnceAndChecksSoon) {
  World world({}, just_tcp());
  world.up(1);
  world.run(hours(2));
  world.peers.clear();
  world.boot(2);
  EXPECT_TRUE(world.publishes(kOurTcp));
  EXPECT_TRUE(world.notices.size() == 1) << "it is no news";
  world.asked.clear();
  world.up(4);
  world.run(minutes(2));
  EXPECT_EQ(world.asked.size(), 1U);
}

TEST(Reachability, ARestartDoesNotTrustWhatIsOldOrFromTheFuture) {
  for (const Duration later : {Duration(hours(25)), Duration(-hours(1))}) {
    World world({}, just_tcp());
    world.up(1);
    world.peers.clear();
    world.step_wall(later);
    world.boot(2);
    EXPECT_FALSE(world.publishes(kOurTcp));
    world.run(hours(1));
    EXPECT_FALSE(world.publishes(kOurTcp));
  }
}

TEST(Reachability, ARowThatDoesNotDecodeIsCorruption) {
  Reachability engine({}, test::make_rng(1));
  const auto loaded = engine.load(Bytes{0x01});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::storage_corrupt);
}

TEST(Reachability, ANameIsPublishedOnceAPeerHasReachedIt) {
  const std::string name = "wss://relay.example.org:443";
  World world({}, {name});
  world.sees(1, "8.8.4.4");  // Where it leads is not known here.
  world.up(1, World::Answer::refused);
  EXPECT_FALSE(world.publishes(name));
  EXPECT_EQ(world.status_of(name)->state, State::candidate);
  world.up(11);
  world.run(minutes(1));
  EXPECT_TRUE(world.publishes(name));
  EXPECT_EQ(world.status_of(name)->state, State::verified);
  world.peers.clear();
  world.boot(2);
  EXPECT_TRUE(world.publishes(name)) << "it is remembered";
}

TEST(Reachability, NobodyResolvesNamesForDatagrams) {
  World world({}, {"udp://relay.example.org:7420"});
  world.up(1);
  world.run(hours(1));
  EXPECT_TRUE(world.asked.empty());
  EXPECT_EQ(world.status_of("udp://relay.example.org:7420")->state, State::unreachable);
  EXPECT_FALSE(world.status_of("udp://relay.example.org:7420")->last_error.empty());
}

TEST(Reachability, AddressesThatStrangersDoNotDialAreNoCandidates) {
  const std::vector<std::string> special = {"tcp://127.0.0.1:7420", "tcp://192.168.1.2:7420", "udp://[fe80::1]:7420"};
  World world({}, special);
  world.up(1);
  world.run(hours(1));
  EXPECT_TRUE(world.asked.empty());
  for (const auto& text : special) {
    EXPECT_EQ(world.status_of(text)->state, State::unreachable);
    EXPECT_NE(world.status_of(text)->last_error.find("private_network"), std::string::npos);
  }
  Config at_home;
  at_home.private_network = true;
  World home(at_home, special);
  home.up(1);
  EXPECT_TRUE(home.publishes(special[0]));
  EXPECT_TRUE(home.publishes(special[1]));
}

TEST(Reachability, AMappedEndpointIsVerifiedAndGoesWithItsMapping) {
  World world;
  world.up(1);
  world.engine->on_mapped(world.now(), endpoint(kOurTcp), world.out);
  world.settle();
  EXPECT_TRUE(world.publishes(kOurTcp));
  EXPECT_EQ(world.status_of(kOurTcp)->source, Source::mapped);
  world.engine->on_mapping_lost(world.now(), endpoint(kOurTcp), world.out);
  world.settle();
  EXPECT_FALSE(world.publishes(kOurTcp));
  EXPECT_TRUE(world.engine->status().empty());
}

TEST(Reachability, AsksFirstWhomWeHaveSentNoDatagrams) {
  World world({}, {std::string(kOurUdp)});
  for (Byte number = 1; number < 9; ++number) world.sent_to.insert(address_of(number * 10));
  for (Byte number = 1; number < 9; ++number) {
    world.peers[static_cast<Byte>(number * 10)] = World::Answer::not_reached;
  }
  world.peers[200] = World::Answer::reached;
  world.boot(1);
  ASSERT_TRUE(world.asked.size() >= 1);
  world.run(minutes(2));
  EXPECT_TRUE(std::ranges::any_of(world.asked, [](const Question& q) { return q.peer == peer_id(200); }));
  EXPECT_TRUE(world.publishes(kOurUdp));
}

TEST(Reachability, QuestionsAreBoundedInEachMinute) {
  Config config;
  config.questions_per_minute = 5;
  World world(config, just_tcp());
  for (Byte number = 0; number < 100; ++number) world.up(number, World::Answer::refused);
  world.run(minutes(10));
  EXPECT_LE(world.asked.size(), 60U);
}

TEST(ReachabilityRow, HasItsGoldenBytes) {
  test::check_golden(ReachabilityRow{{{endpoint(kOurTcp), Source::configured, test::kWall},
                                      {endpoint("udp://[2606:4700::9]:7421"), Source::observed, test::kWall}}});
}

}  // namespace
}  // namespace ekiden::reachability
