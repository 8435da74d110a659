#include "mailbox/shelf.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ekiden::mailbox {
namespace {

WallTime end_of_minute(WallTime time) { return std::chrono::ceil<minutes>(time); }

}  // namespace

std::uint32_t Shelf::hash(std::uint64_t number) const {
  ByteArray<8> bytes{};
  put_be(MutableBytes(bytes), number);
  return hash_number_(bytes);
}

std::uint32_t Shelf::hash(const identity::PeerId& owner, const identity::PeerId& from, const Uuid& id) const {
  ByteArray<SlotHash::kMaxBytes> bytes{};
  auto at = std::ranges::copy(owner.bytes, bytes.begin()).out;
  at = std::ranges::copy(from.bytes, at).out;
  std::ranges::copy(id.bytes, at);
  return hash_name_(bytes);
}

Slot Shelf::find(std::uint64_t number) const {
  return by_number_.find(hash(number), [&](Slot slot) { return slots_[slot].number == number; });
}

Slot Shelf::find(const identity::PeerId& owner, const identity::PeerId& from, const Uuid& id) const {
  return by_name_.find(hash(owner, from, id), [&](Slot slot) {
    const Held& held = slots_[slot];
    return held.id == id && *held.owner == owner && *held.from == from;
  });
}

Slot Shelf::insert(std::uint64_t number, const ParcelRow& row, identity::TrustTier tier) {
  if (free_.empty()) {
    free_.push_back(static_cast<Slot>(slots_.size()));
    slots_.emplace_back();
  }
  const Slot slot = free_.back();
  free_.pop_back();
  slots_[slot] = {.number = number,
                  .until = row.until,
                  .owner = remember(row.to),
                  .from = remember(row.from),
                  .id = row.id,
                  .digest = row.digest,
                  .prefix = {row.prefix},
                  .size = row.size,
                  .priority = row.priority,
                  .tier = tier};
  by_number_.insert(hash(number), slot);
  by_name_.insert(hash(row.to, row.from, row.id), slot);
  push(slot, by_minute_[end_of_minute(row.until)], &Held::in_minute);
  return slot;
}

void Shelf::erase(Slot slot) {
  const Held& held = slots_[slot];
  CHECK(!held.persisted);
  by_number_.erase(hash(held.number), slot);
  by_name_.erase(hash(*held.owner, *held.from, held.id), slot);
  const auto minute = by_minute_.find(end_of_minute(held.until));
  remove(slot, minute->second, &Held::in_minute);
  if (minute->second.empty()) by_minute_.erase(minute);
  forget(held.owner);
  forget(held.from);
  slots_[slot] = {};
  free_.push_back(slot);
}

Claim Shelf::claim(Slot slot) const {
  const Held& held = slots_[slot];
  return {.from = *held.from, .owner = *held.owner, .prefix = held.prefix, .tier = held.tier, .bytes = held.size};
}

void Shelf::enqueue(Slot slot, Queue& queue) {
  CHECK(!slots_[slot].persisted);
  slots_[slot].persisted = true;
  push(slot, queue, &Held::in_queue);
}

void Shelf::dequeue(Slot slot, Queue& queue) {
  CHECK(slots_[slot].persisted);
  slots_[slot].persisted = false;
  remove(slot, queue, &Held::in_queue);
}

Slot Shelf::find_expired(WallTime now) const {
  if (by_minute_.empty() || by_minute_.begin()->first > now) return kNoSlot;
  return by_minute_.begin()->second.first;
}

const identity::PeerId* Shelf::remember(const identity::PeerId& peer) {
  const auto entry = peers_.try_emplace(peer, 0).first;
  ++entry->second;
  return &entry->first;
}

void Shelf::forget(const identity::PeerId* peer) {
  const auto entry = peers_.find(*peer);
  if (--entry->second == 0) peers_.erase(entry);
}

void Shelf::push(Slot slot, Queue& queue, Links Held::* links) {
  (slots_[slot].*links) = {.before = queue.last, .after = kNoSlot};
  if (queue.empty()) {
    queue.first = slot;
  } else {
    (slots_[queue.last].*links).after = slot;
  }
  queue.last = slot;
}

void Shelf::remove(Slot slot, Queue& queue, Links Held::* links) {
  const Links around = std::exchange(slots_[slot].*links, {});
  (around.before == kNoSlot ? queue.first : (slots_[around.before].*links).after) = around.after;
  (around.after == kNoSlot ? queue.last : (slots_[around.after].*links).before) = around.before;
}

void Shelf::check_invariants() const {
  CHECK(by_number_.size() == by_name_.size() && slots_.size() == size() + free_.size());
  std::size_t named = 0;
  for (const auto& [peer, count] : peers_) named += count;
  CHECK(named == size() * 2);
  std::size_t timed = 0;
  for (const auto& [minute, queue] : by_minute_) {
    Slot before = kNoSlot;
    for (Slot slot = queue.first; slot != kNoSlot; slot = slots_[slot].in_minute.after) {
      const Held& held = slots_[slot];
      CHECK(held.in_minute.before == before && end_of_minute(held.until) == minute);
      CHECK(find(held.number) == slot && find(*held.owner, *held.from, held.id) == slot);
      before = slot;
      ++timed;
    }
    CHECK(queue.last == before && before != kNoSlot);
  }
  CHECK(timed == size());
}

}  // namespace ekiden::mailbox
