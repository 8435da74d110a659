// A map with a maximum: inserting over it evicts the entry that was used longest ago.
//
// One allocation per entry: the order of use runs through the nodes of the map, which do not move.
#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <utility>

#include "base/check.hpp"

namespace ekiden {

template <class Key, class Value, class Less = std::less<Key>>
class LruMap {
  struct Entry;
  using Node = std::pair<const Key, Entry>;
  struct Entry {
    Value value;
    Node* newer = nullptr;
    Node* older = nullptr;
  };

 public:
  /// Gives the entries as pairs of references, the most recently used first.
  class Iterator {
   public:
    using value_type = std::pair<const Key&, const Value&>;
    using reference = value_type;
    using pointer = void;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    explicit Iterator(const Node* node) : node_(node) {}
    value_type operator*() const { return {node_->first, node_->second.value}; }
    Iterator& operator++() {
      node_ = node_->second.older;
      return *this;
    }
    Iterator operator++(int) { return std::exchange(*this, Iterator(node_->second.older)); }
    bool operator==(const Iterator&) const = default;

   private:
    const Node* node_;
  };

  explicit LruMap(std::size_t max_entries) : max_entries_(max_entries) { CHECK(max_entries > 0); }
  LruMap(const LruMap&) = delete;
  LruMap& operator=(const LruMap&) = delete;

  /// The value, marked as just used; nullptr if there is none. Valid until the next call that is not const.
  Value* find(const Key& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    unlink(*found);
    link_first(*found);
    return &found->second.value;
  }

  /// The value without marking it as used.
  const Value* peek(const Key& key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second.value;
  }

  Value& put(const Key& key, Value value) {
    if (Value* existing = find(key)) return *existing = std::move(value);
    if (entries_.size() == max_entries_) erase(oldest());
    const auto entry = entries_.emplace(key, Entry{.value = std::move(value)}).first;
    link_first(*entry);
    return entry->second.value;
  }

  /// Each value, in the order of keys, without marking it as used.
  template <class Change>
  void for_each(Change change) {
    for (auto& [key, entry] : entries_) change(entry.value);
  }

  void erase(const Key& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    unlink(*found);
    entries_.erase(found);
  }

  std::size_t size() const { return entries_.size(); }

  /// The one used longest ago. REQUIRES: not empty. Valid until it is erased.
  const Key& oldest() const { return oldest_->first; }

  Iterator begin() const { return Iterator(newest_); }
  Iterator end() const { return Iterator(nullptr); }

 private:
  void link_first(Node& node) {
    node.second.newer = nullptr;
    node.second.older = newest_;
    (newest_ == nullptr ? oldest_ : newest_->second.newer) = &node;
    newest_ = &node;
  }

  void unlink(Node& node) {
    const Entry& entry = node.second;
    (entry.newer == nullptr ? newest_ : entry.newer->second.older) = entry.older;
    (entry.older == nullptr ? oldest_ : entry.older->second.newer) = entry.newer;
  }

  std::size_t max_entries_;
  std::map<Key, Entry, Less> entries_;
  Node* newest_ = nullptr;
  Node* oldest_ = nullptr;
};

}  // namespace ekiden
