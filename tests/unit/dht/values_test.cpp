#include "dht/values.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "store/memory_store.hpp"
#include "testing.hpp"

namespace ekiden::dht {
namespace {

identity::AddressPrefix prefix(std::size_t number) { return identity::prefix_of(test_address(number).ip); }

/// Somebody of that network who owns none of the values.
Values::Storer stranger(std::size_t number) { return {.id = fake_node(4000 + number).id(), .prefix = prefix(number)}; }

ValueFacts facts_of(std::size_t owner, std::uint64_t sequence, Now now = at({}), Duration ttl = hours(12)) {
  return {.owner = fake_node(owner).id(),
          .sequence = sequence,
          .expires = now.wall + std::chrono::duration_cast<milliseconds>(ttl),
          .is_over = false};
}

class ValuesTest : public ::testing::Test {
 protected:
  ValuesTest() { config_.max_values = 8; }

  Values::Put put(std::size_t owner, std::uint64_t sequence, Byte content, std::size_t from, Now now = at({})) {
    return put(facts_of(owner, sequence, now), content, from, now);
  }
  Values::Put put(const ValueFacts& facts, Byte content, std::size_t from, Now now = at({})) {
    const auto result =
        values_.put(now, ValueKind::record, Key::of(facts.owner), facts, Bytes{content}, stranger(from));
    values_.check_invariants();
    return result;
  }
  Values::Put announce(std::size_t owner, std::size_t from) {
    const auto result =
        values_.put(at({}), ValueKind::announcement, key_, facts_of(owner, 1), Bytes{1}, stranger(from));
    values_.check_invariants();
    return result;
  }
  Bytes kept(std::size_t owner, Now now = at({})) const {
    const auto* value = values_.record(Key::of(fake_node(owner).id()), now.wall);
    return value == nullptr ? Bytes{} : value->bytes;
  }

  Config config_;
  identity::PeerId self_ = fake_node(5000).id();
  Key key_ = capability_key("translate");
  Rng rng_{seed_of(7)};
  Values values_{self_, config_, rng_};
};

TEST_F(ValuesTest, TheNewestSequenceWinsAndOnEqualOnesTheFirst) {
  EXPECT_EQ(put(1, 5, 'a', 1), Values::Put::stored);
  EXPECT_EQ(put(1, 4, 'b', 1), Values::Put::stale);
  EXPECT_EQ(put(1, 5, 'c', 1), Values::Put::stale);
  EXPECT_EQ(put(1, 5, 'a', 1), Values::Put::renewed);
  EXPECT_EQ(kept(1), Bytes{'a'});
  EXPECT_EQ(put(1, 6, 'd', 1), Values::Put::stored);
  EXPECT_EQ(kept(1), Bytes{'d'});
}

TEST_F(ValuesTest, TellsWhatLiesOutsideOfARange) {
  for (std::size_t owner = 1; owner <= 6; ++owner) put(owner, 1, 'a', owner);
  announce(7, 7);
  announce(8, 8);
  std::vector<Values::Name> all;
  values_.for_each([&](const Values::Name& name, const Values::Value&) { all.push_back(name); });
  ASSERT_EQ(all.size(), 8U);
  for (const Values::Name& first : all) {
    for (const Values::Name& last : all) {
      if (last.key < first.key) continue;
      std::vector<Values::Name> outside;
      values_.for_each_outside({.first = first.key, .last = last.key},
                               [&](const Values::Name& name, const Values::Value&) { outside.push_back(name); });
      auto expected = all;
      std::erase_if(expected, [&](const auto& name) { return first.key <= name.key && name.key <= last.key; });
      EXPECT_EQ(outside, expected);
    }
  }
}

TEST_F(ValuesTest, AWithdrawnValueCannotBePutBack) {
  put(1, 5, 'a', 1);
  ValueFacts over = facts_of(1, 6);
  over.expires = at({}).wall;
  over.is_over = true;
  EXPECT_EQ(put(over, 'b', 1), Values::Put::stored);
  EXPECT_TRUE(kept(1).empty());
  EXPECT_EQ(values_.byte_size(), 0U);
  EXPECT_EQ(put(1, 5, 'a', 1), Values::Put::stale) << "a replay";
  EXPECT_EQ(put(over, 'b', 1), Values::Put::renewed);
  EXPECT_EQ(put(1, 7, 'c', 1), Values::Put::stored);
  EXPECT_EQ(kept(1), Bytes{'c'});
}

TEST_F(ValuesTest, WhatIsOverIsNotToldAndItsSequenceIsRemembered) {
  put(facts_of(1, 5, at({}), minutes(10)), 'a', 1);
  EXPECT_FALSE(kept(1, at(minutes(9))).empty());
  EXPECT_TRUE(kept(1, at(minutes(10))).empty());
  values_.sweep(at(minutes(11)));
  EXPECT_EQ(values_.byte_size(), 0U);
  EXPECT_EQ(values_.size(), 1U);
  EXPECT_EQ(put(1, 4, 'b', 1, at(minutes(12))), Values::Put::stale);
  values_.sweep(at(hours(25)));
  EXPECT_EQ(values_.size(), 0U);
}

TEST_F(ValuesTest, AValueComesBackWhenAClockThatHadLeaptIsSetRight) {
  put(1, 5, 'a', 1);
  Now leapt = at(minutes(1));
  leapt.wall += days(2);
  values_.sweep(leapt);
  EXPECT_TRUE(kept(1).empty());
  EXPECT_EQ(put(1, 5, 'a', 1, at(minutes(2))), Values::Put::stored);
  EXPECT_EQ(kept(1), Bytes{'a'});
}

TEST_F(ValuesTest, DropsWhatNobodyStoresAgainForADay) {
  put(facts_of(1, 1, at({}), hours(100)), 'a', 1);
  put(facts_of(2, 1, at({}), hours(100)), 'b', 1);
  EXPECT_TRUE(values_.renew(at(hours(20)), ValueKind::record, Key::of(fake_node(2).id()), Bytes{'b'}, stranger(1)));
  EXPECT_FALSE(values_.renew(at(hours(20)), ValueKind::record, Key::of(fake_node(2).id()), Bytes{'x'}, stranger(1)));
  values_.sweep(at(hours(24)));
  EXPECT_TRUE(kept(1, at(hours(24))).empty());
  EXPECT_FALSE(kept(2, at(hours(24))).empty());
}

TEST_F(ValuesTest, WhoStoresMostLosesWhatIsFarthestFromUs) {
  for (std::size_t owner = 0; owner < 6; ++owner) put(owner, 1, 'x', 1);
  put(100, 1, 'y', 2);
  put(101, 1, 'z', 3);
  EXPECT_EQ(put(102, 1, 'w', 4), Values::Put::stored);
  EXPECT_FALSE(kept(100).empty());
  EXPECT_FALSE(kept(101).empty());
  std::size_t farthest = 0;
  for (std::size_t owner = 1; owner < 6; ++owner) {
    const auto away = [&](std::size_t who) { return distance(Key::of(fake_node(who).id()), self_); };
    if (away(owner) > away(farthest)) farthest = owner;
  }
  for (std::size_t owner = 0; owner < 6; ++owner) EXPECT_EQ(kept(owner).empty(), owner == farthest) << owner;
}

TEST_F(ValuesTest, AFloodFromOneNetworkDisplacesOnlyItself) {
  for (std::size_t owner = 0; owner < 4; ++owner) put(owner, 1, 'x', 10 + owner);
  for (std::size_t owner = 100; owner < 300; ++owner) put(owner, 1, 'f', 1);
  for (std::size_t owner = 0; owner < 4; ++owner) EXPECT_FALSE(kept(owner).empty()) << owner;
  EXPECT_EQ(values_.size(), 8U);
}

TEST_F(ValuesTest, WhatItsOwnerStoresCountsInHisOwnNetworkWhoeverCameFirst) {
  const auto owner = fake_node(0).id();
  const auto key = Key::of(owner);
  // Somebody fills his share, and has the value of another counted with it.
  for (std::size_t other = 0; other < 7; ++other) put(other, 1, 'x', 1);
  put(200, 1, 'y', 2);
  EXPECT_TRUE(values_.renew(at({}), ValueKind::record, key, Bytes{'x'}, {.id = owner, .prefix = prefix(9)}));
  values_.check_invariants();
  for (std::size_t flooder = 100; flooder < 130; ++flooder) put(flooder, 1, 'f', 1);
  EXPECT_FALSE(kept(0).empty());
  // It stays so when others store it again, and follows its owner when he moves.
  EXPECT_TRUE(values_.renew(at({}), ValueKind::record, key, Bytes{'x'}, stranger(1)));
  EXPECT_EQ(values_.put(at({}), ValueKind::record, key, facts_of(0, 2), Bytes{'z'}, {.id = owner, .prefix = prefix(1)}),
            Values::Put::stored);
  values_.check_invariants();
  for (std::size_t flooder = 300; flooder < 600; ++flooder) put(flooder, 1, 'f', 1);
  EXPECT_EQ(values_.size(), 8U);
  EXPECT_FALSE(kept(200).empty());
}

TEST_F(ValuesTest, BytesAreBoundedToo) {
  config_.max_value_bytes = 100;
  const auto large = [&](std::size_t owner, std::size_t size, std::size_t from) {
    return values_.put(at({}), ValueKind::record, Key::of(fake_node(owner).id()), facts_of(owner, 1), Bytes(size, 1),
                       stranger(from));
  };
  EXPECT_EQ(large(1, 101, 1), Values::Put::full);
  EXPECT_EQ(large(1, 60, 1), Values::Put::stored);
  EXPECT_EQ(large(2, 40, 1), Values::Put::stored);
  EXPECT_EQ(large(3, 40, 2), Values::Put::stored) << "one of the other network gave way";
  EXPECT_LE(values_.byte_size(), 100U);
  values_.check_invariants();
}

TEST_F(ValuesTest, UnderOneKeyTheNetworkWithMostOwnersGivesWay) {
  config_.max_values = 100;
  config_.max_owners_per_key = 6;
  for (std::size_t owner = 0; owner < 6; ++owner) EXPECT_EQ(announce(owner, 1), Values::Put::stored);
  const auto count_of = [&](std::size_t from) {
    std::vector<const Values::Value*> all;
    values_.announcements(key_, at({}).wall, all);
    EXPECT_EQ(all.size(), 6U);
    return std::ranges::count(all, prefix(from), &Values::Value::from);
  };
  for (std::size_t owner = 20; owner < 40; ++owner) announce(owner, 1);
  EXPECT_EQ(count_of(1), 6);
  EXPECT_EQ(announce(51, 2), Values::Put::stored);
  EXPECT_EQ(announce(52, 2), Values::Put::stored);
  EXPECT_EQ(announce(53, 3), Values::Put::stored);
  EXPECT_EQ(count_of(1), 3);
  for (std::size_t owner = 60; owner < 80; ++owner) announce(owner, 2);
  EXPECT_EQ(count_of(1) + count_of(2), 5);
  EXPECT_GE(count_of(1), 2) << "it shares what is left";
  EXPECT_GE(count_of(2), 2);
  EXPECT_EQ(count_of(3), 1);
}

TEST_F(ValuesTest, ComesBackFromTheStoreWithWhatIsLeftOfItsLifetime) {
  put(facts_of(1, 5, at({}), hours(100)), 'a', 1);
  announce(2, 3);
  store::MemoryStore disk;
  store::Batch batch;
  values_.write_changes(at(hours(20)), batch);
  disk.apply(batch);
  Values again(self_, config_, rng_);
  for (const auto& row : disk.rows()) ASSERT_TRUE(again.load(row));
  again.start(at(hours(21)));
  again.check_invariants();
  EXPECT_EQ(again.size(), 2U);
  EXPECT_EQ(again.record(Key::of(fake_node(1).id()), at(hours(21)).wall)->bytes, Bytes{'a'});
  again.sweep(at(hours(23)));
  EXPECT_NE(again.record(Key::of(fake_node(1).id()), at(hours(23)).wall), nullptr);
  again.sweep(at(hours(24)));
  EXPECT_EQ(again.size(), 0U);
  store::Batch gone;
  again.write_changes(at(hours(24)), gone);
  disk.apply(gone);
  EXPECT_EQ(disk.size(), 0U);
}

TEST_F(ValuesTest, ADamagedRowIsReported) {
  const store::Key key{.table = store::Table::values, .number = 0, .name = Bytes(64, 1)};
  EXPECT_EQ(values_.load({.key = key, .value = Bytes{0xff}}).error().code, Errc::storage_corrupt);
  const store::Key short_key{.table = store::Table::values, .number = 0, .name = Bytes(63, 1)};
  EXPECT_EQ(values_.load({.key = short_key, .value = {}}).error().code, Errc::storage_corrupt);
}

TEST(CheckValue, BelongsUnderItsOwnKeyOnly) {
  const auto owner = test_identity(1);
  const Bytes record = record_of(owner, 3, at({}).wall);
  const auto checked = check_value(ValueKind::record, Key::of(owner.id()), record, at({}).wall);
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(checked->facts.sequence, 3U);
  EXPECT_EQ(checked->facts.owner, owner.id());
  EXPECT_EQ(check_value(ValueKind::record, Key::of(test_identity(2).id()), record, at({}).wall).error().code,
            Errc::unauthenticated);
  const Bytes announcement = announcement_of(owner, "translate/ja-en", 4, at({}).wall);
  for (const std::string_view path : {"translate", "translate/ja-en"}) {
    EXPECT_TRUE(check_value(ValueKind::announcement, capability_key(path), announcement, at({}).wall)) << path;
  }
  EXPECT_EQ(check_value(ValueKind::announcement, capability_key("mail"), announcement, at({}).wall).error().code,
            Errc::unauthenticated);
  EXPECT_FALSE(check_value(ValueKind::announcement, Key::of(owner.id()), record, at({}).wall));
}

TEST(CheckValue, SaysThatItIsOverAndRefusesTheFuture) {
  const auto owner = test_identity(1);
  const Bytes record = record_of(owner, 3, at({}).wall, hours(1));
  const Key key = Key::of(owner.id());
  EXPECT_FALSE(check_value(ValueKind::record, key, record, at(minutes(59)).wall)->facts.is_over);
  EXPECT_TRUE(check_value(ValueKind::record, key, record, at(minutes(60)).wall)->facts.is_over);
  EXPECT_EQ(check_value(ValueKind::record, key, record, at(-minutes(11)).wall).error().code, Errc::refused);
}

}  // namespace
}  // namespace ekiden::dht
