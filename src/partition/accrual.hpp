// Accrual: how much the silence of somebody whose messages come regularly gives reason to doubt (Hayashibara, Défago,
// Yared, Katayama, "The phi accrual failure detector", SRDS 2004).
//
// Input: when a heartbeat came. Output: phi, minus the decimal logarithm of the probability that the next one comes
// even later, if the time between two is normally distributed as it was lately; and the instant at which phi will have
// reached the threshold, so that nobody has to ask again and again. No timers.
//
// All is integers, phi in thousandths: the tail of the normal distribution is a table, straight between its points.
//
// Bounds: the last kWindow intervals. Mean and deviation are clamped: by the floor, a neighbour that was very regular
// is not suspected for one late heartbeat; by the ceiling, one that lets us wait ever longer does not buy itself time.
// An interval that would have been suspected is not learned from: it was an outage, not a habit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace ekiden::partition {

class Accrual {
 public:
  /// With the defaults, silence is suspected between 2.18 s (of a regular neighbour) and 2.86 s (of any).
  struct Bounds {
    Duration mean_min = milliseconds(500);
    Duration mean_max = milliseconds(750);
    Duration deviation_min = milliseconds(300);
    Duration deviation_max = milliseconds(375);
    std::uint32_t threshold = 8000;  ///< phi in thousandths; at most kMostPhi
  };
  static constexpr std::size_t kWindow = 64;
  static constexpr std::uint32_t kMostPhi = 23'118;  ///< larger ones are this

  /// As if a heartbeat had come at `begun`. REQUIRES: positive bounds, none smaller than its minimum.
  Accrual(const Bounds& bounds, Instant begun);

  /// A heartbeat has come. Time does not run back: an earlier instant than the last counts as the last.
  void heard(Instant now);
  /// For so long nothing could have been heard, since we were not listening.
  void forgive(Duration pause) { last_ += pause; }

  /// In thousandths; never falls while nothing is heard.
  std::uint32_t phi(Instant now) const;
  /// When phi reaches the threshold if nothing is heard.
  Instant suspect_at() const { return last_ + mean_ + wait_; }
  bool is_suspect(Instant now) const { return now >= suspect_at(); }

  Instant last() const { return last_; }
  Duration mean() const { return mean_; }
  Duration deviation() const { return deviation_; }

 private:
  void measure();

  Bounds bounds_;
  Instant last_;
  Duration mean_;
  Duration deviation_;
  Duration wait_;                                  ///< from the mean to the threshold
  std::array<std::int64_t, kWindow> intervals_{};  ///< milliseconds
  std::size_t count_ = 0;
  std::size_t next_ = 0;
};

}  // namespace ekiden::partition
