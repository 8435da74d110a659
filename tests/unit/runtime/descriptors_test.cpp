#include "runtime/descriptors.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <limits>

namespace ekiden::runtime {
namespace {

link::Config config_of(std::size_t links, std::size_t half_open) {
  link::Config config;
  config.max_links = links;
  config.max_half_open = half_open;
  return config;
}

TEST(DescriptorsTest, LinksThatFitStayAsTheyWereSet) {
  link::Config config = config_of(4'096, 256);
  EXPECT_FALSE(fit_links(config, 4'096 + 256 + kReservedDescriptors));
  EXPECT_FALSE(fit_links(config, std::numeric_limits<std::size_t>::max()));
  EXPECT_EQ(config.max_links, 4'096u);
  EXPECT_EQ(config.max_half_open, 256u);
}

TEST(DescriptorsTest, LinksAndHandshakesLeaveTheReserve) {
  link::Config config = config_of(4'096, 256);
  EXPECT_TRUE(fit_links(config, 4'096 + 256 + kReservedDescriptors - 1));
  EXPECT_EQ(config.max_links, 4'095u);
  EXPECT_EQ(config.max_half_open, 256u);

  config = config_of(4'096, 256);
  EXPECT_TRUE(fit_links(config, 1'024));
  EXPECT_EQ(config.max_half_open, 224u);
  EXPECT_EQ(config.max_links, 672u);
  EXPECT_EQ(config.max_links + config.max_half_open + kReservedDescriptors, 1'024u);
}

TEST(DescriptorsTest, OneLinkStaysHoweverFewThereAre) {
  for (const std::size_t descriptors : {std::size_t{0}, kReservedDescriptors, kReservedDescriptors + 1}) {
    link::Config config = config_of(10, 10);
    EXPECT_TRUE(fit_links(config, descriptors));
    EXPECT_EQ(config.max_links, 1u);
    EXPECT_EQ(config.max_half_open, 1u);
  }
}

TEST(DescriptorsTest, TheLimitIsRaisedAsFarAsItMay) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 256;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(descriptor_limit(), 256u);
  raise_descriptor_limit();
  rlimit raised{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &raised), 0);
  EXPECT_EQ(raised.rlim_cur, before.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace ekiden::runtime
