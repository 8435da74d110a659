#include "datagram/replay_window.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace ekiden::datagram {
namespace {

RC_GTEST_PROP(ReplayWindow, AcceptsEachNumberOnceAsASetWould, ()) {
  ReplayWindow window;
  std::set<std::uint64_t> seen;
  std::uint64_t highest = 0;
  for (const auto number : *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(0, 300))) {
    const bool is_old = !seen.empty() && number + ReplayWindow::kSize <= highest;
    RC_ASSERT(window.is_fresh(number) == (!is_old && !seen.contains(number)));
    if (!window.is_fresh(number)) continue;
    window.mark(number);
    seen.insert(number);
    highest = std::max(highest, number);
  }
}

TEST(ReplayWindow, ForgetsNothingWhenItJumpsFar) {
  ReplayWindow window;
  window.mark(3);
  window.mark(1'000'000);
  EXPECT_FALSE(window.is_fresh(3));
  EXPECT_FALSE(window.is_fresh(1'000'000));
  EXPECT_TRUE(window.is_fresh(999'999));
  EXPECT_FALSE(window.is_fresh(1'000'000 - ReplayWindow::kSize));
}

}  // namespace
}  // namespace ekiden::datagram
