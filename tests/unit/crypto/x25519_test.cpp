#include "crypto/x25519.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <utility>

#include "testing.hpp"

namespace ekiden::crypto {
namespace {

Bytes shared_by(const X25519SecretKey& mine, const X25519PublicKey& theirs) {
  return to_bytes(x25519(mine, theirs).value().view());
}

// RFC 7748 section 5.2, the first two vectors. The second u coordinate has its top bit set, which is ignored.
TEST(X25519, MultipliesAsInRfc7748) {
  EXPECT_EQ(shared_by(key_of<X25519SecretKey>("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                      key_of<X25519PublicKey>("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")),
            hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"));
  EXPECT_EQ(shared_by(key_of<X25519SecretKey>("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
                      key_of<X25519PublicKey>("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")),
            hex("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"));
}

// RFC 7748 section 5.2: k and u start as 9; each round makes (k, u) of (X25519(k, u), k).
TEST(X25519, IteratesAsInRfc7748) {
  ByteArray<32> k{9};
  ByteArray<32> u{9};
  const auto round = [&] {
    const auto next = take_array<32>(shared_by(X25519SecretKey(k), X25519PublicKey{u}));
    u = std::exchange(k, next);
  };
  round();
  EXPECT_EQ(to_bytes(k), hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"));
  for (int i = 1; i < 1000; ++i) round();
  EXPECT_EQ(to_bytes(k), hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));
}

// RFC 7748 section 6.1.
TEST(X25519, AgreesAsInRfc7748) {
  const auto alice = X25519KeyPair::from_secret(
      key_of<X25519SecretKey>("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
  const auto bob = X25519KeyPair::from_secret(
      key_of<X25519SecretKey>("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  const auto shared = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  EXPECT_EQ(alice.public_key,
            key_of<X25519PublicKey>("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
  EXPECT_EQ(bob.public_key,
            key_of<X25519PublicKey>("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
  EXPECT_EQ(shared_by(alice.secret, bob.public_key), shared);
  EXPECT_EQ(shared_by(bob.secret, alice.public_key), shared);
}

RC_GTEST_PROP(X25519, BothSidesAgree, ()) {
  const auto a = X25519KeyPair::from_secret(X25519SecretKey(random_array<32>()));
  const auto b = X25519KeyPair::from_secret(X25519SecretKey(random_array<32>()));
  RC_ASSERT(shared_by(a.secret, b.public_key) == shared_by(b.secret, a.public_key));
  RC_ASSERT(a.public_key == x25519_public(a.secret));
}

// Every u coordinate whose point has an order that divides 8, on the curve or on its twist, in all its encodings.
constexpr const char* kLowOrderCoordinates[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

TEST(X25519, RefusesEveryPointOfLowOrder) {
  const X25519SecretKey secret(ByteArray<32>{1, 2, 3, 4});
  for (const auto* text : kLowOrderCoordinates) {
    for (const Byte ignored_top_bit : {Byte{0x00}, Byte{0x80}}) {
      auto key = key_of<X25519PublicKey>(text);
      key.bytes[31] = static_cast<Byte>(key.bytes[31] | ignored_top_bit);
      const auto shared = x25519(secret, key);
      ASSERT_FALSE(shared) << text;
      EXPECT_EQ(shared.error().code, Errc::refused);
    }
  }
}

TEST(X25519, ReducesACoordinateOverTheFieldPrime) {
  const X25519SecretKey secret(ByteArray<32>{1, 2, 3, 4});
  const X25519PublicKey three{{3}};
  const auto over = key_of<X25519PublicKey>("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
  EXPECT_EQ(shared_by(secret, over), shared_by(secret, three));
}

RC_GTEST_PROP(X25519, IgnoresTheBitsThatClampingFixes, ()) {
  const auto entropy = random_array<32>();
  auto clamped = entropy;
  clamped[0] &= 0xf8;
  clamped[31] = static_cast<Byte>((clamped[31] & 0x7f) | 0x40);
  RC_ASSERT(X25519KeyPair::from_secret(X25519SecretKey(entropy)).public_key ==
            X25519KeyPair::from_secret(X25519SecretKey(clamped)).public_key);
}

}  // namespace
}  // namespace ekiden::crypto
