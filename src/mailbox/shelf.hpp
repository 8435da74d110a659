// What is in memory of every parcel that is kept: all but its body, in about 130 bytes.
//
// Entries lie in slots, which stay where they are until their entry is erased and are then used again. They are found
// by number and by name, and are chained into queues: one for each owner and priority, one for each minute in which the
// time of parcels is over. Ids of peers, of which there are far fewer than parcels, are kept once.
//
// A plain container: who may keep what, and what is said about it, is the keeper's. Bounds: none of its own. Invariant:
// both indexes and the queues by time hold every entry once; a queue of an owner holds what was put into it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "identity/address.hpp"
#include "identity/contact.hpp"
#include "mailbox/rows.hpp"
#include "mailbox/shares.hpp"
#include "mailbox/slot_index.hpp"

namespace ekiden::mailbox {

/// Of an entry in a queue: its neighbours.
struct Links {
  Slot before = kNoSlot;
  Slot after = kNoSlot;
};

struct Held {
  std::uint64_t number = 0;
  WallTime until{};
  const identity::PeerId* owner = nullptr;  ///< both are the shelf's
  const identity::PeerId* from = nullptr;
  Uuid id;
  ParcelDigest digest{};
  identity::AddressPrefix prefix;
  Links in_queue{};   ///< of the owner
  Links in_minute{};  ///< of its end
  std::uint16_t size = 0;
  wire::Priority priority{};
  identity::TrustTier tier{};
  bool persisted = false;  ///< and in the queue of its owner
};

static_assert(sizeof(Held) == 96);

/// A queue through entries of a shelf; the oldest first.
struct Queue {
  Slot first = kNoSlot;
  Slot last = kNoSlot;
  bool empty() const { return first == kNoSlot; }
};

class Shelf {
 public:
  explicit Shelf(Rng rng) : hash_number_(rng.split()), hash_name_(rng.split()) {}
  Shelf(const Shelf&) = delete;
  Shelf& operator=(const Shelf&) = delete;

  std::size_t size() const { return by_number_.size(); }
  const Held& operator[](Slot slot) const { return slots_[slot]; }

  /// kNoSlot if there is none.
  Slot find(std::uint64_t number) const;
  Slot find(const identity::PeerId& owner, const identity::PeerId& from, const Uuid& id) const;
  /// REQUIRES: number and name are new.
  Slot insert(std::uint64_t number, const ParcelRow& row, identity::TrustTier tier);
  /// REQUIRES: it is in no queue of an owner.
  void erase(Slot slot);

  /// Whose room it takes.
  Claim claim(Slot slot) const;

  /// It is on disk: it goes to the end of a queue of its owner.
  void enqueue(Slot slot, Queue& queue);
  void dequeue(Slot slot, Queue& queue);

  /// One whose time was over at least at the last full minute; kNoSlot if there is none.
  Slot find_expired(WallTime now) const;

  void check_invariants() const;

 private:
  const identity::PeerId* remember(const identity::PeerId& peer);
  void forget(const identity::PeerId* peer);
  std::uint32_t hash(std::uint64_t number) const;
  std::uint32_t hash(const identity::PeerId& owner, const identity::PeerId& from, const Uuid& id) const;
  void push(Slot slot, Queue& queue, Links Held::* links);
  void remove(Slot slot, Queue& queue, Links Held::* links);

  const SlotHash hash_number_;
  const SlotHash hash_name_;
  std::deque<Held> slots_;  ///< never moved when it grows
  std::vector<Slot> free_;
  SlotIndex by_number_;
  SlotIndex by_name_;
  std::map<WallTime, Queue> by_minute_;            ///< at the first full minute at which their time is over
  std::map<identity::PeerId, std::size_t> peers_;  ///< how many entries name each
};

}  // namespace ekiden::mailbox
