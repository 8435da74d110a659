// What may be spent on others: a clock that runs slower while somebody of ours wants something.
//
// It counts time of work. While nobody wants anything it earns `idle_permille` of the time that passes, and from
// occupy() until `hold` later `busy_permille`. A debt that is written down in it is paid off sooner when it is quiet:
// what others may have is limited hardest only while there is better use for it.
//
// A plain value: no timer. Invariant: what is earned never decreases.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace ekiden::flow {

class SpareTime {
 public:
  struct Config {
    std::uint32_t busy_permille = 25;   ///< REQUIRES: 1 to 1000
    std::uint32_t idle_permille = 250;  ///< REQUIRES: busy_permille to 1000
    Duration hold = milliseconds(250);  ///< after the last word of somebody of ours: it will say more, probably
  };

  explicit SpareTime(Config config);

  /// Somebody of ours wants something now. REQUIRES: times do not decrease.
  void occupy(Instant now);
  bool is_busy(Instant now) const { return now < busy_until_; }

  /// Up to now, since some moment in the past.
  Duration earned(Instant now) const;
  /// When so much will be earned, unless it is occupied once more. `now` if it is already.
  Instant when(Instant now, Duration earned) const;

 private:
  Config config_;
  Duration earned_{};
  Instant at_{};  ///< up to which it is counted in earned_
  Instant busy_until_{};
};

}  // namespace ekiden::flow
