// Keys of messages that were overtaken: kept until the message comes, one row in the store for each.
//
// Inputs: insert (a message was skipped), erase (its message came), write (make the changes durable). Outputs: rows of
// Table::sessions. Timers: none; the keys die with their session.
//
// Bounds: at most `max` keys; one more drops the oldest. Rationale: memory, and forward secrecy, for a kept key opens
// its message to whoever gets the disk. Rules:
//   - which keys were dropped is remembered as one number, `forgotten`: for a message at or below it that has no key,
//     nobody can say whether it was received, and the session must not claim that it was;
//   - each key has a row of its own, so that a message costs the rows of the keys that changed and not of all 1,000;
//     that is at most `max` new ones and as many erased, and how often is bounded by session/skip_budget.hpp.
//
// Invariant: sequences only ever get in above all that were there.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "base/bytes.hpp"
#include "crypto/secret.hpp"
#include "store/batch.hpp"

namespace ekiden::session {

/// Seals one message, through sealing_of (session/ratchet.hpp).
using MessageKey = crypto::Secret<32, struct MessageKeyTag>;

class SkippedKeys {
 public:
  explicit SkippedKeys(std::size_t max = 0) : max_(max) {}

  const MessageKey* find(std::uint64_t sequence) const;
  /// REQUIRES: sequence over all before.
  void insert(std::uint64_t sequence, MessageKey key);
  void erase(std::uint64_t sequence);

  /// True if a key at or below this sequence was dropped for lack of room.
  bool is_forgotten(std::uint64_t sequence) const { return sequence <= forgotten_; }
  std::uint64_t forgotten() const { return forgotten_; }
  std::size_t size() const { return keys_.size(); }

  // Persistence. `prefix` names the session; a row is named by it and the sequence.

  /// What has changed since the last call.
  void write(ByteView prefix, store::Batch& batch);
  /// Every key, whether written before or not; changes nothing.
  void write_all(ByteView prefix, store::Batch& batch) const;
  /// Erases every row that was ever written.
  void erase_rows(ByteView prefix, store::Batch& batch) const;
  /// Puts back what was loaded, in any order; then trim().
  void restore(std::uint64_t sequence, MessageKey key) { keys_.insert_or_assign(sequence, std::move(key)); }
  void restore_forgotten(std::uint64_t sequence) { forgotten_ = sequence; }
  /// Drops the oldest keys over the bound, which may be lower than when they were written.
  void trim();

  void check_invariants() const;

 private:
  std::size_t max_;
  std::map<std::uint64_t, MessageKey> keys_;
  std::set<std::uint64_t> unwritten_;  ///< keys without a row
  std::set<std::uint64_t> leftover_;   ///< rows without a key
  std::uint64_t forgotten_ = 0;
};

}  // namespace ekiden::session
