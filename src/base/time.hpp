// The two clocks of a node, as values.
//
// Instant is monotonic and means nothing outside this run of this node: timers and measurements use it. WallTime counts
// from the Unix epoch and is what other nodes see: expiry and signatures use it. It can be wrong by years and can step
// either way, so the two never convert into each other, and no pure module can read either: time is an argument.
#pragma once

#include <chrono>
#include <cstdint>

namespace ekiden {

using Duration = std::chrono::nanoseconds;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace detail {
struct MonoClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  static constexpr bool is_steady = true;
};
struct WallClock {
  using duration = milliseconds;
  using rep = duration::rep;
  using period = duration::period;
  static constexpr bool is_steady = false;
};
}  // namespace detail

using Instant = std::chrono::time_point<detail::MonoClock, Duration>;
using WallTime = std::chrono::time_point<detail::WallClock, milliseconds>;

/// Read once per input by whoever drives the node, and passed down unchanged.
struct Now {
  Instant mono;
  WallTime wall;
};

/// Milliseconds since the Unix epoch: the only form in which a time crosses the wire or the disk.
constexpr std::uint64_t to_unix_ms(WallTime t) {
  const auto count = t.time_since_epoch().count();
  return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

/// The latest time a remote number can name (year 9999); larger values are clamped to it.
inline constexpr std::uint64_t kMaxUnixMs = 253'402'300'799'999;

constexpr WallTime from_unix_ms(std::uint64_t ms) {
  return WallTime(milliseconds(static_cast<std::int64_t>(ms < kMaxUnixMs ? ms : kMaxUnixMs)));
}

}  // namespace ekiden
