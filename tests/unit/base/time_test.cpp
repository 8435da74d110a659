#include "base/time.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <type_traits>

namespace ekiden {
namespace {

TEST(WallTime, ClampsWhatARemoteNumberCanName) {
  EXPECT_EQ(to_unix_ms(from_unix_ms(0)), 0U);
  EXPECT_EQ(to_unix_ms(from_unix_ms(1'700'000'000'123)), 1'700'000'000'123U);
  EXPECT_EQ(to_unix_ms(from_unix_ms(kMaxUnixMs)), kMaxUnixMs);
  EXPECT_EQ(to_unix_ms(from_unix_ms(kMaxUnixMs + 1)), kMaxUnixMs);
  EXPECT_EQ(to_unix_ms(from_unix_ms(std::numeric_limits<std::uint64_t>::max())), kMaxUnixMs);
}

TEST(WallTime, WritesTimesBeforeTheEpochAsTheEpoch) { EXPECT_EQ(to_unix_ms(WallTime(milliseconds(-5))), 0U); }

TEST(WallTime, CanBeAddedToAtItsEndWithoutOverflow) {
  const WallTime last = from_unix_ms(std::numeric_limits<std::uint64_t>::max());
  EXPECT_GT(last + days(36'500), last);
}

TEST(Clocks, NeverConvertIntoEachOther) {
  EXPECT_FALSE((std::is_convertible_v<Instant, WallTime>));
  EXPECT_FALSE((std::is_convertible_v<WallTime, Instant>));
  EXPECT_FALSE((std::is_constructible_v<Instant, WallTime>));
  EXPECT_FALSE((std::is_constructible_v<WallTime, Instant>));
}

}  // namespace
}  // namespace ekiden
