// The first flights that were answered lately, by the beginnings of their ephemeral keys: a copy is not answered again.
//
// Bounds: `max_flights` of 16 bytes; the oldest is forgotten first. Looking one up compares with all, which is nothing
// beside the handshake that it saves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace ekiden::datagram {

class RecentFlights {
 public:
  using Mark = ByteArray<16>;

  explicit RecentFlights(std::size_t max_flights) : max_(max_flights) { CHECK(max_flights > 0); }

  bool contains(const Mark& mark) const { return std::ranges::find(marks_, mark) != marks_.end(); }

  void add(const Mark& mark) {
    if (marks_.size() < max_) {
      marks_.push_back(mark);
      return;
    }
    marks_[oldest_] = mark;
    oldest_ = (oldest_ + 1) % max_;
  }

 private:
  std::size_t max_;
  std::vector<Mark> marks_;
  std::size_t oldest_ = 0;
};

}  // namespace ekiden::datagram
