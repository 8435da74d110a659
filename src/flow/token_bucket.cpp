#include "flow/token_bucket.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ekiden::flow {
namespace {

constexpr std::uint64_t kMax = 1'000'000'000;

}  // namespace

TokenBucket::TokenBucket(Rate rate) {
  CHECK(rate.per_second >= 1 && rate.per_second <= kMax && rate.burst >= 1 && rate.burst <= kMax);
  interval_ = Duration(seconds(1)) / static_cast<std::int64_t>(rate.per_second);
  tolerance_ = interval_ * static_cast<std::int64_t>(rate.burst - 1);
}

bool TokenBucket::take(Instant now) {
  if (wait(now) > Duration::zero()) return false;
  paid_until_ = std::max(paid_until_, now) + interval_;
  return true;
}

Duration TokenBucket::wait(Instant now) const { return std::max(paid_until_ - tolerance_ - now, Duration::zero()); }

}  // namespace ekiden::flow
