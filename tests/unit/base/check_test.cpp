#include "base/check.hpp"

#include <gtest/gtest.h>

namespace ekiden {
namespace {

TEST(Check, LetsTrueConditionsPassAndEvaluatesThemOnce) {
  int evaluations = 0;
  CHECK(++evaluations == 1);
  EXPECT_EQ(evaluations, 1);
}

TEST(CheckDeathTest, NamesTheConditionAndThePlaceAndAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(CHECK(1 + 1 == 3), testing::KilledBySignal(SIGABRT),
              "check_test.cpp:[0-9]+: CHECK\\(1 \\+ 1 == 3\\) failed");
}

#if !defined(NDEBUG) || defined(EKIDEN_ASSUME)
TEST(CheckDeathTest, ChecksAssumptionsInDebugBuilds) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(ASSUME(false), testing::KilledBySignal(SIGABRT), "CHECK\\(false\\) failed");
}
#else
TEST(Check, DoesNotEvaluateAssumptionsInReleaseBuilds) {
  int evaluations = 0;
  ASSUME(++evaluations == 1);
  EXPECT_EQ(evaluations, 0);
}
#endif

}  // namespace
}  // namespace ekiden
