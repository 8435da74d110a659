// The reachability score: how good a node is to join through, from what this node itself has seen of it.
//
//   ratio     = (successes + 1) / (probes + 2), over the last 32 probes     Laplace's rule of succession: one success
//                                                                           of one is 2/3, not certainty
//   latency   = 200 ms / (200 ms + L), L the moving average of round trips  (L += (sample - L) / 8, RFC 6298)
//   age       = A / (A + 7 days), A the time from the first success to the last
//   diversity = 1 / N, N the known reached nodes in its most crowded prefix or domain, itself included
//
//   score     = ratio × (5 latency + 3 age + 2 diversity) / 10, and 0 for a node that was never reached
//
// Rationale: a node that does not answer is worth nothing whatever else it has, so the ratio multiplies. Among those
// that answer, the fast ones make joining fast. Nodes that have been there for long stay for longer (measured of
// peer-to-peer networks again and again), and age is what somebody who makes a thousand identities today cannot make.
// Diversity prefers the node of another network: one operator, or one failure, does not decide alone how we join.
//
// Nothing of it comes from others: no list, record or claim of a node changes its score. All numbers are integers in
// units of 1 / kFullScore, so that every machine and every replay decides the same.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace ekiden::bootstrap {

inline constexpr std::uint32_t kFullScore = 10'000;
inline constexpr std::uint32_t kMaxOutcomes = 32;
inline constexpr microseconds kMaxLatency = std::chrono::seconds(60);  ///< Larger samples count as this.

/// What was seen of one node.
struct Standing {
  std::uint32_t outcomes = 0;  ///< Bit 0 the last probe, bit 1 the one before …; set if it reached the node.
  std::uint32_t probes = 0;    ///< How many bits count, at most kMaxOutcomes.
  microseconds latency{};      ///< 0 until it was reached; then at least 1.
  WallTime first_reached{};
  WallTime last_reached{};

  bool was_reached() const { return latency.count() > 0; }

  void succeed(Duration round_trip, WallTime now);
  void fail();

  /// What no sequence of succeed() and fail() can make; for rows from the disk.
  bool is_sound() const;

  friend bool operator==(const Standing&, const Standing&) = default;
};

/// 0 to kFullScore. `neighbours`: N of the formula; 0 counts as 1.
std::uint32_t score_of(const Standing& standing, std::size_t neighbours);

}  // namespace ekiden::bootstrap
