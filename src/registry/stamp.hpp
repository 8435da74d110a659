// Hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014): stamps that follow the wall clock and still
// order what one node has seen before what it does next.
//
// Input: the wall clock as an argument, and the stamp that the next one has to follow. Output: a stamp. No timers.
//
// Rules, and why:
//   - a stamp that was made elsewhere never moves this clock: the next stamp follows it for the one key that it belongs
//     to, and no other. The published clock adopts the largest time that it hears of, so one member whose clock is a
//     year ahead would carry everybody's with it;
//   - a stamp further ahead than kMaxAhead is refused wherever it comes from (is_ahead). So the most that somebody
//   gains
//     by a wrong clock is to win that much longer against those who may write the same key;
//   - stamps of our own from a time when our clock was ahead do not bind us once it is right again.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "wire/message.hpp"

namespace ekiden::registry {

/// How far in our future a stamp may be.
inline constexpr milliseconds kMaxAhead = minutes(5);

struct Stamp {
  static constexpr std::string_view kName = "stamp";

  std::uint64_t ms = 0;       ///< since the Unix epoch; at most kMaxUnixMs, and not clamped: it is refused
  std::uint32_t counter = 0;  ///< among those of one millisecond

  static constexpr auto kFields =
      wire::fields(wire::field<1>("ms", &Stamp::ms), wire::field<2>("counter", &Stamp::counter));
  friend auto operator<=>(const Stamp&, const Stamp&) = default;
};

/// The next one up. REQUIRES: stamp.ms is at most kMaxUnixMs.
constexpr Stamp successor(Stamp stamp) {
  if (stamp.counter < std::numeric_limits<std::uint32_t>::max()) return {stamp.ms, stamp.counter + 1};
  return {stamp.ms + 1, 0};
}

/// True if nobody with a clock like ours can have made it yet.
constexpr bool is_ahead(const Stamp& stamp, WallTime wall) {
  return stamp.ms > to_unix_ms(wall) + static_cast<std::uint64_t>(kMaxAhead.count());
}

class HybridClock {
 public:
  /// Larger than all that it gave before and than `seen`. Errors: refused if `seen` is ahead.
  Result<Stamp> next(WallTime wall, const Stamp& seen = {}) {
    if (is_ahead(seen, wall)) {
      return fail(Errc::refused, "what is there was written in the future: check the clock of this machine");
    }
    const std::uint64_t ms = to_unix_ms(wall);
    if (is_ahead(last_, wall) || ms > last_.ms) {
      last_ = {ms, 0};
    } else {
      last_ = successor(last_);
    }
    return seen < last_ ? last_ : successor(seen);
  }

  /// The last that it gave.
  const Stamp& last() const { return last_; }
  /// What it had given before a restart.
  void restore(const Stamp& last) { last_ = std::max(last_, last); }

 private:
  Stamp last_;
};

}  // namespace ekiden::registry
