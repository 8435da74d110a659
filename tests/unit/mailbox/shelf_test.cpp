// The parcels that are kept, against plain maps.
#include "mailbox/shelf.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace ekiden::mailbox {
namespace {

/// A hash with few values makes long runs, in which erasure has to move cells.
RC_GTEST_PROP(SlotIndex, FindsWhatIsInItAndNothingElse, ()) {
  SlotIndex index;
  std::map<Slot, std::uint32_t> model;
  const auto steps = *rc::gen::inRange(0, 400);
  for (int i = 0; i < steps; ++i) {
    const Slot slot = *rc::gen::inRange<Slot>(0, 60);
    const std::uint32_t hash = slot * 7 % 13 + 3 * (slot % 2);
    if (model.erase(slot) > 0) {
      index.erase(hash, slot);
    } else {
      model.emplace(slot, hash);
      index.insert(hash, slot);
    }
    RC_ASSERT(index.size() == model.size());
    for (Slot each = 0; each < 60; ++each) {
      const std::uint32_t of_each = each * 7 % 13 + 3 * (each % 2);
      const Slot found = index.find(of_each, [&](Slot at) { return at == each; });
      RC_ASSERT(found == (model.contains(each) ? each : kNoSlot));
    }
  }
}

ParcelRow row(Byte id, Byte owner, minutes until) {
  ParcelRow row;
  row.id.bytes[0] = id;
  row.from.bytes[0] = 1;
  row.to.bytes[0] = owner;
  row.until = WallTime(until);
  row.size = 100;
  return row;
}

TEST(Shelf, FindsByNumberAndByName) {
  Shelf shelf(Rng(Rng::Seed{1}));
  for (Byte i = 0; i < 200; ++i) shelf.insert(i + 1U, row(i, i % 5, minutes(i)), {});
  shelf.check_invariants();
  for (Byte i = 0; i < 200; i = static_cast<Byte>(i + 2)) shelf.erase(shelf.find(i + 1U));
  shelf.check_invariants();
  EXPECT_EQ(shelf.size(), 100U);
  for (Byte i = 0; i < 200; ++i) {
    const ParcelRow wanted = row(i, i % 5, minutes(i));
    const Slot slot = shelf.find(i + 1U);
    EXPECT_EQ(slot == kNoSlot, i % 2 == 0);
    EXPECT_EQ(shelf.find(wanted.to, wanted.from, wanted.id), slot);
    if (slot == kNoSlot) continue;
    EXPECT_EQ(*shelf[slot].owner, wanted.to);
  }
  EXPECT_EQ(shelf.find({}, {}, {}), kNoSlot);
}

TEST(Shelf, ASlotIsUsedAgain) {
  Shelf shelf(Rng(Rng::Seed{1}));
  const Slot slot = shelf.insert(1, row(1, 2, minutes(3)), {});
  shelf.erase(slot);
  EXPECT_EQ(shelf.insert(2, row(1, 2, minutes(3)), {}), slot);
  shelf.check_invariants();
}

TEST(Shelf, AQueueKeepsTheOrderInWhichItWasFilled) {
  Shelf shelf(Rng(Rng::Seed{1}));
  Queue queue;
  for (Byte i = 1; i <= 5; ++i) shelf.enqueue(shelf.insert(i, row(i, 2, minutes(3)), {}), queue);
  for (const std::uint64_t gone : {3U, 1U, 5U}) {
    shelf.dequeue(shelf.find(gone), queue);
    shelf.erase(shelf.find(gone));
  }
  ASSERT_FALSE(queue.empty());
  EXPECT_EQ(shelf[queue.first].number, 2U);
  EXPECT_EQ(shelf[queue.last].number, 4U);
  EXPECT_EQ(shelf[queue.first].in_queue.after, queue.last);
  shelf.dequeue(queue.first, queue);
  shelf.dequeue(queue.first, queue);
  EXPECT_TRUE(queue.empty());
  shelf.check_invariants();
}

TEST(Shelf, TimeIsOverWithTheMinute) {
  Shelf shelf(Rng(Rng::Seed{1}));
  ParcelRow late = row(1, 2, minutes(10));
  late.until += milliseconds(1);
  shelf.insert(1, late, {});
  shelf.insert(2, row(2, 2, minutes(10)), {});
  EXPECT_EQ(shelf.find_expired(WallTime(minutes(10)) - milliseconds(1)), kNoSlot);
  const Slot first = shelf.find_expired(WallTime(minutes(10)));
  ASSERT_NE(first, kNoSlot);
  EXPECT_EQ(shelf[first].number, 2U);
  shelf.erase(first);
  EXPECT_EQ(shelf.find_expired(WallTime(minutes(11)) - milliseconds(1)), kNoSlot);
  EXPECT_NE(shelf.find_expired(WallTime(minutes(11))), kNoSlot);
}

}  // namespace
}  // namespace ekiden::mailbox
