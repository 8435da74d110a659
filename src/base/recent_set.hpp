// A set of what was put in lately, with a maximum, in little memory: for what is only asked whether it is there.
//
// Two generations, each a sorted array: when the younger one is full, the older one goes. So at least the last
// `max_entries / 2` keys are there, and at most `max_entries`. A key costs its own size, with the room that an array
// keeps, where an entry of a list in a tree costs six times as much.
//
// Costs: contains O(log n); put moves up to n keys, which is for sets of a few thousand.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "base/check.hpp"

namespace ekiden {

template <class Key>
class RecentSet {
 public:
  /// REQUIRES: max_entries > 1.
  explicit RecentSet(std::size_t max_entries) : max_young_(max_entries / 2) { CHECK(max_young_ > 0); }

  void put(const Key& key) {
    auto place = std::ranges::lower_bound(young_, key);
    if (place != young_.end() && *place == key) return;
    if (young_.size() == max_young_) {
      old_ = std::exchange(young_, {});
      place = young_.end();
    }
    young_.insert(place, key);
  }

  bool contains(const Key& key) const {
    return std::ranges::binary_search(young_, key) || std::ranges::binary_search(old_, key);
  }

 private:
  std::size_t max_young_;
  std::vector<Key> young_;
  std::vector<Key> old_;
};

}  // namespace ekiden
