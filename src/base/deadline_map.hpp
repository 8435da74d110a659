// Timers by key: at most one deadline per key, the earliest first.
//
// Engines pull their timers: deadline() tells the driver when to call, on_deadline() takes what is due. Setting a key
// again moves its deadline; a deadline that is gone is simply not found, so a spurious call is harmless. Equal
// deadlines come in key order, which keeps simulations reproducible.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/time.hpp"

namespace ekiden {

template <class Key>
class DeadlineMap {
 public:
  /// O(log n).
  void set(const Key& key, Instant at) {
    const auto [entry, fresh] = by_key_.try_emplace(key, at);
    if (!fresh) {
      by_time_.erase({entry->second, key});
      entry->second = at;
    }
    by_time_.emplace(at, key);
    note_earliest();
  }

  /// Sets the deadline only if there is none or it is later.
  void set_no_later_than(const Key& key, Instant at) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end() || at < found->second) set(key, at);
  }

  void cancel(const Key& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    by_time_.erase({found->second, key});
    by_key_.erase(found);
    note_earliest();
  }

  std::optional<Instant> earliest() const { return earliest_; }

  /// Removes and returns the first key whose deadline is not after `now`, or nothing.
  std::optional<Key> pop_due(Instant now) {
    if (!earliest_ || *earliest_ > now) return std::nullopt;
    auto key = by_time_.begin()->second;
    by_time_.erase(by_time_.begin());
    by_key_.erase(key);
    note_earliest();
    return key;
  }

  std::optional<Instant> at(const Key& key) const {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return std::nullopt;
    return found->second;
  }

  std::size_t size() const { return by_key_.size(); }
  bool empty() const { return by_key_.empty(); }

 private:
  void note_earliest() { earliest_ = by_time_.empty() ? std::nullopt : std::optional(by_time_.begin()->first); }

  std::map<Key, Instant> by_key_;
  std::set<std::pair<Instant, Key>> by_time_;
  /// Kept here, for a node asks each of its engines after whatever it does: the tree lies elsewhere in memory.
  std::optional<Instant> earliest_;
};

/// The earlier of two deadlines, where either may be missing.
inline std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
  if (!a) return b;
  if (!b) return a;
  return *a < *b ? a : b;
}

}  // namespace ekiden
