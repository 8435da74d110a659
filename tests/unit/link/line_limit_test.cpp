#include "link/line_limit.hpp"

#include <gtest/gtest.h>

namespace ekiden::link {
namespace {

TEST(LineLimit, SaysTheFirstOfASecondAndThenHowManyItLeftOut) {
  LineLimit limit(2);
  Instant now(hours(1));
  const auto say = [&](std::string line) { return limit.admit(now, line) ? line : ""; };
  EXPECT_EQ(say("a"), "a");
  EXPECT_EQ(say("b"), "b");
  EXPECT_EQ(say("c"), "");
  now += milliseconds(999);
  EXPECT_EQ(say("d"), "");
  now += milliseconds(1);
  EXPECT_EQ(say("e"), "e (2 more were not shown)");
  EXPECT_EQ(say("f"), "f");
}

}  // namespace
}  // namespace ekiden::link
