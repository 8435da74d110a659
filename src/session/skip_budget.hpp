// How many messages a peer may make us skip: a bucket of 2 x `max_skipped`, filled again at `max_skipped` a minute.
//
// Rationale: a skipped message costs two HMACs, a row that is written and a row that is erased. Without a budget every
// short message may stand `max_skipped` ahead of the one before: 300 bytes for two thousand HMACs and two thousand
// changes of the store, again and again. The bucket belongs to the peer and not to one of its sessions, for a new
// session costs its initiator nothing. It is spent when a message has verified: nobody spends another's.
//
// Honest peers do not come near it. What is lost or overtaken is at most the flight of a link; a restart passes over at
// most `reserve_block` numbers, so that seven restarts at once fit and four more every minute. A message over the
// budget is too_far, upon which its sender starts a new session at number 0: nothing is lost, and that too is bounded,
// by the resets that a peer follows.
//
// Plain, integers only, time as an argument; not persisted, for our own restarts are not the peer's to cause.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/check.hpp"
#include "base/time.hpp"

namespace ekiden::session {

class SkipBudget {
 public:
  explicit SkipBudget(std::size_t max_skipped)
      : capacity_(2 * max_skipped),
        refill_(Duration(minutes(1)) / static_cast<Duration::rep>(std::max<std::size_t>(max_skipped, 1))) {}

  std::size_t left(Instant now) const {
    if (now >= full_at_) return capacity_;
    const Duration missing = full_at_ - now + refill_ - Duration(1);  // What comes back only in part is not there.
    return capacity_ - std::min(capacity_, static_cast<std::size_t>(missing / refill_));
  }

  /// REQUIRES: count <= left(now).
  void spend(Instant now, std::size_t count) {
    CHECK(count <= left(now));
    full_at_ = std::max(full_at_, now) + refill_ * static_cast<Duration::rep>(count);
  }

 private:
  std::size_t capacity_;
  Duration refill_;    ///< until one comes back
  Instant full_at_{};  ///< when all have
};

}  // namespace ekiden::session
