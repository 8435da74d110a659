#include "bootstrap/score.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "support/identities.hpp"

namespace ekiden::bootstrap {
namespace {

using test::kWall;

/// A history as random inputs make it: each number is a failure, or a success with that round trip and pause.
Standing arbitrary_standing() {
  Standing standing;
  WallTime now = kWall;
  for (const auto step : *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::arbitrary<std::uint32_t>())) {
    now += milliseconds(step % 100'000'000);
    if (step % 3 == 0) {
      standing.fail();
    } else {
      standing.succeed(microseconds(step % 70'000'000), now);
    }
  }
  return standing;
}

Standing reached_once(Duration round_trip) {
  Standing standing;
  standing.succeed(round_trip, kWall);
  return standing;
}

TEST(Score, IsNothingForWhoWasNeverReached) {
  Standing standing;
  EXPECT_EQ(score_of(standing, 1), 0U);
  standing.fail();
  EXPECT_EQ(score_of(standing, 1), 0U);
}

TEST(Score, IsTheDocumentedFormula) {
  // One success of one: 2/3. 200 ms: 1/2. No age. Alone in its prefix: 1.
  EXPECT_EQ(score_of(reached_once(milliseconds(200)), 1), 6'666U * (5 * 5'000 + 2 * 10'000) / 10 / 10'000);
  EXPECT_EQ(score_of(reached_once(milliseconds(200)), 4), 6'666U * (5 * 5'000 + 2 * 2'500) / 10 / 10'000);
  Standing old = reached_once(milliseconds(200));
  old.succeed(milliseconds(200), kWall + days(7));
  EXPECT_EQ(score_of(old, 1), 7'500U * (5 * 5'000 + 3 * 5'000 + 2 * 10'000) / 10 / 10'000);
  EXPECT_EQ(score_of(old, 0), score_of(old, 1));
}

TEST(Score, AveragesLatencyByEighths) {
  Standing standing = reached_once(milliseconds(80));
  standing.succeed(milliseconds(160), kWall);
  EXPECT_EQ(standing.latency, milliseconds(90));
  standing.succeed(hours(1), kWall);
  EXPECT_EQ(standing.latency, milliseconds(90) + (kMaxLatency - milliseconds(90)) / 8);
  EXPECT_EQ(reached_once(Duration(0)).latency, microseconds(1));
  EXPECT_EQ(reached_once(Duration(-5)).latency, microseconds(1));
}

TEST(Score, ForgetsWhatIsLongAgo) {
  Standing standing = reached_once(milliseconds(10));
  for (int i = 0; i < 40; ++i) standing.fail();
  EXPECT_EQ(standing.probes, kMaxOutcomes);
  EXPECT_EQ(standing.outcomes, 0U);
  for (int i = 0; i < 32; ++i) standing.succeed(milliseconds(10), kWall);
  EXPECT_EQ(standing.outcomes, ~std::uint32_t{0});
}

TEST(Score, SurvivesAClockThatLeaps) {
  Standing standing = reached_once(milliseconds(200));
  const auto young = score_of(standing, 1);
  standing.succeed(milliseconds(200), WallTime{});
  EXPECT_GE(score_of(standing, 1), young);
  standing.succeed(milliseconds(200), from_unix_ms(kMaxUnixMs));
  EXPECT_LE(score_of(standing, 1), kFullScore);
}

RC_GTEST_PROP(Score, IsBoundedAndSound, ()) {
  const Standing standing = arbitrary_standing();
  RC_ASSERT(standing.is_sound());
  RC_ASSERT(score_of(standing, *rc::gen::inRange<std::size_t>(0, 600)) <= kFullScore);
}

RC_GTEST_PROP(Score, NeverRisesWithAFailureOrFallsWithASuccessThatIsNotSlower, ()) {
  const Standing before = arbitrary_standing();
  RC_PRE(before.was_reached());
  Standing failed = before;
  failed.fail();
  RC_ASSERT(score_of(failed, 1) <= score_of(before, 1));
  Standing reached = before;
  reached.succeed(before.latency, before.last_reached + milliseconds(*rc::gen::inRange(0, 1'000'000'000)));
  RC_ASSERT(score_of(reached, 1) >= score_of(before, 1));
  RC_ASSERT(score_of(reached, 1) >= score_of(failed, 1));
}

RC_GTEST_PROP(Score, NeverRisesWithLatency, ()) {
  Standing fast = arbitrary_standing();
  RC_PRE(fast.was_reached());
  Standing slow = fast;
  const auto a = microseconds(*rc::gen::inRange<std::int64_t>(0, 60'000'000));
  const auto b = microseconds(*rc::gen::inRange<std::int64_t>(0, 60'000'000));
  fast.succeed(std::min(a, b), fast.last_reached);
  slow.succeed(std::max(a, b), slow.last_reached);
  RC_ASSERT(score_of(fast, 1) >= score_of(slow, 1));
}

RC_GTEST_PROP(Score, NeverFallsWithAge, ()) {
  Standing standing = arbitrary_standing();
  RC_PRE(standing.was_reached());
  Standing older = standing;
  older.first_reached -= milliseconds(*rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000));
  RC_ASSERT(score_of(older, 1) >= score_of(standing, 1));
}

RC_GTEST_PROP(Score, NeverRisesWithNeighbours, ()) {
  const Standing standing = arbitrary_standing();
  const auto few = *rc::gen::inRange<std::size_t>(1, 100);
  const auto more = few + *rc::gen::inRange<std::size_t>(0, 100);
  RC_ASSERT(score_of(standing, few) >= score_of(standing, more));
}

TEST(Standing, KnowsWhatCannotBe) {
  EXPECT_TRUE(Standing{}.is_sound());
  EXPECT_FALSE((Standing{.outcomes = 1, .probes = 1}).is_sound());
  EXPECT_FALSE((Standing{.outcomes = 4, .probes = 2, .latency = milliseconds(1)}).is_sound());
  EXPECT_FALSE((Standing{.probes = 33, .latency = milliseconds(1)}).is_sound());
  EXPECT_FALSE((Standing{.probes = 1, .latency = seconds(61)}).is_sound());
  EXPECT_FALSE((Standing{.probes = 1, .latency = microseconds(-1)}).is_sound());
}

}  // namespace
}  // namespace ekiden::bootstrap
