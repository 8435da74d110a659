#include "flow/spare_time.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ekiden::flow {
namespace {

/// Rounded down; the product of a long time and the share would not fit.
Duration part_of(Duration time, std::uint32_t permille) {
  const auto share = static_cast<std::int64_t>(permille);
  return time / 1000 * share + time % 1000 * share / 1000;
}

/// How long it takes to earn this, rounded up.
Duration time_for(Duration work, std::uint32_t permille) {
  return (work / static_cast<std::int64_t>(permille) + nanoseconds(1)) * 1000;
}

}  // namespace

SpareTime::SpareTime(Config config) : config_(config) {
  CHECK(config.busy_permille >= 1 && config.busy_permille <= config.idle_permille && config.idle_permille <= 1000);
}

void SpareTime::occupy(Instant now) {
  earned_ = earned(now);
  at_ = std::max(at_, now);
  busy_until_ = std::max(busy_until_, now + config_.hold);
}

Duration SpareTime::earned(Instant now) const {
  const Duration passed = std::max(now - at_, Duration::zero());
  const Duration busy = std::clamp(busy_until_ - at_, Duration::zero(), passed);
  return earned_ + part_of(busy, config_.busy_permille) + part_of(passed - busy, config_.idle_permille);
}

Instant SpareTime::when(Instant now, Duration wanted) const {
  const Duration missing = wanted - earned(now);
  if (missing <= Duration::zero()) return now;
  const Duration busy = std::max(busy_until_ - now, Duration::zero());
  const Duration by_then = part_of(busy, config_.busy_permille);
  // Each part is rounded down, a nanosecond at most.
  if (missing < by_then) return now + time_for(missing + nanoseconds(2), config_.busy_permille);
  return now + busy + time_for(missing - by_then + nanoseconds(2), config_.idle_permille);
}

}  // namespace ekiden::flow
