// Bytes given to the store and not yet on disk, and whether more may come.
//
// Over `limit` the backlog is congested until it has fallen to half of it, so that a store that keeps up only just is
// not switched on and off at every batch. Rationale: a disk slower than the network would otherwise let the queue of
// the store grow as long as peers send; who does not read makes TCP slow them down instead.
#pragma once

#include <cstddef>
#include <deque>

#include "store/batch.hpp"

namespace ekiden::runtime {

class Backlog {
 public:
  explicit Backlog(std::size_t limit) : limit_(limit) {}

  /// REQUIRES: growing tokens.
  void add(store::PersistToken token, std::size_t bytes) {
    waiting_.push_back({token, bytes});
    bytes_ += bytes;
    if (bytes_ > limit_) congested_ = true;
  }

  void persisted(store::PersistToken up_to) {
    while (!waiting_.empty() && waiting_.front().token <= up_to) {
      bytes_ -= waiting_.front().bytes;
      waiting_.pop_front();
    }
    if (bytes_ <= limit_ / 2) congested_ = false;
  }

  bool congested() const { return congested_; }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    store::PersistToken token{};
    std::size_t bytes = 0;
  };

  const std::size_t limit_;
  std::deque<Entry> waiting_;
  std::size_t bytes_ = 0;
  bool congested_ = false;
};

}  // namespace ekiden::runtime
