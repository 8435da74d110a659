#include "base/rng.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "base/encoding.hpp"
#include "support/remains.hpp"

namespace ekiden {
namespace {

Rng seeded(Byte first) { return Rng(Rng::Seed{first}); }

TEST(Rng, DrawsTheSameFromTheSameSeed) {
  Rng a = seeded(1);
  Rng b = seeded(1);
  Rng other = seeded(2);
  EXPECT_EQ((a.bytes<1000>()), (b.bytes<1000>()));
  EXPECT_NE(a.next(), other.next());
}

// The first key stream bytes of ChaCha20 under an all-zero key and nonce (RFC 8439, appendix A.1, vectors 1 and 2)
// after the 32 bytes that replace the key: platforms agree on what a seed means.
TEST(Rng, IsTheChaCha20StreamOfItsSeed) {
  Rng rng(Rng::Seed{});
  EXPECT_EQ(to_hex(rng.bytes<32>()), "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
  EXPECT_EQ(to_hex(rng.bytes<32>()), "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed");
}

TEST(Rng, DoesNotDependOnTheSizesOfTheDraws) {
  Rng whole = seeded(3);
  Rng parts = seeded(3);
  const auto expected = whole.bytes<2000>();
  Bytes found(2000);
  std::size_t at = 0;
  for (std::size_t size = 1; at < found.size(); ++size) {
    const std::size_t n = std::min(size, found.size() - at);
    parts.fill(MutableBytes(found).subspan(at, n));
    at += n;
  }
  EXPECT_TRUE(std::equal(found.begin(), found.end(), expected.begin()));
}

TEST(Rng, SplitsIntoStreamsThatDoNotDisturbEachOther) {
  Rng parent = seeded(4);
  Rng child = parent.split();
  const auto next_of_parent = parent.bytes<64>();
  const auto next_of_child = child.bytes<64>();
  EXPECT_NE(next_of_parent, next_of_child);

  Rng same_parent = seeded(4);
  Rng same_child = same_parent.split();
  // Whatever the child draws, the parent goes on as before, and the reverse.
  static_cast<void>(same_child.bytes<1000>());
  EXPECT_EQ((same_parent.bytes<64>()), next_of_parent);
  Rng third_parent = seeded(4);
  Rng third_child = third_parent.split();
  static_cast<void>(third_parent.bytes<1000>());
  EXPECT_EQ((third_child.bytes<64>()), next_of_child);
}

TEST(Rng, GoesOnWhereItWasAfterAMove) {
  Rng reference = seeded(5);
  Rng first = seeded(5);
  static_cast<void>(reference.bytes<37>());
  static_cast<void>(first.bytes<37>());
  Rng second = std::move(first);
  EXPECT_EQ((second.bytes<600>()), (reference.bytes<600>()));
}

/// Chi-square with 255 degrees of freedom: its 99.99 % point is about 347. A fixed seed makes it a fixed number.
TEST(Rng, DrawsEveryByteEquallyOften) {
  Rng rng = seeded(6);
  constexpr std::size_t kDraws = 256 * 400;
  Bytes bytes(kDraws);
  rng.fill(bytes);
  std::array<std::int64_t, 256> counts{};
  for (const Byte byte : bytes) ++counts[byte];
  std::int64_t sum_of_squares = 0;
  for (const auto count : counts) sum_of_squares += (count - 400) * (count - 400);
  EXPECT_LT(sum_of_squares / 400, 347);
  EXPECT_GT(sum_of_squares / 400, 170);
}

TEST(Rng, DrawsBelowABoundWithoutPreferences) {
  Rng rng = seeded(7);
  constexpr std::uint64_t kBound = 6;
  std::array<int, kBound> counts{};
  for (int i = 0; i < 60'000; ++i) ++counts[rng.below(kBound)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 450);
}

/// With a bound of 3/4 of the range, a plain remainder would draw the lowest third twice as often.
TEST(Rng, HasNoModuloBias) {
  Rng rng = seeded(8);
  const std::uint64_t bound = (std::uint64_t{1} << 63) + (std::uint64_t{1} << 62);
  int low = 0;
  for (int i = 0; i < 30'000; ++i) low += rng.below(bound) < bound / 3 ? 1 : 0;
  EXPECT_NEAR(low, 10'000, 450);
}

RC_GTEST_PROP(Rng, StaysBelowItsBound, (Byte seed, std::uint64_t bound)) {
  RC_PRE(bound > 0);
  Rng rng = seeded(seed);
  for (int i = 0; i < 20; ++i) RC_ASSERT(rng.below(bound) < bound);
}

TEST(Rng, DrawsDurationsIncludingBothEnds) {
  Rng rng = seeded(9);
  std::set<Duration> seen;
  for (int i = 0; i < 200; ++i) seen.insert(rng.between(Duration(-2), Duration(2)));
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_EQ(*seen.begin(), Duration(-2));
  EXPECT_EQ(*seen.rbegin(), Duration(2));
  EXPECT_EQ(rng.between(seconds(3), seconds(3)), seconds(3));
}

TEST(Rng, TakesChancesInTheirRatio) {
  Rng rng = seeded(10);
  int hits = 0;
  for (int i = 0; i < 40'000; ++i) hits += rng.chance(1, 4) ? 1 : 0;
  EXPECT_NEAR(hits, 10'000, 450);
  EXPECT_FALSE(rng.chance(0, 5));
  EXPECT_TRUE(rng.chance(5, 5));
}

TEST(Rng, ShufflesIntoEveryOrderEquallyOften) {
  Rng rng = seeded(11);
  std::map<std::vector<int>, int> orders;
  for (int i = 0; i < 24'000; ++i) {
    std::vector<int> items = {1, 2, 3, 4};
    rng.shuffle(items);
    ++orders[items];
  }
  EXPECT_EQ(orders.size(), 24U);
  for (const auto& [order, count] : orders) EXPECT_NEAR(count, 1000, 150);
}

TEST(Rng, LeavesNothingOfItsStreamWhereItLived) {
  const auto count_zeros = [](const auto& bytes) { return std::ranges::count(bytes, Byte{0}); };
  // All but the number of bytes that were used.
  const auto erased = static_cast<std::ptrdiff_t>(sizeof(Rng) - sizeof(std::size_t));
  Rng::Seed seed;
  seed.fill(0x5c);
  EXPECT_GE(count_zeros(test::remains_of<Rng>([](const Rng&) {}, seed)), erased) << "the seed";
  EXPECT_GE(count_zeros(test::remains_of<Rng>([](Rng& rng) { rng.next(); }, seed)), erased) << "what was drawn ahead";
}

TEST(Rng, MovingLeavesNothingOfTheStreamBehind) {
  Rng source = seeded(13);
  Rng same = seeded(13);
  source.next();
  same.next();
  Rng moved(std::move(source));
  EXPECT_EQ(moved.next(), same.next());
  const auto* bytes = reinterpret_cast<const Byte*>(&source);  // NOLINT(bugprone-use-after-move)
  EXPECT_GE(std::count(bytes, bytes + sizeof source, Byte{0}), static_cast<std::ptrdiff_t>(sizeof(Rng)) - 8);
}

TEST(RngDeathTest, HasNothingBelowZero) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Rng rng = seeded(12);
  EXPECT_DEATH(static_cast<void>(rng.below(0)), "CHECK\\(bound > 0\\)");
  EXPECT_DEATH(static_cast<void>(rng.between(seconds(2), seconds(1))), "CHECK\\(low <= high\\)");
}

}  // namespace
}  // namespace ekiden
