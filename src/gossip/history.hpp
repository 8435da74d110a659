// The items of a topic that are kept for those who ask: late joiners, and neighbours that missed some.
//
// Bounds: by count, bytes and age; the oldest go first.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "gossip/config.hpp"
#include "gossip/messages.hpp"

namespace ekiden::gossip {

class History {
 public:
  struct Entry {
    std::shared_ptr<const Bytes> item;  ///< signed
    std::uint32_t round = 0;            ///< in which it came; 0: published here
    Instant since{};
  };

  explicit History(const Config& config) : config_(config) {}

  /// REQUIRES: it is not kept.
  void add(Now now, const ItemId& id, std::shared_ptr<const Bytes> item, std::uint32_t round) {
    bytes_ += item->size();
    order_.push_back(id);
    entries_.emplace(id, Entry{std::move(item), round, now.mono});
    while (order_.size() > config_.history_items || bytes_ > config_.history_bytes) drop_first();
  }

  /// Null if it is not kept.
  const Entry* find(const ItemId& id) const {
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
  }

  /// The last `count` that are not too old, the oldest of them first.
  std::vector<Announced> latest(Now now, std::size_t count) {
    while (!order_.empty() && entries_.at(order_.front()).since + config_.history_age < now.mono) drop_first();
    std::vector<Announced> items;
    for (std::size_t i = order_.size() - std::min(count, order_.size()); i < order_.size(); ++i) {
      items.push_back({.id = order_[i], .round = std::min(entries_.at(order_[i]).round + 1, kMaxRound)});
    }
    return items;
  }

  std::size_t size() const { return order_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  void drop_first() {
    const auto first = entries_.find(order_.front());
    bytes_ -= first->second.item->size();
    entries_.erase(first);
    order_.pop_front();
  }

  const Config& config_;
  std::deque<ItemId> order_;
  std::map<ItemId, Entry> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace ekiden::gossip
