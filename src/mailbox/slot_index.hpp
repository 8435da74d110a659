// A hash index over entries that lie elsewhere, in slots.
//
// Open addressing with linear probing; erasure moves later cells of the run back, so that there are no tombstones. A
// cell is eight bytes, slot and hash: growing and probing touch no entry whose hash is another one. It can only be
// looked up, not iterated: nothing can come to depend on where the cells lie.
//
// Whoever chooses what is hashed must not know the function: see SlotHash.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/rng.hpp"

namespace ekiden::mailbox {

/// The place of an entry.
using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = ~Slot{0};

/// Multilinear hashing (Lemire and Kaser, "Strongly universal string hashing is fast"): the sum of the words, each
/// times a secret number, of which the upper half counts. Two keys collide with a probability of 2^-32 for whoever does
/// not know the numbers, so that nobody can choose ids that make lookups slow.
class SlotHash {
 public:
  static constexpr std::size_t kMaxBytes = 80;

  explicit SlotHash(Rng rng) {
    for (std::uint64_t& factor : factors_) factor = rng.next();
  }

  /// REQUIRES: as many bytes each time, a multiple of 4, at most kMaxBytes.
  std::uint32_t operator()(ByteView bytes) const {
    CHECK(bytes.size() <= kMaxBytes && bytes.size() % 4 == 0);
    std::uint64_t sum = factors_.back();
    for (std::size_t i = 0; i < bytes.size() / 4; ++i) {
      sum += factors_[i] * get_be<std::uint32_t>(bytes.subspan(i * 4, 4));
    }
    return static_cast<std::uint32_t>(sum >> 32);
  }

 private:
  std::array<std::uint64_t, kMaxBytes / 4 + 1> factors_{};
};

class SlotIndex {
 public:
  std::size_t size() const { return size_; }

  /// The slot with this hash for which `is_it(slot)` holds; kNoSlot if there is none.
  template <class IsIt>
  Slot find(std::uint32_t hash, IsIt&& is_it) const {
    if (size_ == 0) return kNoSlot;
    for (std::size_t at = home(hash); cells_[at].slot != kNoSlot; at = next(at)) {
      if (cells_[at].hash == hash && is_it(cells_[at].slot)) return cells_[at].slot;
    }
    return kNoSlot;
  }

  /// REQUIRES: the slot is not in it.
  void insert(std::uint32_t hash, Slot slot) {
    if ((size_ + 1) * 4 > cells_.size() * 3) grow();
    put({hash, slot});
    ++size_;
  }

  /// REQUIRES: it is in it.
  void erase(std::uint32_t hash, Slot slot) {
    std::size_t hole = home(hash);
    while (cells_[hole].slot != slot) {
      CHECK(cells_[hole].slot != kNoSlot);
      hole = next(hole);
    }
    for (std::size_t at = next(hole); cells_[at].slot != kNoSlot; at = next(at)) {
      // A cell may move back to the hole unless its home lies behind it.
      const std::size_t from_home = (at - home(cells_[at].hash)) & (cells_.size() - 1);
      const std::size_t from_hole = (at - hole) & (cells_.size() - 1);
      if (from_home < from_hole) continue;
      cells_[hole] = cells_[at];
      hole = at;
    }
    cells_[hole] = {};
    --size_;
  }

 private:
  struct Cell {
    std::uint32_t hash = 0;
    Slot slot = kNoSlot;
  };

  std::size_t home(std::uint32_t hash) const { return hash & (cells_.size() - 1); }
  std::size_t next(std::size_t at) const { return (at + 1) & (cells_.size() - 1); }

  void put(Cell cell) {
    std::size_t at = home(cell.hash);
    while (cells_[at].slot != kNoSlot) at = next(at);
    cells_[at] = cell;
  }

  void grow() {
    std::vector<Cell> old(cells_.empty() ? 16 : cells_.size() * 2);
    old.swap(cells_);
    for (const Cell& cell : old) {
      if (cell.slot != kNoSlot) put(cell);
    }
  }

  std::vector<Cell> cells_;  ///< a power of two of them, at most three quarters used
  std::size_t size_ = 0;
};

}  // namespace ekiden::mailbox
