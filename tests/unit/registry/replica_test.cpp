#include "registry/replica.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <map>

#include "samples.hpp"

namespace ekiden::registry {
namespace {

using test::kWall;

const std::array<identity::Identity, 3> kAuthorsOfReplica = {test::make_identity(1), test::make_identity(2),
                                                             test::make_identity(3)};

Stamp after(milliseconds since) { return {to_unix_ms(kWall + since), 0}; }

Status put(Replica& replica, const Entry& entry, WallTime wall = kWall) {
  const auto applied = replica.put(wall, entry, unsigned_entry(entry));
  if (!applied) return std::unexpected(applied.error());
  return {};
}

std::vector<std::string> found(const Replica& replica, const Query& query) {
  std::vector<std::string> names;
  for (const Slot slot : replica.search(query, 0, 100)) names.push_back(replica.at(slot).entry().name);
  std::ranges::sort(names);
  return names;
}

TEST(Replica, FindsByCapabilityItsPrefixesAndMetadata) {
  const Config config;
  Replica replica(config, test::make_rng(1));
  const auto add = [&](const char* name, const char* capability, const char* region) {
    Entry entry = sample_entry(kAuthorsOfReplica[0], name);
    entry.capability = capability;
    entry.metadata = {{.key = "region", .value = region}, {.key = "tier", .value = "1"}};
    EXPECT_TRUE(put(replica, entry));
  };
  add("a", "translate/ja-en", "eu");
  add("b", "translate/ja-en", "us");
  add("c", "translate/de-en", "eu");
  add("d", "translated", "eu");
  EXPECT_EQ(found(replica, {.name = "a", .capability = {}, .where = {}}), (std::vector<std::string>{"a"}));
  EXPECT_TRUE(found(replica, {.name = "a", .capability = "no", .where = {}}).empty());
  EXPECT_EQ(found(replica, {.name = {}, .capability = "translate/ja-en", .where = {}}),
            (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(found(replica, {.name = {}, .capability = "translate", .where = {}}),
            (std::vector<std::string>{"a", "b", "c"}));
  const Query in_europe{.name = {}, .capability = "translate", .where = {{.key = "region", .value = "eu"}}};
  EXPECT_EQ(found(replica, in_europe), (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(found(replica, {.name = {}, .capability = {}, .where = {{.key = "tier", .value = "1"}}}).size(), 4U);
  EXPECT_TRUE(
      found(replica, {.name = {}, .capability = "translate", .where = {{.key = "tier", .value = "2"}}}).empty());
  EXPECT_TRUE(found(replica, {}).empty());
  Entry moved = sample_entry(kAuthorsOfReplica[0], "a", after(seconds(1)));
  moved.capability = "print";
  ASSERT_TRUE(put(replica, moved));
  EXPECT_EQ(found(replica, in_europe), (std::vector<std::string>{"c"}));
  EXPECT_EQ(found(replica, {.name = {}, .capability = "print", .where = {}}), (std::vector<std::string>{"a"}));
  replica.check_invariants();
}

TEST(Replica, RefusesWhatDoesNotFitAndDropsNothingForIt) {
  Config config;
  config.max_entries = 3;
  config.max_entries_per_author = 2;
  Replica replica(config, test::make_rng(1));
  EXPECT_TRUE(put(replica, sample_entry(kAuthorsOfReplica[0], "a")));
  EXPECT_TRUE(put(replica, sample_entry(kAuthorsOfReplica[0], "b")));
  EXPECT_EQ(put(replica, sample_entry(kAuthorsOfReplica[0], "c")).error().code, Errc::limit_exceeded);
  EXPECT_TRUE(put(replica, sample_entry(kAuthorsOfReplica[1], "a")));
  EXPECT_EQ(put(replica, sample_entry(kAuthorsOfReplica[2], "a")).error().code, Errc::limit_exceeded);
  EXPECT_TRUE(put(replica, sample_entry(kAuthorsOfReplica[0], "a", after(seconds(1)))));
  EXPECT_EQ(replica.size(), 3U);
  replica.check_invariants();
}

TEST(Replica, CountsTheBytesOfAnAuthor) {
  Config config;
  config.max_bytes_per_author = 1000;
  Replica replica(config, test::make_rng(1));
  Entry entry = sample_entry(kAuthorsOfReplica[0], "a");
  ASSERT_TRUE(put(replica, entry));
  entry.stamp = after(seconds(1));
  entry.value.resize(kMaxValue);
  EXPECT_EQ(put(replica, entry).error().code, Errc::limit_exceeded);
  EXPECT_TRUE(replica.find(entry.id())->entry().value.empty());
  replica.check_invariants();
}

TEST(Replica, HoldsWhatExpiredUntilNothingOlderCanComeBack) {
  const Config config;
  Replica replica(config, test::make_rng(1));
  const Entry older = sample_entry(kAuthorsOfReplica[0], "a", after(seconds(0)), hours(10));
  Entry newer = sample_entry(kAuthorsOfReplica[0], "a", after(seconds(1)), minutes(1));
  newer.kept = older.kept;
  ASSERT_TRUE(put(replica, newer));
  EXPECT_EQ(replica.due(), newer.expires);
  EXPECT_FALSE(replica.expire(newer.expires - milliseconds(1)));
  const auto over = replica.expire(newer.expires);
  ASSERT_TRUE(over && !over->ended);
  EXPECT_EQ(replica.shown(), 0U);
  EXPECT_EQ(replica.put(newer.expires, older, unsigned_entry(older))->standing, Standing::older);
  ASSERT_TRUE(replica.expire(newer.kept)->ended);
  EXPECT_EQ(replica.size(), 0U);
  // From here on its own time is over, too.
  EXPECT_FALSE(check_time(older, newer.kept));
  replica.check_invariants();
}

/// What an author has written under each name, as it would: each entry is held as long as those before.
std::vector<Entry> random_writings() {
  std::vector<Entry> all;
  std::map<std::pair<std::size_t, int>, WallTime> kept;
  const int count = *rc::gen::inRange(1, 40);
  for (int i = 0; i < count; ++i) {
    const auto author = *rc::gen::inRange<std::size_t>(0, kAuthorsOfReplica.size());
    const int name = *rc::gen::inRange(0, 3);
    const Stamp stamp = after(seconds(i));
    const auto lifetime = seconds(*rc::gen::inRange(1, 300));
    Entry entry =
        sample_entry(kAuthorsOfReplica[author], std::string(1, static_cast<char>('a' + name)), stamp, lifetime);
    WallTime& longest = kept[{author, name}];
    longest = entry.kept = std::max(entry.kept, longest);
    if (*rc::gen::inRange(0, 4) == 0) {
      entry = removal_of(entry, stamp);
    } else if (*rc::gen::arbitrary<bool>()) {
      entry.capability = "c";
    }
    all.push_back(entry);
  }
  return all;
}

void deliver(Replica& replica, const Entry& entry, WallTime wall) {
  if (check_time(entry, wall)) static_cast<void>(replica.put(wall, entry, unsigned_entry(entry)));
}

RC_GTEST_PROP(Replica, EndsTheSameInAnyOrderAndNothingOldIsBack, ()) {
  const Config config;
  const std::vector<Entry> all = random_writings();
  const WallTime wall = kWall + seconds(all.size());
  Replica first(config, test::make_rng(1));
  Replica second(config, test::make_rng(2));
  for (const Entry& entry : all) deliver(first, entry, wall);
  const auto order = *rc::gen::container<std::vector<std::size_t>>(50, rc::gen::inRange<std::size_t>(0, all.size()));
  for (const std::size_t which : order) deliver(second, all[which], wall);
  for (auto entry = all.rbegin(); entry != all.rend(); ++entry) deliver(second, *entry, wall);
  RC_ASSERT(first.trie().digest({}) == second.trie().digest({}));
  // Time goes on, and at any time any of them may come again.
  std::map<EntryId, Stamp> newest;
  for (const Entry& entry : all) newest[entry.id()] = entry.stamp;
  for (int step = 0; step < 40; ++step) {
    const WallTime later = wall + seconds(10 * step);
    while (second.expire(later)) {
    }
    deliver(second, all[*rc::gen::inRange<std::size_t>(0, all.size())], later);
    for (const Entry& entry : all) {
      const Held* held = second.find(entry.id());
      RC_ASSERT((held == nullptr || held->version().stamp == newest[entry.id()]));
    }
    second.check_invariants();
  }
  RC_ASSERT(second.size() == 0U);
}

}  // namespace
}  // namespace ekiden::registry
