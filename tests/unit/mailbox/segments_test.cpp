#include "mailbox/segments.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "store/memory_store.hpp"

namespace ekiden::mailbox {
namespace {

using store::Table;

constexpr std::size_t kSize = 1000;

/// Segments beside a disk that holds what they have said and the rows that their user has put.
struct SegmentsWorld {
  Now now{Instant(seconds(1000)), WallTime(milliseconds(1'767'225'600'000))};
  store::MemoryStore disk{};
  std::optional<Segments> segments{};

  SegmentsWorld() { restart({}); }

  void restart(const std::set<std::uint64_t>& kept) {
    segments.emplace();
    for (const store::Row& row : disk.rows(store::Reading::gathered)) {
      ASSERT_TRUE(segments->load_row(row.key.number, row.value));
    }
    std::set<std::uint64_t> found;
    for (const std::uint64_t number : on_disk()) {
      if (segments->load_dead(number, kSize)) continue;
      segments->add(number, kSize);
      found.insert(number);
    }
    ASSERT_EQ(found, kept);
    segments->start(now);
  }

  void keep(std::uint64_t number) {
    store::Batch batch;
    batch.put(Table::parcels, number, {1});
    batch.put(Table::bodies, number, {2});
    disk.apply(batch);
    segments->add(number, kSize);
  }

  void bury(std::uint64_t number) { segments->bury(now, number, kSize); }

  /// Returns whether it cleans, and counts the rows that it erases.
  bool write() {
    store::Batch batch;
    const bool cleans = segments->write(batch);
    erased = puts = 0;
    for (const store::Operation& operation : batch.operations()) {
      if (operation.key.table == Table::parcels && operation.erase) ++erased;
      if (operation.key.table == Table::dead && !operation.erase) ++puts;
    }
    disk.apply(batch);
    segments->check_invariants();
    return cleans;
  }

  std::set<std::uint64_t> on_disk(Table table = Table::parcels) const {
    std::set<std::uint64_t> numbers;
    for (const store::Row& row : disk.rows()) {
      if (row.key.table == table) numbers.insert(row.key.number);
    }
    return numbers;
  }

  std::size_t erased = 0;
  std::size_t puts = 0;
};

TEST(Segments, WhatIsDeadStaysUntilHalfOfItsSegmentIs) {
  SegmentsWorld world;
  for (std::uint64_t number = 0; number < 2 * kSegment; ++number) world.keep(number);
  for (std::uint64_t i = 1; i < kSegment / 2; ++i) {
    world.bury(2 * i);
    EXPECT_FALSE(world.write());
    EXPECT_EQ(world.puts, 1U);
  }
  EXPECT_EQ(world.on_disk().size(), 2 * kSegment);
  EXPECT_EQ(world.on_disk(Table::dead), std::set<std::uint64_t>{0});
  world.bury(0);
  EXPECT_TRUE(world.write());
  EXPECT_EQ(world.on_disk().size(), kSegment + kSegment / 2);
  EXPECT_EQ(world.on_disk(Table::bodies), world.on_disk());
  EXPECT_TRUE(world.on_disk(Table::dead).empty());
  EXPECT_FALSE(world.segments->deadline().has_value());
}

TEST(Segments, AllThatDiesAtOnceInASegmentIsOneRow) {
  SegmentsWorld world;
  for (std::uint64_t number = 0; number < 10 * kSegment; ++number) world.keep(number);
  for (std::uint64_t number = 0; number < 10 * kSegment; number += 4) world.bury(number);
  EXPECT_EQ(world.segments->buried(), 10 * kSegment / 4);
  EXPECT_FALSE(world.write());
  EXPECT_EQ(world.puts, 10U);
  EXPECT_EQ(world.erased, 0U);
  EXPECT_EQ(world.segments->buried(), 0U);
}

TEST(Segments, ACommitCleansNoMoreThanItsShare) {
  constexpr std::uint64_t kMany = 40;
  SegmentsWorld world;
  for (std::uint64_t number = 0; number < kMany * kSegment; ++number) world.keep(number);
  for (std::uint64_t i = 1; i < kSegment / 2; ++i) {
    for (std::uint64_t segment = 0; segment < kMany; ++segment) world.bury(segment * kSegment + i);
    EXPECT_FALSE(world.write());
  }
  for (std::uint64_t segment = 0; segment < kMany; ++segment) world.bury(segment * kSegment);
  ASSERT_TRUE(world.write());
  EXPECT_LE(world.erased, kMaxCleaned + 2 * kMany + kSegment);
  EXPECT_GE(world.puts, kMany / 2) << "what waits for it is dead on the disk all the same";
  EXPECT_FALSE(world.write()) << "before that is on disk";
  int commits = 1;
  for (; world.segments->is_any_due(); ++commits) {
    world.segments->on_cleaned();
    ASSERT_TRUE(world.write());
    EXPECT_LE(world.erased, kMaxCleaned + kSegment);
  }
  EXPECT_GT(commits, 10);
  EXPECT_EQ(world.on_disk().size(), kMany * kSegment / 2);
}

TEST(Segments, WhatHasBeenDeadForADayIsErased) {
  SegmentsWorld world;
  for (std::uint64_t number = 0; number < 10; ++number) world.keep(number);
  world.bury(3);
  EXPECT_FALSE(world.write());
  ASSERT_EQ(world.segments->deadline(), world.now.mono + kMaxDead);
  world.now.mono += kMaxDead - minutes(1);
  world.now.wall += std::chrono::duration_cast<milliseconds>(kMaxDead) - minutes(1);
  world.restart({0, 1, 2, 4, 5, 6, 7, 8, 9});
  ASSERT_EQ(world.segments->deadline(), world.now.mono + minutes(1)) << "whoever begins anew counts on";
  world.now.mono += minutes(1) - milliseconds(1);
  EXPECT_FALSE(world.segments->on_deadline(world.now));
  world.now.mono += milliseconds(1);
  EXPECT_TRUE(world.segments->on_deadline(world.now));
  EXPECT_TRUE(world.write());
  EXPECT_FALSE(world.on_disk().contains(3));
  EXPECT_EQ(world.on_disk().size(), 9U);
  EXPECT_TRUE(world.on_disk(Table::dead).empty());
}

TEST(Segments, TheBitsOfWhatIsNotThereAreForgotten) {
  SegmentsWorld world;
  for (std::uint64_t number = 0; number < 10; ++number) world.keep(number);
  DeadRow row;
  row.dead[0] = 1U << 4;
  row.dead[1] = 1U << 6;  // Of 14, which will be used.
  row.count = 2;
  store::Batch batch;
  batch.put(Table::dead, 0, wire::encode(row));
  batch.put(Table::dead, 1, wire::encode(row));
  world.disk.apply(batch);
  world.restart({0, 1, 2, 3, 5, 6, 7, 8, 9});
  EXPECT_TRUE(world.segments->wants_write());
  EXPECT_TRUE(world.write()) << "the second segment, in which nothing is kept";
  EXPECT_EQ(world.on_disk(Table::dead), std::set<std::uint64_t>{0});
  world.keep(14);
  world.restart({0, 1, 2, 3, 5, 6, 7, 8, 9, 14});
}

TEST(Segments, RowsWhoseBitsHaveFlippedAreRefused) {
  Segments segments;
  DeadRow row;
  row.dead[31] = 0x81;
  row.count = 2;
  EXPECT_TRUE(segments.load_row(7, wire::encode(row)));
  row.dead[3] ^= 0x10;
  EXPECT_FALSE(segments.load_row(8, wire::encode(row)));
  row.count = 3;
  EXPECT_TRUE(segments.load_row(8, wire::encode(row)));
  EXPECT_FALSE(segments.load_row(~std::uint64_t{0} / kSegment + 1, wire::encode(row)));
}

RC_GTEST_PROP(Segments, KnowWhatIsKeptAfterEveryCrash, ()) {
  SegmentsWorld world;
  std::set<std::uint64_t> kept;
  std::uint64_t next = 0;
  const auto steps = *rc::gen::container<std::vector<unsigned>>(rc::gen::inRange(0U, 1'000'000U));
  for (const unsigned step : steps) {
    const unsigned what = step / 16;
    switch (step % 16) {
      case 0:
        world.restart(kept);
        world.write();
        break;
      case 1:
        world.now.mono += std::chrono::duration_cast<Duration>(minutes(what % 900));
        world.segments->on_deadline(world.now);
        world.write();
        break;
      case 2:
        world.segments->on_cleaned();
        world.write();
        break;
      case 3: {
        if (kept.empty()) break;
        const std::uint64_t replaced = *kept.begin();
        store::Batch batch;
        batch.erase(Table::parcels, replaced);
        batch.erase(Table::bodies, replaced);
        world.segments->remove(replaced, kSize);
        world.disk.apply(batch);
        kept.erase(replaced);
        world.write();
        break;
      }
      case 4:
      case 5:
      case 6:
      case 7:
        next += what % 90;
        kept.insert(next);
        world.keep(next++);
        break;
      default:
        for (unsigned i = 0; i < what % 20 && !kept.empty(); ++i) {
          auto dying = kept.lower_bound(what % (next + 1));
          if (dying == kept.end()) dying = kept.begin();
          world.bury(*dying);
          kept.erase(dying);
        }
        world.write();
        break;
    }
    RC_ASSERT(world.segments->live_bytes() == kept.size() * kSize);
  }
  world.restart(kept);
}

}  // namespace
}  // namespace ekiden::mailbox
