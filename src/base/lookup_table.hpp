// A hash table without an order, for what is only looked up: it cannot be iterated, so that nothing can come to depend
// on where its entries happen to lie. References to values stay valid until their entry is erased.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <utility>

namespace ekiden {

template <class Key, class Value, class Hash>
class LookupTable {
 public:
  void insert_or_assign(const Key& key, Value value) { entries_.insert_or_assign(key, std::move(value)); }
  /// A new one if there is none.
  Value& operator[](const Key& key) { return entries_[key]; }
  bool erase(const Key& key) { return entries_.erase(key) > 0; }

  /// Null if there is none.
  const Value* find(const Key& key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
  }

  std::size_t size() const { return entries_.size(); }

 private:
  std::unordered_map<Key, Value, Hash> entries_;
};

}  // namespace ekiden
