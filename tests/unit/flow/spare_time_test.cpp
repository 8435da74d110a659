#include "flow/spare_time.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ekiden::flow {
namespace {

Instant after(Duration since) { return Instant(hours(1) + since); }

TEST(SpareTime, RunsAtOneRateWhileItIsQuietAndAtAnotherAfterAWord) {
  SpareTime spare({.busy_permille = 10, .idle_permille = 500, .hold = seconds(2)});
  const Duration before = spare.earned(after(seconds(0)));
  EXPECT_EQ(spare.earned(after(seconds(4))), before + seconds(2));
  spare.occupy(after(seconds(4)));
  EXPECT_TRUE(spare.is_busy(after(seconds(5))));
  EXPECT_EQ(spare.earned(after(seconds(5))), before + seconds(2) + milliseconds(10));
  EXPECT_FALSE(spare.is_busy(after(seconds(6))));
  EXPECT_EQ(spare.earned(after(seconds(10))), before + seconds(4) + milliseconds(20)) << "busy for two, quiet for four";
}

TEST(SpareTime, StaysBusyWhileWordsFollowEachOther) {
  SpareTime spare({.busy_permille = 1, .idle_permille = 1000, .hold = seconds(1)});
  spare.occupy(after(seconds(0)));
  const Duration before = spare.earned(after(seconds(0)));
  for (int i = 1; i < 100; ++i) spare.occupy(after(milliseconds(900) * i));
  EXPECT_LT(spare.earned(after(milliseconds(900) * 99)), before + milliseconds(100));
}

RC_GTEST_PROP(SpareTime, TellsWhenSomethingWillBeEarned, ()) {
  const auto busy = *rc::gen::inRange<std::uint32_t>(1, 1000);
  const auto idle = *rc::gen::inRange<std::uint32_t>(busy, 1001);
  SpareTime spare({.busy_permille = busy, .idle_permille = idle, .hold = milliseconds(100)});
  Duration since{};
  Duration before{};
  for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 400'000))) {
    since += microseconds(step);
    if (step % 2 == 0) spare.occupy(after(since));
    const Duration wanted = spare.earned(after(since)) + microseconds(step);
    const Instant when = spare.when(after(since), wanted);
    RC_ASSERT(spare.earned(when) >= wanted);
    const Instant early = when - microseconds(10);
    if (early > after(since)) RC_ASSERT(spare.earned(early) < wanted);
    RC_ASSERT(spare.earned(after(since)) >= before);
    before = spare.earned(after(since));
  }
}

}  // namespace
}  // namespace ekiden::flow
