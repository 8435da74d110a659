// The numbers of what this node signs: the one that comes next is above all that were signed before, as far as the disk
// and others remember.
//
// Rules, and what they are for:
//   - not below the wall clock: a node whose data was restored from a backup still supersedes what it signed before,
//     unless its clock was ahead then;
//   - above what others hold: if it was, they say so, or nobody would take what the node signs until its clock is that
//     far;
//   - what says so is signed by this node, so nobody else raises a number; one of over kMaxSequence is not followed,
//     for the numbers must not end.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace ekiden::node {

struct OwnSequence {
  static constexpr std::uint64_t kMaxSequence = std::uint64_t{1} << 63;

  std::uint64_t signed_last = 0;  ///< of a record or an announcement
  std::uint64_t record = 0;       ///< of the last record that this run signed
  std::uint64_t elsewhere = 0;    ///< the highest of a record of ours that others hold
  std::optional<Instant> caught_up = {};

  std::uint64_t next(WallTime wall) {
    signed_last = std::max(std::max(signed_last, elsewhere) + 1, to_unix_ms(wall));
    return signed_last;
  }

  /// Others hold a record of ours with this number that this run did not sign. Whether they keep it rather than ours.
  bool note_elsewhere(std::uint64_t sequence) {
    if (sequence > kMaxSequence) return false;
    elsewhere = std::max(elsewhere, sequence);
    return is_behind();
  }
  bool is_behind() const { return elsewhere != 0 && elsewhere >= record; }
};

}  // namespace ekiden::node
