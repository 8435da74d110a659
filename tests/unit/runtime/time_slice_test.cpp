#include "runtime/time_slice.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <thread>

namespace ekiden::runtime {
namespace {

/// sched_getattr of the calling thread, as the kernel lays it out: slice of ordinary threads in the fourth word.
std::array<std::uint64_t, 6> attributes() {
  std::array<std::uint64_t, 6> words{};
  EXPECT_EQ(::syscall(SYS_sched_getattr, 0, words.data(), sizeof words, 0), 0);
  return words;
}

TEST(TimeSlice, OnlyTheCallingThreadsIsShorter) {
  const auto before = attributes();
  std::thread([&] {
    const auto first = attributes();
    shorten_time_slice();
    auto now = attributes();
    EXPECT_EQ(::sched_getscheduler(0), SCHED_OTHER);
    EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), static_cast<int>(static_cast<std::int32_t>(first[2] & 0xffff'ffff)));
    if (first[3] == 0) GTEST_SKIP() << "this kernel has no time slices of one's own";
    EXPECT_EQ(now[3], static_cast<std::uint64_t>(kShortSlice.count()));
    now[3] = first[3];
    EXPECT_EQ(now, first);  // Policy, niceness and the rest are what they were.
  }).join();
  EXPECT_EQ(attributes(), before);
}

}  // namespace
}  // namespace ekiden::runtime
