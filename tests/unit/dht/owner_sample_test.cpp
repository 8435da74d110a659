#include "dht/owner_sample.hpp"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "dht/values.hpp"
#include "testing.hpp"

namespace ekiden::dht {
namespace {

struct Announcer {
  std::size_t owner = 0;
  std::size_t prefix = 0;
};

std::vector<Announcer> one_of_each_prefix(std::size_t count) {
  std::vector<Announcer> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back({.owner = i, .prefix = i});
  return all;
}

/// What a node keeps under one key, with a secret of its own.
class Keeper {
 public:
  explicit Keeper(std::uint64_t seed) : rng_(seed_of(seed)) {}

  Values::Put announce(const Announcer& who, Now now = at({})) {
    const ValueFacts facts{
        .owner = fake_node(who.owner).id(), .sequence = ++sequence_, .expires = now.wall + hours(12), .is_over = false};
    owners_[facts.owner] = who.owner;
    const Values::Storer by{.id = facts.owner, .prefix = identity::prefix_of(test_address(who.prefix).ip)};
    const auto result = values_.put(now, ValueKind::announcement, key_, facts, Bytes{1}, by);
    values_.check_invariants();
    return result;
  }
  void announce(const std::vector<Announcer>& all, Now now = at({})) {
    for (const Announcer& who : all) announce(who, now);
  }

  std::set<std::size_t> kept(Now now = at({})) const {
    std::set<std::size_t> found;
    values_.for_each([&](const Values::Name& name, const Values::Value& value) {
      if (value.expires > now.wall) found.insert(owners_.at(name.owner));
    });
    return found;
  }
  std::map<identity::AddressPrefix, std::size_t> shares() const {
    std::map<identity::AddressPrefix, std::size_t> counts;
    values_.for_each([&](const Values::Name&, const Values::Value& value) { ++counts[value.from]; });
    return counts;
  }
  std::size_t size() const { return values_.size(); }

 private:
  Config config_;
  Rng rng_;
  Key key_ = capability_key("translate");
  Values values_{fake_node(5000).id(), config_, rng_};
  std::map<identity::PeerId, std::size_t> owners_;
  std::uint64_t sequence_ = 0;
};

constexpr std::size_t kPlaces = Config{}.max_owners_per_key;

TEST(OwnerSample, EachOfTooManyOwnersHasTheSameChanceWhoeverCameFirst) {
  constexpr std::size_t kOwners = 200;
  constexpr std::size_t kNodes = 100;
  const auto all = one_of_each_prefix(kOwners);
  std::vector<std::size_t> times(kOwners, 0);
  for (std::size_t node = 0; node < kNodes; ++node) {
    Keeper keeper(node);
    for (int round = 0; round < 3; ++round) keeper.announce(all);
    EXPECT_EQ(keeper.size(), kPlaces);
    for (const std::size_t owner : keeper.kept()) ++times[owner];
  }
  // 32 of 100 on average, with a standard deviation of 4.7: five of them on each side.
  for (std::size_t owner = 0; owner < kOwners; ++owner) {
    EXPECT_GE(times[owner], 9U) << owner;
    EXPECT_LE(times[owner], 55U) << owner;
  }
  // 2,048 on average, with a standard deviation of 31.
  const auto of_the_first = std::accumulate(times.begin(), times.begin() + kPlaces, std::size_t{0});
  EXPECT_GE(of_the_first, 1893U);
  EXPECT_LE(of_the_first, 2203U);
}

TEST(OwnerSample, TwentyHoldersTogetherKnowAllOwners) {
  const auto all = one_of_each_prefix(200);
  std::set<std::size_t> found;
  for (std::uint64_t node = 0; node < 20; ++node) {
    Keeper keeper(node);
    keeper.announce(all);
    found.merge(keeper.kept());
  }
  EXPECT_EQ(found.size(), 200U);
}

TEST(OwnerSample, TheOrderOfArrivalChangesNothing) {
  std::vector<Announcer> all;
  for (std::size_t i = 0; i < 300; ++i) all.push_back({.owner = i, .prefix = i % 2 == 0 ? i % 50 : i % 7});
  Keeper in_order(1);
  in_order.announce(all);
  const auto expected = in_order.kept();
  EXPECT_EQ(expected.size(), kPlaces);
  Rng order(seed_of(99));
  for (int i = 0; i < 10; ++i) {
    order.shuffle(all);
    Keeper keeper(1);
    keeper.announce(all);
    EXPECT_EQ(keeper.kept(), expected);
  }
  Keeper other(2);
  other.announce(all);
  EXPECT_NE(other.kept(), expected) << "each node has a secret of its own";
}

TEST(OwnerSample, PlacesGoRoundThePrefixes) {
  Keeper keeper(1);
  for (std::size_t i = 0; i < 500; ++i) keeper.announce({.owner = i, .prefix = 1});
  EXPECT_EQ(keeper.size(), kPlaces) << "who is alone has all places";
  for (std::size_t i = 0; i < 30; ++i) keeper.announce({.owner = 500 + i, .prefix = 2});
  for (std::size_t i = 0; i < 3; ++i) keeper.announce({.owner = 600 + i, .prefix = 3});
  std::multiset<std::size_t> shares;
  for (const auto& [prefix, count] : keeper.shares()) shares.insert(count);
  EXPECT_EQ(shares, (std::multiset<std::size_t>{3, 30, 31}));
}

TEST(OwnerSample, AThousandIdentitiesOfOnePrefixDisplaceNobodyOfAnother) {
  Keeper keeper(1);
  const auto honest = one_of_each_prefix(kPlaces - 1);
  keeper.announce(honest);
  for (std::size_t i = 0; i < 1000; ++i) {
    keeper.announce({.owner = 10'000 + i, .prefix = 999});
    EXPECT_EQ(keeper.size(), kPlaces);
  }
  const auto kept = keeper.kept();
  for (const Announcer& who : honest) EXPECT_TRUE(kept.contains(who.owner)) << who.owner;
}

TEST(OwnerSample, AThousandIdentitiesHaveNoMoreOfTooFewPlacesThanOneHas) {
  const auto honest = one_of_each_prefix(100);
  std::size_t won = 0;
  for (std::uint64_t node = 0; node < 40; ++node) {
    Keeper of_one(node);
    Keeper of_many(node);
    of_one.announce(honest);
    of_many.announce(honest);
    of_one.announce({.owner = 10'000, .prefix = 999});
    for (std::size_t i = 0; i < 1000; ++i) of_many.announce({.owner = 10'000 + i, .prefix = 999});
    const auto honest_of = [](const Keeper& keeper) {
      std::set<std::size_t> owners = keeper.kept();
      owners.erase(owners.lower_bound(10'000), owners.end());
      return owners;
    };
    EXPECT_EQ(honest_of(of_one), honest_of(of_many));
    EXPECT_GE(honest_of(of_many).size(), kPlaces - 1);
    if (honest_of(of_many).size() < kPlaces) ++won;
  }
  // 25 of 40 on average, with a standard deviation of 3.
  EXPECT_GE(won, 10U);
  EXPECT_LE(won, 38U);
}

TEST(OwnerSample, NobodyIsOutOfLuckForEver) {
  const auto all = one_of_each_prefix(200);
  Keeper keeper(1);
  keeper.announce(all);
  const auto first = keeper.kept();
  keeper.announce(all, at(hours(23)));
  EXPECT_EQ(keeper.kept(at(hours(23))), first) << "within a day nothing changes";
  std::set<std::size_t> found = first;
  for (int day = 1; day <= 30; ++day) {
    const Now now = at(days(day));
    keeper.announce(all, now);
    EXPECT_EQ(keeper.size(), kPlaces);
    EXPECT_NE(keeper.kept(now), first);
    found.merge(keeper.kept(now));
  }
  EXPECT_EQ(found.size(), 200U);
}

}  // namespace
}  // namespace ekiden::dht
