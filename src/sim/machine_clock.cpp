// The wall clock of a machine, and what depends on whether it is right.
#include "sim/machine.hpp"

namespace ekiden::sim {
namespace {

/// A clock that is off by more misleads those who look at times of others.
constexpr Duration kRightClock = minutes(5);

}  // namespace

Now Machine::now() const {
  const Instant mono = shared_.schedule.now();
  return {mono, kEpoch + std::chrono::duration_cast<milliseconds>(mono.time_since_epoch() + wall_error())};
}

void Machine::step_wall(Duration by) {
  if (by == Duration(0)) return;
  wall_offset_ += by;
  in_order_since_ = shared_.schedule.now();
}

bool Machine::is_in_order_since(Duration time) const {
  return is_up() && std::chrono::abs(wall_error()) <= kRightClock && shared_.schedule.now() >= in_order_since_ + time;
}

bool Machine::wall_is_lost() const { return std::chrono::abs(wall_error()) > hours(24); }

Duration Machine::wall_error() const {
  const auto elapsed_us = std::chrono::duration_cast<microseconds>(shared_.schedule.now().time_since_epoch()).count();
  return wall_offset_ + nanoseconds(elapsed_us / 1000 * drift_ppm_);
}

void Machine::leave_record() {
  if (is_leaving_ || !is_in_order_since(kAtHome)) return;
  const auto record = identity::verify_record(node_->own_record(), wall_time());
  if (record && wall_time() - record->issued_at >= kPublishing) left_record_ = *record;
}

}  // namespace ekiden::sim
