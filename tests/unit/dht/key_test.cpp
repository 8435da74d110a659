#include "dht/key.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/encoding.hpp"
#include "crypto/hash.hpp"
#include "testing.hpp"

namespace ekiden::dht {
namespace {

Key key_of(std::uint64_t seed) { return {Rng(seed_of(seed)).bytes<32>()}; }

TEST(Key, DistanceIsTheXorReadAsANumber) {
  Key a;
  Key b;
  a.bytes[0] = 0x80;
  b.bytes[31] = 0xff;
  EXPECT_EQ(distance(a.bytes, a.bytes), Distance{});
  EXPECT_EQ(distance(a.bytes, Key{}.bytes).words[0], std::uint64_t{1} << 63);
  EXPECT_EQ(distance(b.bytes, Key{}.bytes).words[3], 0xffU);
  EXPECT_LT(distance(b.bytes, Key{}.bytes), distance(a.bytes, Key{}.bytes));
}

RC_GTEST_PROP(KeyProperty, DistanceIsAMetric, (std::uint64_t one, std::uint64_t two, std::uint64_t three)) {
  const Key a = key_of(one);
  const Key b = key_of(two);
  const Key c = key_of(three);
  RC_ASSERT(distance(a.bytes, b.bytes) == distance(b.bytes, a.bytes));
  RC_ASSERT((distance(a.bytes, b.bytes) == Distance{}) == (a == b));
  // XOR: the third side is the XOR of the other two, and so no longer than their sum.
  for (std::size_t i = 0; i < 4; ++i) {
    RC_ASSERT((distance(a.bytes, b.bytes).words[i] ^ distance(b.bytes, c.bytes).words[i]) ==
              distance(a.bytes, c.bytes).words[i]);
  }
}

RC_GTEST_PROP(KeyProperty, RandomKeysShareExactlyTheWantedBits, (std::uint64_t seed)) {
  Rng rng(seed_of(seed));
  const identity::PeerId id{rng.bytes<32>()};
  const std::size_t bits = rng.below(kKeyBits);
  RC_ASSERT(common_prefix(random_key_near(id, bits, rng).bytes, id.bytes) == bits);
}

RC_GTEST_PROP(KeyProperty, KeysNearAnIdAreThoseThatShareItsBits, (std::uint64_t seed)) {
  Rng rng(seed_of(seed));
  const identity::PeerId id{rng.bytes<32>()};
  const std::size_t bits = rng.below(kKeyBits + 1);
  const KeyRange near = keys_near(id, bits);
  RC_ASSERT(common_prefix(near.first.bytes, id.bytes) >= bits);
  RC_ASSERT(common_prefix(near.last.bytes, id.bytes) >= bits);
  const Key other = random_key_near(id, rng.below(kKeyBits), rng);
  const bool is_inside = near.first <= other && other <= near.last;
  RC_ASSERT(is_inside == (common_prefix(other.bytes, id.bytes) >= bits));
}

TEST(Key, EqualKeysShareAllBits) { EXPECT_EQ(common_prefix(key_of(1).bytes, key_of(1).bytes), kKeyBits); }

TEST(Key, CapabilitiesAreFoundByEachLeadingPart) {
  const std::string name = "translate/ja-en/formal";
  EXPECT_EQ(capability_paths(name), (std::vector<std::string_view>{"translate", "translate/ja-en", name}));
  EXPECT_EQ(capability_paths("mail"), (std::vector<std::string_view>{"mail"}));
  // SHA-256 of "cap:mail".
  EXPECT_EQ(to_hex(capability_key("mail").bytes), to_hex(crypto::sha256(as_bytes("cap:mail")).view()));
  EXPECT_NE(capability_key("translate"), capability_key("translate/ja-en"));
}

}  // namespace
}  // namespace ekiden::dht
