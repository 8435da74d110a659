#include "crypto/secret.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <type_traits>
#include <utility>

#include "support/remains.hpp"
#include "testing.hpp"

namespace ekiden::crypto {
namespace {

using Key = Secret<32, struct TestTag>;

TEST(Secret, StartsAsZeros) { EXPECT_EQ(to_bytes(Key().view()), Bytes(32, 0)); }

TEST(Secret, IsDrawnAsTheBytesOfTheStream) {
  Rng rng(Rng::Seed{7});
  Rng same(Rng::Seed{7});
  EXPECT_EQ(Key::draw(rng), Key(same.bytes<32>()));
  EXPECT_EQ(Key::draw(rng), Key(same.bytes<32>()));
}

RC_GTEST_PROP(Secret, MovingLeavesZerosBehind, ()) {
  const auto bytes = random_array<32>();
  Key source(bytes);
  Key constructed(std::move(source));
  RC_ASSERT(constructed == Key(bytes));
  RC_ASSERT(source == Key());  // NOLINT(bugprone-use-after-move): this is what the test is about.
  Key assigned;
  assigned = std::move(constructed);
  RC_ASSERT(assigned == Key(bytes));
  RC_ASSERT(constructed == Key());  // NOLINT(bugprone-use-after-move)
}

RC_GTEST_PROP(Secret, CopiesAreIndependent, ()) {
  const auto bytes = random_array<32>();
  Key original(bytes);
  const Key copy = original;
  original.erase();
  RC_ASSERT(original == Key());
  RC_ASSERT(copy == Key(bytes));
}

TEST(Secret, LeavesZerosWhereItLived) {
  ByteArray<32> bytes;
  bytes.fill(0x5c);
  EXPECT_EQ(test::remains_of<Key>([](const Key&) {}, bytes), ByteArray<32>{});
  EXPECT_EQ(test::remains_of<Key>([&](Key& key) { key = Key(bytes); }), ByteArray<32>{});
}

TEST(Secret, MovingToItselfKeepsTheValue) {
  Key key(ByteArray<32>{1, 2, 3});
  auto& same = key;
  key = std::move(same);
  EXPECT_TRUE(key == Key(ByteArray<32>{1, 2, 3}));
}

RC_GTEST_PROP(Secret, DiffersWhereAnyBitDiffers, ()) {
  const auto bytes = random_array<32>();
  RC_ASSERT_FALSE(Key(bytes) == Key(with_one_bit_flipped(bytes)));
}

RC_GTEST_PROP(Secret, ConstantTimeEqualityIsEquality, (const Bytes& a, const Bytes& b)) {
  RC_ASSERT(equal_in_constant_time(a, b) == (a == b));
  RC_ASSERT(equal_in_constant_time(a, Bytes(a)));
}

TEST(Secret, KindsOfKeysCannotStandInForEachOther) {
  EXPECT_FALSE((std::is_convertible_v<AeadKey, ChainKey>));
  EXPECT_FALSE((std::is_constructible_v<AeadKey, ChainKey>));
  EXPECT_FALSE((std::is_assignable_v<X25519SecretKey&, SharedSecret>));
  EXPECT_FALSE((std::is_assignable_v<X25519PublicKey&, Ed25519PublicKey>));
}

}  // namespace
}  // namespace ekiden::crypto
