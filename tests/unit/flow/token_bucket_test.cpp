#include "flow/token_bucket.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ekiden::flow {
namespace {

Instant at(Duration since) { return Instant(hours(1) + since); }

TEST(TokenBucket, GivesABurstAndThenTheRate) {
  TokenBucket bucket({.per_second = 10, .burst = 3});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(at(seconds(0))));
  EXPECT_FALSE(bucket.take(at(seconds(0))));
  EXPECT_EQ(bucket.wait(at(seconds(0))), milliseconds(100));
  EXPECT_FALSE(bucket.take(at(milliseconds(99))));
  EXPECT_TRUE(bucket.take(at(milliseconds(100))));
  EXPECT_FALSE(bucket.take(at(milliseconds(100))));
}

TEST(TokenBucket, SavesNoMoreThanABurst) {
  TokenBucket bucket({.per_second = 10, .burst = 2});
  EXPECT_TRUE(bucket.is_full(at(seconds(0))));
  EXPECT_TRUE(bucket.take(at(hours(100))));
  EXPECT_FALSE(bucket.is_full(at(hours(100))));
  EXPECT_TRUE(bucket.take(at(hours(100))));
  EXPECT_FALSE(bucket.take(at(hours(100))));
}

RC_GTEST_PROP(TokenBucket, NeverAdmitsMoreThanBurstAndRate, ()) {
  const auto rate = *rc::gen::inRange<std::uint64_t>(1, 2000);
  const auto burst = *rc::gen::inRange<std::uint64_t>(1, 50);
  TokenBucket bucket({.per_second = rate, .burst = burst});
  std::uint64_t taken = 0;
  Duration since{};
  for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 20'000))) {
    since += microseconds(step);
    taken += bucket.take(at(since)) ? 1 : 0;
  }
  // The interval is rounded down to nanoseconds: at 2,000 a second that is less than one in 2^18.
  const auto in_time = static_cast<std::uint64_t>(since.count()) * rate / 1'000'000'000;
  RC_ASSERT(taken <= burst + in_time + 1);
}

}  // namespace
}  // namespace ekiden::flow
