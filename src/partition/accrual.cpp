#include "partition/accrual.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ekiden::partition {
namespace {

/// 1000 times -log10 of the upper tail of the standard normal distribution, at 0, 1/4, 2/4 ... 10 deviations.
constexpr std::array<std::uint32_t, 41> kTail = {301,
                                                 397,
                                                 511,
                                                 645,
                                                 800,
                                                 976,
                                                 1175,
                                                 1397,
                                                 1643,
                                                 1913,
                                                 2207,
                                                 2526,
                                                 2870,
                                                 3239,
                                                 3633,
                                                 4053,
                                                 4499,
                                                 4971,
                                                 5469,
                                                 5993,
                                                 6543,
                                                 7119,
                                                 7721,
                                                 8350,
                                                 9006,
                                                 9688,
                                                 10'396,
                                                 11'131,
                                                 11'893,
                                                 12'681,
                                                 13'496,
                                                 14'338,
                                                 15'206,
                                                 16'101,
                                                 17'023,
                                                 17'972,
                                                 18'947,
                                                 19'950,
                                                 20'979,
                                                 22'035,
                                                 Accrual::kMostPhi};
constexpr std::int64_t kSteps = 4;  ///< of the table, in a deviation

/// Fewer intervals than this say little about the next one.
constexpr std::size_t kFewest = 8;

/// The largest integer whose square is not larger.
std::int64_t square_root(std::int64_t number) {
  std::int64_t low = 0;
  std::int64_t high = 1'000'000;  // Of intervals in milliseconds that a bound has passed.
  while (low < high) {
    const std::int64_t middle = (low + high + 1) / 2;
    if (middle * middle <= number) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/// How long after the mean phi reaches the threshold.
Duration wait_for(std::uint32_t threshold, Duration deviation) {
  const auto above = std::ranges::lower_bound(kTail, threshold);
  if (above == kTail.begin()) return Duration(0);
  const auto step = above - kTail.begin() - 1;
  const std::int64_t from = *(above - 1);
  const std::int64_t rise = *above - from;
  const std::int64_t part = std::int64_t{threshold} - from;
  // Rounded up, so that the threshold is reached then and not a nanosecond later.
  return deviation * step / kSteps + (deviation * part + Duration(rise * kSteps - 1)) / (rise * kSteps) + Duration(1);
}

}  // namespace

Accrual::Accrual(const Bounds& bounds, Instant begun) : bounds_(bounds), last_(begun) {
  CHECK(bounds.mean_min > Duration(0) && bounds.mean_min <= bounds.mean_max && bounds.mean_max <= hours(1));
  CHECK(bounds.deviation_min > Duration(0) && bounds.deviation_min <= bounds.deviation_max);
  CHECK(bounds.deviation_max <= hours(1) && bounds.threshold <= kMostPhi);
  measure();
}

void Accrual::heard(Instant now) {
  if (now <= last_) now = last_;
  if (!is_suspect(now)) {
    intervals_[next_] = std::chrono::duration_cast<milliseconds>(now - last_).count();
    next_ = (next_ + 1) % kWindow;
    count_ = std::min(count_ + 1, kWindow);
    measure();
  }
  last_ = now;
}

void Accrual::measure() {
  mean_ = bounds_.mean_max;
  deviation_ = bounds_.deviation_max;
  if (count_ >= kFewest) {
    const auto count = static_cast<std::int64_t>(count_);
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < count_; ++i) sum += intervals_[i];
    const std::int64_t mean = sum / count;
    std::int64_t squares = 0;
    for (std::size_t i = 0; i < count_; ++i) squares += (intervals_[i] - mean) * (intervals_[i] - mean);
    mean_ = std::clamp<Duration>(milliseconds(mean), bounds_.mean_min, bounds_.mean_max);
    deviation_ =
        std::clamp<Duration>(milliseconds(square_root(squares / count)), bounds_.deviation_min, bounds_.deviation_max);
  }
  wait_ = wait_for(bounds_.threshold, deviation_);
}

std::uint32_t Accrual::phi(Instant now) const {
  const Duration late = now - last_ - mean_;
  if (late <= Duration(0)) return kTail.front();  // The half that comes earlier is nothing to doubt.
  const std::int64_t step = late / (deviation_ / kSteps);
  if (step >= std::ssize(kTail) - 1) return kMostPhi;
  const auto at = static_cast<std::size_t>(step);
  const Duration beyond = late - deviation_ / kSteps * step;
  const std::int64_t rise = kTail[at + 1] - kTail[at];
  return kTail[at] + static_cast<std::uint32_t>(beyond * rise / (deviation_ / kSteps));
}

}  // namespace ekiden::partition
