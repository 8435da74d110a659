// How discovery goes: who is probed when, asked for what, offered, given up.
#include <gtest/gtest.h>

#include <numeric>

#include "unit/bootstrap/world.hpp"

namespace ekiden::bootstrap {
namespace {

TEST(Discovery, ProbesSeedsAndOffersWhatAnswers) {
  World world;
  world.host(1);
  world.host(2).up = false;
  world.seeds({1, 2});
  EXPECT_EQ(world.probes.size(), 2U);
  EXPECT_TRUE(world.last_probe(1)->want_list);
  EXPECT_EQ(world.last_probe(1)->learned_from, identity::LearnedFrom::configuration);
  EXPECT_EQ(world.last_probe(1)->public_key, identity_of(1).public_key());
  EXPECT_TRUE(world.candidates.empty());
  world.run(seconds(2));
  ASSERT_EQ(world.candidates.size(), 1U);
  const Candidate& candidate = world.candidates[0];
  EXPECT_EQ(candidate.node, id_of(1));
  EXPECT_TRUE(candidate.reached);
  EXPECT_GT(candidate.score, 0U);
  EXPECT_EQ(candidate.address->text(), "11.0.1.1:7420");
  EXPECT_EQ(world.status_of(2)->last_error, "connection refused");
  EXPECT_EQ(world.status_of(2)->failures, 1U);
}

TEST(Discovery, SeedsBeforeTheStartWait) {
  World world;
  world.restart(1, /*start=*/false);
  world.host(1);
  world.seeds({1});
  EXPECT_TRUE(world.probes.empty());
  EXPECT_FALSE(world.engine->deadline().has_value());
  world.run_start();
  EXPECT_EQ(world.probes.size(), 1U);
}

TEST(Discovery, GoesThreeStepsFromTheConfigurationAndNoFarther) {
  World world;
  for (Byte i = 1; i <= 6; ++i) world.host(i).list = list_bytes(i, {static_cast<Byte>(i + 1)});
  world.seeds({1});
  world.run(minutes(1));
  EXPECT_EQ(world.up(), (std::set{id_of(1), id_of(2), id_of(3), id_of(4)}));
  EXPECT_EQ(world.status_of(4)->depth, 3U);
  EXPECT_FALSE(world.last_probe(4)->want_list);
  EXPECT_EQ(world.status_of(2)->signer, id_of(1));
  EXPECT_EQ(world.last_probe(2)->learned_from, identity::LearnedFrom::remote_record);
}

TEST(Discovery, CutsCyclesAndItself) {
  World world;
  world.host(1).list = list_bytes(1, {2, 1, kSelf});
  world.host(2).list = list_bytes(2, {3, 1});
  world.host(3).list = list_bytes(3, {1, 2});
  world.seeds({1, kSelf});
  world.run(minutes(1));
  EXPECT_EQ(world.engine->size(), 3U);
  EXPECT_EQ(world.probes.size(), 3U);
  EXPECT_NE(world.texts().find("1 new, 2 of itself or of this node"), std::string::npos) << world.texts();
  EXPECT_NE(world.texts().find("0 new, 2 known already"), std::string::npos) << world.texts();
}

TEST(Discovery, FindsAShorterWayAndWhatLiesBehindIt) {
  // 1 - 2 - 3 - 4, and 9 knows 4 but is dead at first. 4 knows 5, which is too far until 9 is there.
  World world;
  for (Byte i = 1; i <= 5; ++i) world.host(i).list = list_bytes(i, {static_cast<Byte>(i + 1)});
  world.host(9).up = false;
  world.host(9).list = list_bytes(9, {4});
  world.seeds({1, 9});
  world.run(seconds(10));
  EXPECT_FALSE(world.up().contains(id_of(5)));
  world.host(9).up = true;
  world.run(minutes(2));
  EXPECT_EQ(world.status_of(4)->depth, 1U);
  EXPECT_TRUE(world.up().contains(id_of(5)));
  EXPECT_TRUE(world.status_of(6).has_value());  // Named at a distance of three; there is no such host.
}

TEST(Discovery, ProbesAFewAtATimeTheNearestFirst) {
  Config config;
  config.max_parallel = 3;
  World world(config);
  std::vector<Byte> seeds;
  for (Byte i = 1; i <= 20; ++i) {
    world.host(i).list = list_bytes(i, {static_cast<Byte>(i + 100)});
    world.host(static_cast<Byte>(i + 100));
    seeds.push_back(i);
  }
  world.seeds(seeds);
  world.run(minutes(1));
  EXPECT_EQ(world.most_in_flight(), 3U);
  EXPECT_EQ(world.up().size(), 40U);
  for (std::size_t i = 0; i < 20; ++i)
    EXPECT_TRUE(world.probes[i].learned_from == identity::LearnedFrom::configuration);
}

/// Of hosts 1 to `count`, all up.
World paced_world(Byte count, std::size_t enough, Byte seed = 1) {
  World world({}, seed, enough);
  for (Byte i = 1; i <= count; ++i) world.host(i);
  return world;
}

std::vector<Byte> numbers(Byte count) {
  std::vector<Byte> all(count);
  std::iota(all.begin(), all.end(), Byte{1});
  return all;
}

TEST(Discovery, ProbesOnlyEnoughAtOnceAndTheOthersInTheirTime) {
  std::set<std::set<identity::PeerId>> choices;
  for (Byte seed = 1; seed <= 10; ++seed) {
    World world = paced_world(20, 4, seed);
    world.seeds(numbers(20));
    world.run(seconds(2));
    EXPECT_EQ(world.probes.size(), 4U);
    EXPECT_EQ(world.up().size(), 4U);
    choices.insert(world.up());
    world.run(Config().survey_interval);
    EXPECT_EQ(world.up().size(), 20U);
    EXPECT_LE(world.most_in_flight(), 4U);
  }
  EXPECT_GT(choices.size(), 5U);  // Not the same ones for everybody.
}

TEST(Discovery, ProbesMoreWhileThoseThatWereProbedDoNotAnswer) {
  World world = paced_world(20, 2);
  for (Byte i = 1; i <= 17; ++i) world.host(i).up = false;
  world.seeds(numbers(20));
  world.run(seconds(5));
  EXPECT_GE(world.up().size(), 2U);
}

TEST(Discovery, DoesNotWaitForOneThatTakesItsTime) {
  World world = paced_world(20, 2);
  world.silent = true;
  world.seeds(numbers(20));
  EXPECT_EQ(world.probes.size(), 2U);
  world.run(Config().patience);
  EXPECT_EQ(world.probes.size(), 4U);
  world.run(seconds(10));
  EXPECT_EQ(world.engine->probing(), Config().max_parallel);
}

TEST(Discovery, ProbesEverybodyWhenAskedTo) {
  World world = paced_world(20, 2);
  world.seeds(numbers(20));
  world.run(seconds(2));
  EXPECT_EQ(world.up().size(), 2U);
  world.engine->survey_now(world.now(), world.out);
  world.settle();
  world.run(seconds(2));
  EXPECT_EQ(world.up().size(), 20U);
}

TEST(Discovery, ProbesNobodyTwiceForOneWhoAsksAgain) {
  World world = paced_world(20, 2);
  for (Byte i = 1; i <= 20; ++i) world.host(i).up = false;
  world.seeds(numbers(20));
  for (int i = 0; i < 10; ++i) {
    world.engine->survey_now(world.now(), world.out);
    world.settle();
    world.run(seconds(1));
  }
  for (Byte i = 1; i <= 20; ++i) EXPECT_EQ(world.status_of(i)->failures, 1U) << int{i};
}

TEST(Discovery, NamingThemTwiceIsNoReasonToProbeAllAtOnce) {
  World world = paced_world(20, 4);
  world.seeds(numbers(20), "one list");
  world.seeds(numbers(20), "another list");
  world.run(seconds(2));
  EXPECT_EQ(world.probes.size(), 4U);
  world.run(Config().survey_interval);
  world.engine->flush(world.out);
  world.settle();
  world.probes.clear();
  world.restart(2, /*start=*/false);
  world.seeds(numbers(20));
  world.run_start();
  world.run(seconds(2));
  EXPECT_EQ(world.probes.size(), 4U);
}

TEST(Discovery, AProbeThatIsNeverAnsweredIsAFailure) {
  World world;
  world.host(1);
  world.silent = true;
  world.seeds({1});
  const ProbeId lost = world.probes[0].probe;
  world.run(seconds(31));
  EXPECT_EQ(world.status_of(1)->failures, 1U);
  EXPECT_EQ(world.status_of(1)->last_error, "no answer in time");
  // An answer that comes now is nobody's.
  world.engine->on_reached(world.now(), lost, {.public_key = identity_of(1).public_key()}, world.out);
  world.engine->on_unreachable(world.now(), lost, {Errc::unreachable, "x"}, world.out);
  EXPECT_TRUE(world.out.empty());
  EXPECT_EQ(world.status_of(1)->failures, 1U);
}

TEST(Discovery, BacksOffAndNeverGivesUpWhatIsConfigured) {
  World world;
  world.host(1).up = false;
  world.host(2);
  world.seeds({1, 2});
  world.run(days(30));
  const auto failures = world.status_of(1)->failures;
  // 30 s, 60 s … to an hour, each with a jitter of half: from once to twice an hour.
  EXPECT_GT(failures, 30U * 24);
  EXPECT_LT(failures, 30U * 24 * 2 + 20);
  EXPECT_TRUE(world.status_of(2)->up);
  EXPECT_EQ(world.count(Notice::Kind::node_dead), 0U);
}

TEST(Discovery, GivesUpListedNodesThatAreDeadAndDoesNotHearOfThemAgain) {
  World world;
  world.host(1).list = list_bytes(1, {2, 3});
  world.host(2);
  world.seeds({1});
  world.run(hours(2));
  EXPECT_FALSE(world.status_of(3).has_value());
  EXPECT_EQ(world.probes_of(3), 5U);
  EXPECT_EQ(world.count(Notice::Kind::node_dead), 1U);
  // The list is asked for again, and names it again.
  world.run(hours(20));
  EXPECT_EQ(world.probes_of(3), 5U);
  EXPECT_NE(world.texts().find("1 found dead before"), std::string::npos) << world.texts();
  world.run(hours(20));
  EXPECT_EQ(world.probes_of(3), 10U);
}

TEST(Discovery, SaysThatAListIsDead) {
  World world;
  world.host(1).list = list_bytes(1, {2, 3, 4});
  world.seeds({1});
  world.run(hours(2));
  EXPECT_EQ(world.engine->size(), 1U);
  EXPECT_EQ(world.count(Notice::Kind::node_dead), 2U);
  ASSERT_EQ(world.count(Notice::Kind::list_dead), 1U);
  EXPECT_EQ(std::ranges::find(world.notices, Notice::Kind::list_dead, &Notice::kind)->node, id_of(1));
}

TEST(Discovery, FailuresCountOnlyWhileOthersAreReachable) {
  World world;
  world.host(1).list = list_bytes(1, {2});
  world.host(2);
  world.seeds({1});
  world.run(minutes(1));
  EXPECT_EQ(world.up().size(), 2U);
  world.network = false;
  world.run(days(60));
  EXPECT_TRUE(world.up().empty());
  EXPECT_FALSE(world.engine->is_online(world.now().mono));
  ASSERT_TRUE(world.status_of(2).has_value());  // Neither forgotten …
  world.network = true;
  EXPECT_TRUE(world.engine->retry_now(world.now(), world.out));
  world.settle();
  world.run(seconds(1));
  EXPECT_EQ(world.up().size(), 2U);  // … nor hard to come back to.
  EXPECT_FALSE(world.engine->retry_now(world.now(), world.out));
}

TEST(Discovery, ForgetsReachedNodesOnlyAfterTwoWeeks) {
  World world;
  world.host(1).list = list_bytes(1, {2});
  world.host(2);
  world.seeds({1});
  world.run(hours(2));
  world.host(2).up = false;
  world.host(1).list.reset();
  world.run(days(13));
  EXPECT_TRUE(world.status_of(2).has_value());
  world.run(days(2));
  EXPECT_FALSE(world.status_of(2).has_value());
  EXPECT_EQ(world.disk.rows().size(), 1U);
}

TEST(Discovery, AsksAgainForListsButNotAtEveryProbe) {
  World world;
  world.host(1).list = list_bytes(1, {});
  world.seeds({1});
  world.run(hours(48));
  const auto asked = std::ranges::count(world.probes, true, &Probe::want_list);
  EXPECT_GE(asked, 13) << "eight on the way to six hours";
  EXPECT_LE(asked, 18);
  EXPECT_GE(world.probes.size(), 38U);
  EXPECT_LE(world.probes.size(), 72U);
}

TEST(Discovery, AsksSoonAgainWhoKnewNobodyYet) {
  World world;
  world.host(1).list = list_bytes(1, {});
  world.host(2);
  world.seeds({1});
  world.run(minutes(1));
  EXPECT_EQ(world.engine->size(), 1U);
  world.host(1).list = list_bytes(1, {2});
  world.run(minutes(3));
  EXPECT_EQ(world.engine->size(), 2U);
}

TEST(Discovery, ALiarWhoNamesANodeFirstDoesNotHideIt) {
  World world;
  world.host(1).list = signed_by(1, list_of(1, {entry_of(3, {"tcp://11.9.9.9:1"})}));
  world.host(2).list = list_bytes(2, {3});
  world.host(2).round_trip = seconds(5);
  world.host(3);
  world.seeds({1, 2});
  world.run(minutes(2));
  EXPECT_TRUE(world.up().contains(id_of(3)));
  EXPECT_EQ(world.endpoints_of(3).front(), address_of(3));
}

TEST(Discovery, ALiarWhoHasANodeBuriedDoesNotBuryItElsewhere) {
  World world;
  world.host(1).list = signed_by(1, list_of(1, {entry_of(3, {"tcp://11.9.9.9:1"})}));
  world.host(2).up = false;
  world.host(2).list = list_bytes(2, {3});
  world.host(3);
  world.seeds({1, 2});
  world.run(hours(2));
  EXPECT_FALSE(world.status_of(3).has_value());
  world.host(2).up = true;
  world.run(hours(2));
  EXPECT_TRUE(world.up().contains(id_of(3)));
}

TEST(Discovery, WhatANodeSaysOfItselfReplacesWhatOthersSaid) {
  World world;
  world.host(1).list = signed_by(1, list_of(1, {entry_of(2, {address_of(2), "tcp://old.example.org:1"})}));
  for (const char* text : {"udp://11.0.2.1:7421", "tcp://192.168.0.9:1", "wss://new.example.org:443"}) {
    world.host(2).own_endpoints.push_back(endpoint(text));
  }
  world.seeds({1});
  world.run(seconds(5));
  EXPECT_EQ(world.endpoints_of(2),
            (std::vector<std::string>{address_of(2), "udp://11.0.2.1:7421", "wss://new.example.org:443"}));
  // What the owner wrote stays.
  world.host(5).own_endpoints.push_back(endpoint("tcp://11.0.99.1:1"));
  world.seeds({5});
  world.run(seconds(5));
  EXPECT_EQ(world.endpoints_of(5), (std::vector<std::string>{address_of(5)}));
}

TEST(Discovery, ANodeThatMovedIsFoundThroughOthers) {
  World world;
  world.host(1).list = list_bytes(1, {2});
  world.host(2);
  world.seeds({1});
  world.run(minutes(1));
  world.host(2).up = false;
  world.host(1).list = signed_by(1, list_of(1, {entry_of(2, {"tcp://11.7.7.7:7"})}));
  world.run(hours(3));
  world.host(2, "tcp://11.7.7.7:7").up = true;
  world.run(hours(9));
  EXPECT_TRUE(world.up().contains(id_of(2)));
}

TEST(Discovery, AnotherIdentityAtTheAddressIsNoAnswer) {
  World world;
  world.host(3, address_of(1));
  world.seeds({1});
  world.run(seconds(5));
  EXPECT_TRUE(world.candidates.empty());
  EXPECT_EQ(world.count(Notice::Kind::node_refused), 1U);
  EXPECT_EQ(world.engine->size(), 1U);
}

TEST(Discovery, TriesAllEndpointsOfANodeAFewAtATime) {
  World world;
  std::vector<std::string> endpoints;
  for (int i = 1; i <= 6; ++i) endpoints.push_back("tcp://11.8.0." + std::to_string(i) + ":1");
  world.host(1, endpoints[5]);
  world.engine->add_seeds(world.now(), "flag", {seed_for(1, endpoints)}, world.out);
  world.settle();
  EXPECT_EQ(world.probes[0].endpoints.size(), 4U);
  world.run(minutes(2));
  EXPECT_TRUE(world.status_of(1)->up);
  EXPECT_EQ(world.endpoints_of(1).front(), endpoints[5]);
}

TEST(Discovery, ASeedWithoutItsKeyLearnsIt) {
  World world;
  world.host(1);
  Seed seed = seed_for(1, {"udp://11.0.1.1:7420", address_of(1)});
  seed.public_key.reset();
  world.engine->add_seeds(world.now(), "flag", {seed}, world.out);
  world.settle();
  // A datagram needs the key: only TCP is tried.
  EXPECT_EQ(world.probes[0].endpoints, (std::vector{endpoint(address_of(1))}));
  world.run(seconds(1));
  EXPECT_EQ(world.candidates[0].public_key, identity_of(1).public_key());
}

TEST(Discovery, AConfiguredListCountsWhenItsSignerIsTrusted) {
  Config config;
  config.trusted_signers = {id_of(50)};
  World world(config);
  world.host(1);
  world.engine->add_list(world.now(), "bootstrap_nodes.json", list_bytes(50, {1}), world.out);
  world.engine->add_list(world.now(), "bootstrap_nodes.json", list_bytes(51, {2}), world.out);
  world.engine->add_list(world.now(), "bootstrap_nodes.json", Bytes{1, 2, 3}, world.out);
  world.engine->add_list(world.now() /* of this time */, "bootstrap_nodes.json",
                         signed_by(50, list_of(50, {entry_of(3)}, test::kWall - days(60))), world.out);
  world.settle();
  world.run(seconds(1));
  EXPECT_EQ(world.engine->size(), 1U);
  EXPECT_EQ(world.status_of(1)->source, "bootstrap_nodes.json");
  EXPECT_EQ(world.status_of(1)->signer, id_of(50));
  EXPECT_EQ(world.count(Notice::Kind::source_refused), 3U);
  EXPECT_NE(world.texts().find("not one of the trusted signers"), std::string::npos);
  EXPECT_NE(world.texts().find("expired 30 days ago"), std::string::npos) << world.texts();
}

TEST(Discovery, NamingAKnownNodeMakesItConfigured) {
  World world;
  world.host(1).list = list_bytes(1, {2});
  world.host(2, "tcp://127.0.0.1:7420");
  world.seeds({1});
  world.run(minutes(1));
  EXPECT_FALSE(world.status_of(2)->up);
  // The owner may name what a list may not.
  world.engine->add_seeds(world.now(), "flag", {seed_for(2, {"tcp://127.0.0.1:7420"})}, world.out);
  world.settle();
  world.run(seconds(1));
  EXPECT_TRUE(world.status_of(2)->up);
  EXPECT_EQ(world.status_of(2)->depth, 0U);
  EXPECT_EQ(world.status_of(2)->source, "flag");
  EXPECT_EQ(world.endpoints_of(2), (std::vector<std::string>{"tcp://127.0.0.1:7420"}));
}

TEST(Discovery, VouchesForWhatItReachesAndStrangersCanDial) {
  World world;
  world.host(1);
  world.host(2, "tcp://127.0.0.1:7420");
  world.host(3).up = false;
  world.seeds({1, 3});
  world.engine->add_seeds(world.now(), "flag", {seed_for(2, {"tcp://127.0.0.1:7420"})}, world.out);
  world.settle();
  world.run(seconds(3));
  EXPECT_EQ(world.up().size(), 2U);
  const auto listing = world.engine->listing(64);
  EXPECT_EQ(listing, (std::vector{entry_of(1)}));
  EXPECT_TRUE(sign_list(identity_of(kSelf), list_of(kSelf, listing)).has_value());
  EXPECT_TRUE(world.engine->listing(0).empty());
}

}  // namespace
}  // namespace ekiden::bootstrap
