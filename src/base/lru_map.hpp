// A map with a maximum: inserting over it evicts the entry that was used longest ago.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <utility>

#include "base/check.hpp"

namespace ekiden {

template <class Key, class Value, class Less = std::less<Key>>
class LruMap {
 public:
  explicit LruMap(std::size_t max_entries) : max_entries_(max_entries) { CHECK(max_entries > 0); }

  /// The value, marked as just used; nullptr if there is none. Valid until the next call that is not const.
  Value* find(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return &found->second->second;
  }

  /// The value without marking it as used.
  const Value* peek(const Key& key) const {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &found->second->second;
  }

  Value& put(const Key& key, Value value) {
    if (Value* existing = find(key)) return *existing = std::move(value);
    if (order_.size() == max_entries_) {
      index_.erase(order_.back().first);
      order_.pop_back();
    }
    order_.emplace_front(key, std::move(value));
    index_.emplace(key, order_.begin());
    return order_.front().second;
  }

  void erase(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    order_.erase(found->second);
    index_.erase(found);
  }

  std::size_t size() const { return order_.size(); }

  /// Most recently used first.
  auto begin() const { return order_.begin(); }
  auto end() const { return order_.end(); }

 private:
  std::size_t max_entries_;
  std::list<std::pair<Key, Value>> order_;
  std::map<Key, typename std::list<std::pair<Key, Value>>::iterator, Less> index_;
};

}  // namespace ekiden
