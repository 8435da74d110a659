#include "sim/options.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace ekiden::sim {
namespace {

TEST(OptionsTest, OneSeedIsARangeOfOne) {
  const auto options = read_options({"run", "x.toml", "--seed", "17", "--json", "--jobs", "3"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->command, "run");
  EXPECT_EQ(options->scenario, "x.toml");
  EXPECT_EQ(options->first_seed, 17U);
  EXPECT_EQ(options->last_seed, 17U);
  EXPECT_EQ(options->jobs, 3U);
  EXPECT_TRUE(options->json);
  EXPECT_FALSE(options->point);
}

TEST(OptionsTest, AnotherSize) {
  const auto options = read_options({"run", "x.toml", "--nodes", "1000"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->nodes, 1000U);
}

TEST(OptionsTest, ARangeOfSeeds) {
  const auto options = read_options({"run", "x.toml", "--seeds", "3-300"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->first_seed, 3U);
  EXPECT_EQ(options->last_seed, 300U);
}

TEST(OptionsTest, WhatIsWrongIsNamed) {
  const std::vector<std::vector<std::string>> wrong = {
      {"run", "--seed"},        {"run", "--seeds", "9-1"},  {"run", "--jobs", "0"},
      {"run", "--sed", "1"},    {"run", "--nodes", "1"},    {"run", "a", "--host"},
      {"run", "--commit", "x"}, {"run", "--reached", "-1"}, {"run", "a.toml", "--seed", "1 "}};
  for (const auto& words : wrong) {
    const auto options = read_options(words);
    ASSERT_FALSE(options) << words.back();
    const bool named = std::any_of(words.begin(), words.end(), [&](const std::string& word) {
      return word.starts_with("--") && options.error().message.find(word) != std::string::npos;
    });
    EXPECT_TRUE(named) << options.error().message;
  }
  EXPECT_FALSE(read_options({"run", "a.toml", "b.toml"}));
}

}  // namespace
}  // namespace ekiden::sim
