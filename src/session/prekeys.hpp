// Our signed prekeys: the current one, which our record shows, and old ones that messages under way may still name.
//
// Inputs: rows at start, refresh() now and then. Outputs: rows of Table::prekeys. Timers: next_due(), in wall time:
// a prekey is replaced `prekey_rotation` after it was made, and erased, from memory and store, `prekey_horizon` after
// that. Rationale: whoever gets a prekey and our identity key reads the first messages of all sessions that were
// started with it; but a message that waits for us must find its prekey.
//
// Rules:
//   - ids are random, so that a node whose data was lost never gives an old id to a new key;
//   - a time in the future is moved to now: the clock was set back, and a key must not live longer for it;
//   - at most kMaxPrekeys; over that the oldest go, as happens only to a clock that leaps again and again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "crypto/x25519.hpp"
#include "identity/peer_record.hpp"
#include "store/batch.hpp"

namespace ekiden::session {

inline constexpr std::size_t kMaxPrekeys = 16;

class Prekeys {
 public:
  /// Milliseconds, for wall times reach further than nanoseconds can count.
  Prekeys(milliseconds rotation, milliseconds horizon) : rotation_(rotation), horizon_(horizon) {}

  /// One row of Table::prekeys. Errors: storage_corrupt.
  Status load(const store::Row& row);

  /// What refresh() did.
  struct Refreshed {
    bool rotated = false;               ///< current() is another one
    std::vector<std::uint32_t> erased;  ///< these are gone
  };
  Refreshed refresh(WallTime now, Rng& rng, store::Batch& batch);

  /// When refresh() will have something to do. REQUIRES: refreshed once.
  WallTime next_due() const;

  /// REQUIRES: refreshed once.
  const identity::Prekey& current() const;
  bool has_current() const { return current_.has_value(); }

  /// nullptr if it is not ours, or its time is over. Valid until the next refresh().
  const crypto::X25519SecretKey* find(std::uint32_t id, WallTime now) const;

  void write_all(store::Batch& batch) const;
  void check_invariants() const;

 private:
  struct Entry {
    crypto::X25519KeyPair pair;
    WallTime created;
    std::optional<WallTime> retired;
  };

  static void put(std::uint32_t id, const Entry& entry, store::Batch& batch);
  void clamp(WallTime now, store::Batch& batch);
  void rotate(WallTime now, Rng& rng, store::Batch& batch);
  bool is_over(const Entry& entry, WallTime now) const { return entry.retired && *entry.retired + horizon_ <= now; }
  std::uint32_t oldest() const;

  milliseconds rotation_;
  milliseconds horizon_;
  std::map<std::uint32_t, Entry> entries_;
  std::optional<identity::Prekey> current_;
};

}  // namespace ekiden::session
