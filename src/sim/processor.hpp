// The one processor of a simulated machine, which does one thing after the other and takes its time for it.
//
// What an input costs follows from what was computed for it: so much for each input, for each operation on Curve25519
// (crypto/curve_memo.hpp counts them) and for each kilobyte. While it works nothing is read from connections: what has
// come waits in the order in which it came, one read of each connection after the other, as a loop over sockets does
// it. Timers, and what the disk says, are done at once and make it work longer.
//
// Off, unless its model says what an input costs: then nothing takes time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <set>

#include "link/events.hpp"
#include "sim/schedule.hpp"

namespace ekiden::sim {

struct ProcessorModel {
  Duration input{};  ///< zero: everything is done at once
  Duration curve_operation = microseconds(50);
  Duration kilobyte = microseconds(2);
};

class Processor {
 public:
  /// `offer(conn)`: what waits on this connection may be read now.
  Processor(Schedule& schedule, ProcessorModel model, std::function<void(link::ConnId)> offer);

  bool is_free() const { return schedule_.now() >= free_at_; }
  /// Something has come on this connection while it was not free.
  void queue(link::ConnId conn);
  /// Runs it, and is not free before the time that it costs is over.
  void work(std::size_t bytes, const std::function<void()>& input);
  /// It does nothing until then.
  void hold(Instant until) { free_at_ = std::max(free_at_, until); }
  /// All that was ever done.
  Duration worked() const { return worked_; }

 private:
  void wake();

  Schedule& schedule_;
  const ProcessorModel model_;
  const std::function<void(link::ConnId)> offer_;
  std::deque<link::ConnId> waiting_;
  std::set<link::ConnId> is_waiting_;
  Instant free_at_{};
  bool wakes_ = false;  ///< wake() is planned
  Duration worked_{};
};

}  // namespace ekiden::sim
