#include "sim/jobs.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>

namespace ekiden::sim {
namespace {

TEST(JobsTest, EachItemRunsOnceInAProcessOfItsOwn) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const auto failed = run_jobs(5, 2, [&](std::size_t item) {
    const char digit = static_cast<char>('0' + item);
    return ::write(ends[1], &digit, 1) == 1;
  });
  EXPECT_TRUE(failed.empty());
  char seen[16];
  const auto count = ::read(ends[0], seen, sizeof seen);
  ASSERT_EQ(count, 5);
  std::sort(seen, seen + count);
  EXPECT_EQ(std::string(seen, 5), "01234");
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(JobsTest, AnItemThatFailsIsNamedAndNoMoreAreStarted) {
  EXPECT_EQ(run_jobs(100, 1, [](std::size_t item) { return item != 3 && item != 4; }), (std::vector<std::size_t>{3}));
}

TEST(JobsTest, AnItemThatDiesIsNamedAndItsParentLives) {
  const auto failed = run_jobs(3, 1, [](std::size_t item) { return item != 1 || ::raise(SIGKILL) != 0; });
  EXPECT_EQ(failed, (std::vector<std::size_t>{1}));
}

}  // namespace
}  // namespace ekiden::sim
