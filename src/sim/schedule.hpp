// Virtual time: what happens next, and when. Events at the same instant happen in the order in which they were asked
// for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/time.hpp"

namespace ekiden::sim {

class Schedule {
 public:
  using Action = std::function<void()>;

  Instant now() const { return now_; }

  void at(Instant when, Action action) {
    events_.push_back({when < now_ ? now_ : when, next_order_++, std::move(action)});
    std::push_heap(events_.begin(), events_.end(), Later{});
  }
  void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }

  /// Runs the next event, if it is not after `limit`. False if there was none.
  bool step(Instant limit) {
    if (events_.empty() || events_.front().when > limit) return false;
    std::pop_heap(events_.begin(), events_.end(), Later{});
    Event event = std::move(events_.back());
    events_.pop_back();
    CHECK(event.when >= now_);
    now_ = event.when;
    event.action();
    return true;
  }

  /// Moves the time forward over a stretch without events.
  void advance_to(Instant when) {
    CHECK(events_.empty() || events_.front().when >= when);
    if (when > now_) now_ = when;
  }

  std::size_t pending() const { return events_.size(); }

 private:
  struct Event {
    Instant when;
    std::uint64_t order;
    Action action;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
  };

  Instant now_{};
  std::uint64_t next_order_ = 0;
  std::vector<Event> events_;  ///< a heap; std::priority_queue cannot give its top away
};

}  // namespace ekiden::sim
