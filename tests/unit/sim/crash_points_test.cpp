#include "sim/crash_points.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>

#include "sim/options.hpp"

namespace ekiden::sim {
namespace {

constexpr CrashScript kScript{.seed = 1, .messages = 4};

std::vector<CrashPoint> points_of(const CrashScript& script) {
  Outcome calm;
  std::vector<CrashPoint> all = crash_points_of(script, calm);
  EXPECT_TRUE(calm.breaches.empty());
  return all;
}

TEST(CrashPointsTest, EveryCommitOfBothIsLostTornAndKeptByPowerAndProcess) {
  // Enough messages that some batches gather into one commit.
  constexpr CrashScript kBusy{.seed = 1, .messages = 60};
  const auto all = points_of(kBusy);
  const auto has = [&](const CrashPoint& point) { return std::find(all.begin(), all.end(), point) != all.end(); };
  for (const HostIndex host : {0U, 1U}) {
    std::uint64_t commits = 0;
    for (const CrashPoint& point : all) {
      if (point.host == host) commits = std::max(commits, point.commit);
    }
    EXPECT_GT(commits, kBusy.messages / 2);
    for (std::uint64_t commit = 1; commit <= commits; ++commit) {
      for (const bool process : {false, true}) {
        EXPECT_TRUE(has({host, commit, 0, process})) << "nothing of commit " << commit;
        EXPECT_TRUE(has({host, commit, 1, process})) << "its first batch";
      }
    }
  }
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const CrashPoint& point) { return point.reached > 1; }));
}

TEST(CrashPointsTest, APointIsReplayedByItsOptions) {
  const auto all = points_of(kScript);
  for (const CrashPoint& point : {all.front(), all[all.size() / 2], all.back()}) {
    std::istringstream text("crash-points " + options_of(point));
    const std::vector<std::string> words{std::istream_iterator<std::string>(text), {}};
    const auto options = read_options(words);
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->point, point);
    const Outcome outcome = run_crash_point(kScript, point);
    EXPECT_TRUE(outcome.breaches.empty()) << outcome.breaches.front();
  }
}

TEST(CrashPointsTest, HowMuchReachedTheDiskAndHowTheMachineDiedAreDifferentRuns) {
  std::set<std::uint64_t> traces;
  for (const std::size_t reached : {0U, 1U}) {
    for (const bool process : {false, true})
      traces.insert(run_crash_point(kScript, {1, 3, reached, process}).trace_hash);
  }
  EXPECT_EQ(traces.size(), 4U);
}

TEST(CrashPointsTest, APointThatTheScriptDoesNotHaveIsABreach) {
  EXPECT_FALSE(run_crash_point(kScript, {.host = 0, .commit = 1'000'000}).breaches.empty());
  EXPECT_FALSE(run_crash_point(kScript, {.host = 0, .commit = 1, .reached = 1000}).breaches.empty());
  EXPECT_FALSE(run_crash_point(kScript, {.host = 2, .commit = 1}).breaches.empty());
}

}  // namespace
}  // namespace ekiden::sim
