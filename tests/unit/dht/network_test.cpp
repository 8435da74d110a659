// Networks of hundreds of nodes: what a user of the DHT may rely on.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "world.hpp"

namespace ekiden::dht {
namespace {

/// Nodes that have joined one after another and had time to get to know each other.
void grow(World& world, std::size_t nodes) {
  for (std::size_t i = 0; i < nodes; ++i) {
    world.add();
    world.run_for(milliseconds(200));
  }
  world.run_for(minutes(2));
}

/// The share of searches that give the right record, and what they cost.
struct Score {
  std::size_t found = 0;
  std::size_t searches = 0;
  std::size_t queries = 0;
  std::size_t rounds = 0;
};

Score search(World& world, const std::vector<std::size_t>& wanted, std::size_t searches) {
  Score score;
  for (; score.searches < searches; ++score.searches) {
    const identity::PeerId peer = world.node(wanted[world.rng().below(wanted.size())]).id();
    const LookupDone done = world.find(world.random_honest(), peer);
    score.queries += done.trail.asked;
    score.rounds = std::max(score.rounds, done.trail.rounds);
    if (!done.record) continue;
    EXPECT_EQ(done.record->record.id(), peer);
    ++score.found;
  }
  return score;
}

std::vector<std::size_t> publish_some(World& world, std::size_t step) {
  std::vector<std::size_t> published;
  for (std::size_t i = 0; i < world.size(); i += step) {
    if (world.node(i).is_liar() || !world.node(i).is_alive) continue;
    world.publish(i, 1);
    published.push_back(i);
    world.run_for(milliseconds(100));
  }
  world.run_for(minutes(1));
  return published;
}

TEST(Network, FindsWhatIsThereDespiteLoss) {
  World world(1, {.loss_per_mille = 10, .config = {}});
  grow(world, 300);
  const auto published = publish_some(world, 2);
  const Score score = search(world, published, 1000);
  EXPECT_GE(score.found * 1000, score.searches * 999);
  EXPECT_LE(world.largest_body(), kMaxBody);
  for (std::size_t i = 0; i < world.size(); ++i) {
    EXPECT_EQ(world.node(i).joined, 1U) << i;
    EXPECT_EQ(world.node(i).misbehaved_seen, 0U) << i;
  }
}

TEST(Network, PublishesAtTheNodesThatJoiningFound) {
  World world(9, {.loss_per_mille = 0, .config = {}});
  grow(world, 300);
  const std::size_t fresh = world.add();
  world.publish(fresh, 1);  // Before it has joined.
  world.run_for(seconds(5));
  const World::Node& node = world.node(fresh);
  ASSERT_EQ(node.published.size(), 1U);
  EXPECT_EQ(node.published[0].stored, Config{}.k);
  EXPECT_LE(node.sessions.size(), 2 * Config{}.k);  // One lookup for both.
  EXPECT_TRUE(world.find(7, node.id()).record);
}

/// Those who kept it may be gone, and others closest now.
TEST(Network, WhatIsPublishedIsStoredAgainEveryHour) {
  World world(11, {.loss_per_mille = 0, .config = {}});
  grow(world, 60);
  world.publish(7, 1);
  world.run_for(minutes(1));
  const auto& published = world.node(7).published;
  ASSERT_EQ(published.size(), 1U);
  world.run_for(minutes(30));
  EXPECT_EQ(published.size(), 1U) << "not without need";
  world.run_for(hours(3));
  EXPECT_GE(published.size(), 3U);
  EXPECT_LE(published.size(), 5U);
  EXPECT_EQ(published.back().stored, Config{}.k);
}

TEST(Network, FillsTheBucketsOfANewNodeWithoutAskingEverybody) {
  World world(10, {.loss_per_mille = 0, .config = {}});
  grow(world, 300);
  const std::size_t fresh = world.add();
  world.run_for(minutes(1));
  const World::Node& node = world.node(fresh);
  EXPECT_LE(node.sessions.size(), 80U);
  const std::vector<std::size_t> buckets = node.dht->status().buckets;
  ASSERT_GE(buckets.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_GE(buckets[i], Config{}.k / 4) << i;
}

TEST(Network, TellsWhatItDidInATrail) {
  World world(2, {.loss_per_mille = 0, .config = {}});
  grow(world, 60);
  world.publish(7, 1);
  world.run_for(minutes(1));
  ASSERT_FALSE(world.node(7).published.empty());
  EXPECT_EQ(world.node(7).published.back().stored, Config{}.k);
  const LookupDone done = world.find(30, world.node(7).id());
  ASSERT_TRUE(done.record);
  EXPECT_EQ(done.trail.steps.size(), done.trail.asked);
  EXPECT_EQ(done.trail.failed, 0U);
  EXPECT_GE(done.trail.answered, Config{}.quorum);
  EXPECT_TRUE(std::ranges::any_of(done.trail.steps, &Step::had_value));
  EXPECT_GT(done.trail.took, Duration{});
}

TEST(Network, SaysThatAPeerPublishedNothing) {
  World world(3, {.loss_per_mille = 10, .config = {}});
  grow(world, 60);
  const LookupDone done = world.find(3, world.node(9).id());
  ASSERT_FALSE(done.status);
  EXPECT_EQ(done.status.error().code, Errc::not_found);
  EXPECT_FALSE(done.record);
  EXPECT_GE(done.trail.answered, Config{}.k) << "all of the closest were asked before saying no";
}

TEST(Network, TheNewestRecordWinsOverWhatOthersStillKeep) {
  World world(4, {.loss_per_mille = 10, .config = {}});
  grow(world, 100);
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) {
    world.publish(11, sequence);
    world.run_for(minutes(1));
    const LookupDone done = world.find(world.random_honest(), world.node(11).id());
    ASSERT_TRUE(done.record);
    EXPECT_EQ(done.record->record.sequence, sequence);
  }
}

TEST(Network, LiarsMakeNobodyBelieveAForgedRecord) {
  World world(5, {.loss_per_mille = 10, .config = {}});
  grow(world, 240);
  world.run_for(minutes(30));
  const auto published = publish_some(world, 3);
  for (const std::size_t i : published) world.give_to_liars(world.node(i).id(), world.record_of(i));
  // New versions, which the liars do not have.
  for (const std::size_t i : published) {
    world.publish(i, 2);
    world.run_for(milliseconds(100));
  }
  for (int i = 0; i < 60; ++i) world.add_liar();
  world.run_for(minutes(10));
  std::size_t right = 0;
  std::size_t old = 0;
  constexpr std::size_t kSearches = 400;
  for (std::size_t i = 0; i < kSearches; ++i) {
    const auto& wanted = world.node(published[world.rng().below(published.size())]);
    const LookupDone done = world.find(world.random_honest(), wanted.id());
    if (!done.record) continue;
    EXPECT_EQ(done.record->record.id(), wanted.id());
    right += done.record->record.sequence == 2 ? 1 : 0;
    old += done.record->record.sequence < 2 ? 1 : 0;
  }
  EXPECT_EQ(old, 0U) << "an old record was believed";
  EXPECT_GE(right * 1000, kSearches * 990);
  std::size_t caught = 0;
  for (std::size_t i = 0; i < 240; ++i) caught += world.node(i).misbehaved_seen;
  EXPECT_GT(caught, 60U);
}

TEST(Network, RecoversWhenHalfOfTheNodesVanish) {
  World world(6, {.loss_per_mille = 10, .config = {}});
  grow(world, 300);
  publish_some(world, 2);
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < world.size(); ++i) {
    if (i % 4 < 2) {
      world.kill(i);
    } else if (i % 2 == 0) {
      wanted.push_back(i);
    }
  }
  world.run_for(hours(2));
  const Score score = search(world, wanted, 500);
  EXPECT_GE(score.found * 1000, score.searches * 999);
  // Dead nodes are neither in the way nor told: a search costs about what it did before.
  EXPECT_LE(score.queries, score.searches * 20);
}

TEST(Network, QueriesGrowWithTheLogarithmOfTheSize) {
  std::vector<std::size_t> per_search;
  for (const std::size_t nodes : {30U, 120U, 480U}) {
    World world(7, {.loss_per_mille = 0, .config = {}});
    grow(world, nodes);
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < 30; ++i) {
      world.publish(i, 1);
      wanted.push_back(i);
    }
    world.run_for(minutes(1));
    const Score score = search(world, wanted, 150);
    EXPECT_EQ(score.found, score.searches);
    EXPECT_LE(score.rounds, 8U);
    per_search.push_back(score.queries * 10 / score.searches);
  }
  // Four times as many nodes: a few queries more, and not a multiple.
  EXPECT_LE(per_search[1], per_search[0] + 60);
  EXPECT_LE(per_search[2], per_search[1] + 60);
  EXPECT_LE(per_search[2], 2 * per_search[0] + 60);
}

TEST(Network, FindsManyOwnersOfACapabilityAlsoByALeadingPart) {
  World world(8, {.loss_per_mille = 10, .config = {}});
  grow(world, 150);
  for (std::size_t i = 0; i < 40; ++i) world.announce(i, i % 2 == 0 ? "translate/ja-en" : "translate/fr-en", 1);
  world.run_for(minutes(1));
  const LookupDone exact = world.find(100, "translate/ja-en", 10);
  EXPECT_GE(exact.announcements.size(), 10U);
  for (const auto& one : exact.announcements) EXPECT_EQ(one.announcement.capability, "translate/ja-en");
  const LookupDone leading = world.find(101, "translate", 30);
  EXPECT_GE(leading.announcements.size(), 25U);
  const LookupDone nothing = world.find(102, "translate/en", 10);
  ASSERT_FALSE(nothing.status);
  EXPECT_EQ(nothing.status.error().code, Errc::not_found);
}

TEST(Network, AShortAnswerIsNotAlwaysOfTheSameOwners) {
  World world(18, {.loss_per_mille = 0, .config = {}});
  grow(world, 40);
  for (std::size_t i = 0; i < 5; ++i) world.announce(i, "scan", 1);
  world.run_for(minutes(1));
  std::set<identity::PeerId> found;
  for (int i = 0; i < 25; ++i) {
    const LookupDone one = world.find(30, "scan", 1);
    ASSERT_EQ(one.announcements.size(), 1U);
    found.insert(one.announcements[0].announcement.owner());
  }
  EXPECT_GE(found.size(), 4U);
}

/// Their holders answer, also among liars: nobody else can.
TEST(Network, WhatIsStoredIsFoundWhenItsOwnerIsGone) {
  constexpr std::size_t kOwners = 40;
  World world(19, {.loss_per_mille = 10, .config = {}});
  grow(world, 160);
  for (int i = 0; i < 30; ++i) world.add_liar();
  for (std::size_t i = 0; i < kOwners; ++i) {
    world.publish(i, 1);
    world.announce(i, "work/" + std::to_string(i), 1);
  }
  world.run_for(minutes(2));
  for (std::size_t i = 0; i < kOwners; ++i) world.kill(i);
  for (std::size_t i = 0; i < kOwners; ++i) {
    EXPECT_TRUE(world.find(kOwners + 3 * i, world.node(i).id()).record) << i;
    EXPECT_EQ(world.find(kOwners + 3 * i + 1, "work/" + std::to_string(i), 5).announcements.size(), 1U) << i;
  }
}

TEST(Network, WhatIsWithdrawnIsNotFoundAgain) {
  World world(9, {.loss_per_mille = 0, .config = {}});
  grow(world, 80);
  const Bytes before = world.publish(5, 1);
  world.announce(5, "mail", 1);
  world.run_for(minutes(1));
  ASSERT_TRUE(world.find(60, world.node(5).id()).record);
  world.withdraw(5, 2);
  world.unannounce(5, "mail", 2);
  world.run_for(minutes(1));
  EXPECT_FALSE(world.find(60, world.node(5).id()).record);
  EXPECT_TRUE(world.find(60, "mail", 5).announcements.empty());
  EXPECT_EQ(world.node(5).dht->status().own_values, 0U);
}

/// A lookup waits for some seconds for nodes that are silent: whoever ends does not.
TEST(Network, WhatIsWithdrawnBesideSilentNodesIsOverWithinASecond) {
  World world(12, {.loss_per_mille = 0, .config = {}});
  grow(world, 30);
  world.publish(5, 1);
  world.announce(5, "mail", 1);
  world.run_for(minutes(1));
  ASSERT_TRUE(world.find(20, world.node(5).id()).record);
  for (const std::size_t silent : {8U, 9U, 10U}) world.kill(silent);
  world.withdraw(5, 2);
  world.unannounce(5, "mail", 2);
  world.run_for(seconds(1));
  EXPECT_GT(world.node(5).dht->status().own_values, 0U);  // Something is still waited for.
  world.kill(5);
  EXPECT_FALSE(world.find(20, world.node(5).id()).record);
  EXPECT_TRUE(world.find(21, "mail", 5).announcements.empty());
}

TEST(Network, WhatIsPublishedWhileItIsWithdrawnHasNoMoreHoldersThanAnyValue) {
  World world(11, {.loss_per_mille = 0, .config = {}});
  grow(world, 30);
  world.publish(5, 1);
  world.run_for(minutes(1));
  grow(world, 150);  // Others are closest now, and both hear of the withdrawal.
  world.withdraw(5, 2);
  for (std::uint64_t sequence = 3; world.node(5).dht->status().own_values > 0 && sequence < 40; sequence += 2) {
    world.run_for(milliseconds(150));
    if (world.node(5).dht->status().own_values == 0) break;
    world.publish(5, sequence);
    world.node(5).dht->check_invariants();
    world.withdraw(5, sequence + 1);
    world.node(5).dht->check_invariants();
  }
}

TEST(Network, ARestartNeedsNoBootstrapNode) {
  World world(10, {.loss_per_mille = 10, .config = {}});
  grow(world, 80);
  publish_some(world, 4);
  world.run_for(minutes(20));
  world.restart(20);
  EXPECT_EQ(world.node(20).dht->status().nodes, 0U);
  EXPECT_GT(world.node(20).dht->status().values, 0U);
  world.run_for(minutes(1));
  EXPECT_GE(world.node(20).dht->status().nodes, 20U);
  EXPECT_TRUE(world.find(20, world.node(40).id()).record);
}

TEST(Network, ANewNodeNextToAValueIsGivenIt) {
  World world(11, {.loss_per_mille = 0, .config = {}});
  grow(world, 60);
  publish_some(world, 1);
  std::size_t given = 0;
  for (int i = 0; i < 10; ++i) {
    const std::size_t fresh = world.add();
    world.run_for(minutes(2));
    given += world.node(fresh).dht->status().values;
  }
  EXPECT_GT(given, 0U);
}

TEST(Network, OneHostIsEnoughForATestNetwork) {
  Config config;
  config.allow_special_addresses = true;
  config.max_prefix_in_bucket = config.max_prefix_in_table = config.max_lookup_prefix = config.max_stores_per_prefix =
      0;
  World world(12, {.loss_per_mille = 0, .config = config, .on_loopback = true});
  grow(world, 40);
  const auto published = publish_some(world, 2);
  const Score score = search(world, published, 200);
  EXPECT_EQ(score.found, score.searches);
}

TEST(Network, GoesTheSameWayTwice) {
  const auto run = [] {
    World world(13, {.loss_per_mille = 20, .config = {}});
    grow(world, 40);
    publish_some(world, 2);
    world.run_for(hours(1));
    return world.queries();
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace ekiden::dht
