// Renewals: which entries of ours are to be written again before they expire, and when.
//
// Inputs: what our user wants, rows of the store, the wall clock. Outputs: rows, and the next entry that is due. It is
// due after half to three quarters of its lifetime, at random, so that what was put together is not renewed together,
// and a node that was away for a while is still in time.
//
// Bounds: an entry of ours for each. Timers: none of its own; due() says when.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/rng.hpp"
#include "registry/entry.hpp"
#include "store/batch.hpp"

namespace ekiden::registry {

class Renewals {
 public:
  /// `rng` outlives this.
  explicit Renewals(Rng& rng) : rng_(rng) {}

  /// Whether a row of Table::registry is one of these.
  static bool is_row(ByteView name);
  static void erase_row(const EntryId& id, store::Batch& batch);
  /// It is due at once, or when schedule() says. Errors: malformed.
  Status load_row(ByteView name, ByteView value);

  /// The entry is to be renewed for this long each time; it was written now.
  void put(const EntryId& id, milliseconds lifetime, WallTime written, store::Batch& batch);
  /// No more. Nothing if it is not to be renewed.
  void erase(const EntryId& id, store::Batch& batch);
  /// It was written then. REQUIRES: it is to be renewed.
  void schedule(const EntryId& id, WallTime written);
  /// Not before then. REQUIRES: it is to be renewed.
  void put_off(const EntryId& id, WallTime until);
  /// All are due: the clock was wrong.
  void hurry(WallTime now);

  bool contains(const EntryId& id) const { return items_.contains(id); }
  std::optional<WallTime> due() const;
  struct Item {
    EntryId id;
    milliseconds lifetime{};
  };
  /// The first that is due by now; it stays.
  std::optional<Item> next(WallTime now) const;
  std::vector<EntryId> ids() const;
  std::size_t size() const { return items_.size(); }
  void check_invariants() const;

 private:
  struct Of {
    milliseconds lifetime{};
    WallTime due{};
  };

  void set_due(const EntryId& id, Of& of, WallTime due);

  Rng& rng_;
  std::map<EntryId, Of> items_;
  std::set<std::pair<WallTime, EntryId>> by_due_;
};

}  // namespace ekiden::registry
