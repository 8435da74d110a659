#include "partition/accrual.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "support/identities.hpp"

namespace ekiden::partition {
namespace {

const Instant kBegun = test::at(Duration(0)).mono;

/// After these intervals, in milliseconds.
Accrual fed(const std::vector<std::uint16_t>& intervals, Instant& now) {
  Accrual accrual({}, now);
  for (const std::uint16_t interval : intervals) {
    now += milliseconds(interval % 5000);
    accrual.heard(now);
  }
  return accrual;
}

TEST(Accrual, SuspectsARegularNeighbourWhenTheTailSaysSo) {
  Instant now = kBegun;
  const Accrual accrual = fed(std::vector<std::uint16_t>(64, 500), now);
  EXPECT_EQ(accrual.mean(), milliseconds(500));
  EXPECT_EQ(accrual.deviation(), milliseconds(300));
  EXPECT_EQ(accrual.phi(now + milliseconds(500)), 301U);  // Half of all come later.
  EXPECT_EQ(accrual.phi(now + milliseconds(800)), 800U);  // 0.1587, one deviation later.
  EXPECT_EQ(accrual.phi(now + milliseconds(1400)), 2870U);
  EXPECT_EQ(accrual.phi(now + hours(1)), Accrual::kMostPhi);
  EXPECT_NEAR(static_cast<double>((accrual.suspect_at() - now) / milliseconds(1)), 2183, 2);
}

TEST(Accrual, IsNotDeceivedByAnOutage) {
  Instant now = kBegun;
  Accrual accrual = fed(std::vector<std::uint16_t>(64, 500), now);
  const Duration before = accrual.suspect_at() - now;
  for (int i = 0; i < 10; ++i) accrual.heard(now += seconds(60));
  EXPECT_EQ(accrual.suspect_at() - now, before);
}

TEST(Accrual, ForgivesWhatNobodyListenedTo) {
  Instant now = kBegun;
  Accrual accrual = fed({500, 500}, now);
  const Instant before = accrual.suspect_at();
  accrual.forgive(seconds(2));
  EXPECT_EQ(accrual.suspect_at(), before + seconds(2));
  accrual.heard(now);  // Earlier than what counts as the last: time does not run back.
  EXPECT_EQ(accrual.last(), now + seconds(2));
}

RC_GTEST_PROP(Accrual, SuspectsEverybodyWithinThreeSecondsAndNobodyWithinTwo,
              (const std::vector<std::uint16_t>& intervals)) {
  Instant now = kBegun;
  const Accrual accrual = fed(intervals, now);
  RC_ASSERT(accrual.suspect_at() - now > seconds(2));
  RC_ASSERT(accrual.suspect_at() - now < seconds(3));
  RC_ASSERT(!accrual.is_suspect(now));
}

RC_GTEST_PROP(Accrual, ReachesTheThresholdExactlyWhenItSays, (const std::vector<std::uint16_t>& intervals)) {
  Instant now = kBegun;
  const Accrual accrual = fed(intervals, now);
  RC_ASSERT(accrual.phi(accrual.suspect_at() + milliseconds(1)) >= Accrual::Bounds{}.threshold);
  RC_ASSERT(accrual.phi(accrual.suspect_at() - milliseconds(1)) < Accrual::Bounds{}.threshold);
}

RC_GTEST_PROP(Accrual, NeverDoubtsLessAsTimePasses,
              (const std::vector<std::uint16_t>& intervals, std::uint16_t a, std::uint16_t b)) {
  Instant now = kBegun;
  const Accrual accrual = fed(intervals, now);
  const auto [less, more] = std::minmax(a, b);
  RC_ASSERT(accrual.phi(now + milliseconds(less)) <= accrual.phi(now + milliseconds(more)));
}

}  // namespace
}  // namespace ekiden::partition
