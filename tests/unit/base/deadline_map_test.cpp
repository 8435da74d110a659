#include "base/deadline_map.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

namespace ekiden {
namespace {

Instant at(std::int64_t ns) { return Instant(Duration(ns)); }

TEST(DeadlineMap, GivesTheEarliestFirstAndEqualOnesInKeyOrder) {
  DeadlineMap<int> timers;
  EXPECT_FALSE(timers.earliest());
  timers.set(3, at(10));
  timers.set(1, at(20));
  timers.set(2, at(10));
  EXPECT_EQ(timers.earliest(), at(10));
  EXPECT_FALSE(timers.pop_due(at(9)));
  EXPECT_EQ(timers.pop_due(at(10)), 2);
  EXPECT_EQ(timers.pop_due(at(10)), 3);
  EXPECT_FALSE(timers.pop_due(at(10)));
  EXPECT_EQ(timers.pop_due(at(100)), 1);
  EXPECT_TRUE(timers.empty());
}

TEST(DeadlineMap, MovesADeadlineThatIsSetAgain) {
  DeadlineMap<int> timers;
  timers.set(1, at(10));
  timers.set(1, at(30));
  EXPECT_EQ(timers.size(), 1U);
  EXPECT_FALSE(timers.pop_due(at(20)));
  timers.set_no_later_than(1, at(40));
  EXPECT_EQ(timers.at(1), at(30));
  timers.set_no_later_than(1, at(5));
  EXPECT_EQ(timers.pop_due(at(5)), 1);
  timers.cancel(1);  // Gone already: harmless.
  EXPECT_FALSE(timers.at(1));
}

TEST(DeadlineMap, FindsTheEarlierOfTwoThatMayBeMissing) {
  EXPECT_EQ(earlier(at(1), at(2)), at(1));
  EXPECT_EQ(earlier(at(2), at(1)), at(1));
  EXPECT_EQ(earlier(std::nullopt, at(2)), at(2));
  EXPECT_EQ(earlier(at(1), std::nullopt), at(1));
  EXPECT_FALSE(earlier(std::nullopt, std::nullopt));
}

/// The naive model: an unordered list, searched each time.
class NaiveTimers {
 public:
  void set(int key, Instant when) {
    cancel(key);
    entries_.emplace_back(when, key);
  }
  void cancel(int key) {
    std::erase_if(entries_, [key](const auto& entry) { return entry.second == key; });
  }
  std::optional<Instant> find(int key) const {
    for (const auto& [when, other] : entries_) {
      if (other == key) return when;
    }
    return std::nullopt;
  }
  std::optional<Instant> earliest() const {
    if (entries_.empty()) return std::nullopt;
    return std::min_element(entries_.begin(), entries_.end())->first;
  }
  std::optional<int> pop_due(Instant now) {
    const auto first = std::min_element(entries_.begin(), entries_.end());
    if (first == entries_.end() || first->first > now) return std::nullopt;
    const int key = first->second;
    entries_.erase(first);
    return key;
  }
  std::size_t size() const { return entries_.size(); }

 private:
  std::vector<std::pair<Instant, int>> entries_;
};

RC_GTEST_PROP(DeadlineMap, AgreesWithANaiveModel, ()) {
  struct Step {
    int what, key, when;
  };
  DeadlineMap<int> timers;
  NaiveTimers model;
  const int steps = *rc::gen::inRange(0, 120);
  for (int i = 0; i < steps; ++i) {
    const Step step{*rc::gen::inRange(0, 4), *rc::gen::inRange(0, 8), *rc::gen::inRange(0, 12)};
    switch (step.what) {
      case 0:
        timers.set(step.key, at(step.when));
        model.set(step.key, at(step.when));
        break;
      case 1: {
        timers.set_no_later_than(step.key, at(step.when));
        const auto known = model.find(step.key);
        if (!known || at(step.when) < *known) model.set(step.key, at(step.when));
        break;
      }
      case 2:
        timers.cancel(step.key);
        model.cancel(step.key);
        break;
      default:
        RC_ASSERT(timers.pop_due(at(step.when)) == model.pop_due(at(step.when)));
    }
    RC_ASSERT(timers.size() == model.size());
    RC_ASSERT(timers.earliest() == model.earliest());
    RC_ASSERT(timers.at(step.key) == model.find(step.key));
  }
}

}  // namespace
}  // namespace ekiden
