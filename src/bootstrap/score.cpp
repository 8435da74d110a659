#include "bootstrap/score.hpp"

#include <algorithm>
#include <bit>

namespace ekiden::bootstrap {
namespace {

constexpr std::uint64_t kOne = kFullScore;
constexpr microseconds kHalfLatency = milliseconds(200);  ///< Worth half of no latency at all.
constexpr seconds kHalfAge = days(7);                     ///< Worth half of eternity.
constexpr seconds kMaxAge = days(3650);

std::uint64_t ratio_of(const Standing& standing) {
  const auto successes = static_cast<std::uint64_t>(std::popcount(standing.outcomes));
  return kOne * (successes + 1) / (standing.probes + 2);
}

std::uint64_t latency_part(const Standing& standing) {
  const auto half = static_cast<std::uint64_t>(kHalfLatency.count());
  return kOne * half / (half + static_cast<std::uint64_t>(standing.latency.count()));
}

/// The wall clock may have leapt between the two: then the age is none, or ten years.
std::uint64_t age_part(const Standing& standing) {
  const auto span = std::chrono::duration_cast<seconds>(standing.last_reached - standing.first_reached);
  const auto age = static_cast<std::uint64_t>(std::clamp(span, seconds(0), kMaxAge).count());
  return kOne * age / (age + static_cast<std::uint64_t>(kHalfAge.count()));
}

}  // namespace

void Standing::succeed(Duration round_trip, WallTime now) {
  const auto sample = std::clamp(std::chrono::duration_cast<microseconds>(round_trip), microseconds(1), kMaxLatency);
  if (was_reached()) {
    latency = std::max(latency + (sample - latency) / 8, microseconds(1));
  } else {
    latency = sample;
    first_reached = now;
  }
  last_reached = now;
  outcomes = outcomes << 1 | 1;
  probes = std::min(probes + 1, kMaxOutcomes);
}

void Standing::fail() {
  outcomes <<= 1;
  probes = std::min(probes + 1, kMaxOutcomes);
}

bool Standing::is_sound() const {
  const bool bits_fit = probes == kMaxOutcomes || (probes < kMaxOutcomes && outcomes >> probes == 0);
  return bits_fit && latency >= microseconds(0) && latency <= kMaxLatency && (was_reached() || outcomes == 0);
}

std::uint32_t score_of(const Standing& standing, std::size_t neighbours) {
  if (!standing.was_reached()) return 0;
  const std::uint64_t diversity = kOne / std::max<std::uint64_t>(neighbours, 1);
  const std::uint64_t worth = (5 * latency_part(standing) + 3 * age_part(standing) + 2 * diversity) / 10;
  return static_cast<std::uint32_t>(ratio_of(standing) * worth / kOne);
}

}  // namespace ekiden::bootstrap
