#include "base/lru_map.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <list>
#include <string>
#include <vector>

namespace ekiden {
namespace {

std::string keys_of(const LruMap<int, std::string>& map) {
  std::string out;
  for (const auto& [key, value] : map) out += std::to_string(key);
  return out;
}

TEST(LruMap, DropsWhatWasNotUsedForLongest) {
  LruMap<int, std::string> map(3);
  map.put(1, "a");
  map.put(2, "b");
  map.put(3, "c");
  ASSERT_NE(map.find(1), nullptr);  // 1 is now the most recent, 2 the least.
  map.put(4, "d");
  EXPECT_EQ(keys_of(map), "413");
  EXPECT_EQ(map.find(2), nullptr);
  EXPECT_EQ(map.size(), 3U);
}

TEST(LruMap, PeeksWithoutCountingAsUse) {
  LruMap<int, std::string> map(2);
  map.put(1, "a");
  map.put(2, "b");
  ASSERT_NE(map.peek(1), nullptr);
  EXPECT_EQ(*map.peek(1), "a");
  map.put(3, "c");
  EXPECT_EQ(map.peek(1), nullptr);
}

TEST(LruMap, ReplacesAValueInPlace) {
  LruMap<int, std::string> map(2);
  map.put(1, "a");
  map.put(2, "b");
  map.put(1, "new");
  EXPECT_EQ(map.size(), 2U);
  EXPECT_EQ(*map.peek(1), "new");
  map.put(3, "c");
  EXPECT_EQ(map.peek(2), nullptr);
  map.erase(1);
  map.erase(1);
  EXPECT_EQ(keys_of(map), "3");
}

TEST(LruMapDeathTest, NeedsRoom) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH((LruMap<int, int>(0)), "CHECK");
}

RC_GTEST_PROP(LruMap, AgreesWithANaiveModel, ()) {
  const auto room = *rc::gen::inRange<std::size_t>(1, 5);
  LruMap<int, int> map(room);
  std::vector<std::pair<int, int>> model;  // Most recent first.
  const auto position = [&](int key) {
    return std::find_if(model.begin(), model.end(), [key](const auto& entry) { return entry.first == key; });
  };
  const int steps = *rc::gen::inRange(0, 100);
  for (int i = 0; i < steps; ++i) {
    const int key = *rc::gen::inRange(0, 7);
    const auto known = position(key);
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        if (known != model.end()) model.erase(known);
        if (model.size() == room) model.pop_back();
        model.insert(model.begin(), {key, i});
        map.put(key, i);
        break;
      case 1: {
        int* found = map.find(key);
        RC_ASSERT((found != nullptr) == (known != model.end()));
        if (known != model.end()) {
          RC_ASSERT(*found == known->second);
          std::rotate(model.begin(), known, known + 1);
        }
        break;
      }
      default:
        map.erase(key);
        if (known != model.end()) model.erase(known);
    }
    std::vector<std::pair<int, int>> entries;
    for (const auto& [known_key, value] : map) entries.emplace_back(known_key, value);
    RC_ASSERT(entries == model);
    if (!model.empty()) RC_ASSERT(map.oldest() == model.back().first);
    RC_ASSERT(map.size() == model.size());
  }
}

}  // namespace
}  // namespace ekiden
