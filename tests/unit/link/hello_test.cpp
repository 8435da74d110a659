#include "link/hello.hpp"

#include <gtest/gtest.h>

#include "support/golden.hpp"

namespace ekiden::link {
namespace {

Hello speaking(std::uint16_t low, std::uint16_t high) {
  return {.version_min = low, .version_max = high, .record = {}};
}

TEST(Hello, HasItsGoldenBytes) {
  const Bytes record = {1, 2, 3};
  test::check_golden(Hello{.version_min = 1, .version_max = 2, .features = 5, .record = record});
}

TEST(Hello, TheHighestVersionThatBothSpeakIsTaken) {
  EXPECT_EQ(common_version(speaking(1, 3), speaking(2, 5)), 3);
  EXPECT_EQ(common_version(speaking(2, 5), speaking(1, 3)), 3);
  EXPECT_EQ(common_version(speaking(1, 1), speaking(1, 1)), 1);
}

TEST(Hello, WithoutACommonVersionBothRangesAreNamed) {
  const auto none = common_version(speaking(1, 2), speaking(3, 4));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::unsupported);
  EXPECT_NE(none.error().message.find("3 to 4 and this node 1 to 2"), std::string::npos) << none.error().message;
  EXPECT_EQ(common_version(speaking(1, 2), speaking(2, 1)).error().code, Errc::malformed);
}

}  // namespace
}  // namespace ekiden::link
