#include "base/recent_set.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

namespace ekiden {
namespace {

TEST(RecentSet, KnowsTheLastHalfOfItsMaximumAndForgetsWhatIsOlderThanAll) {
  RecentSet<int> set(8);
  for (int i = 0; i < 100; ++i) {
    set.put(i);
    for (int last = std::max(0, i - 3); last <= i; ++last) EXPECT_TRUE(set.contains(last)) << last << " after " << i;
    EXPECT_FALSE(set.contains(i - 8)) << "after " << i;
    EXPECT_FALSE(set.contains(i + 1));
  }
}

TEST(RecentSet, KeepsWhatIsPutAgainAndAgain) {
  RecentSet<int> set(8);
  for (int i = 0; i < 100; ++i) {
    set.put(1000);
    set.put(i);
    EXPECT_TRUE(set.contains(1000));
  }
}

RC_GTEST_PROP(RecentSet, HoldsNothingThatIsNotAmongTheLast, (const std::vector<std::uint8_t>& keys)) {
  constexpr std::size_t kMax = 16;
  RecentSet<std::uint8_t> set(kMax);
  for (const std::uint8_t key : keys) set.put(key);
  std::vector<std::uint8_t> distinct;  // The last one first.
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    if (std::ranges::find(distinct, *key) == distinct.end()) distinct.push_back(*key);
  }
  std::size_t held = 0;
  for (std::size_t i = 0; i < 256; ++i) {
    const auto key = static_cast<std::uint8_t>(i);
    const bool is_held = set.contains(key);
    held += is_held ? 1 : 0;
    const auto place = std::ranges::find(distinct, key) - distinct.begin();
    if (place < static_cast<std::ptrdiff_t>(std::min(distinct.size(), kMax / 2))) RC_ASSERT(is_held);
    if (place == static_cast<std::ptrdiff_t>(distinct.size())) RC_ASSERT(!is_held);
  }
  RC_ASSERT(held <= kMax);
}

}  // namespace
}  // namespace ekiden
