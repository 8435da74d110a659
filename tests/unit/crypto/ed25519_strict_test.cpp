// Strictness of Ed25519, with forgeries made here. OpenSSL stands for a lenient verifier: where it accepts what we must
// refuse, the forgery is proved to be a real one.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_hash_sha512.h>
#include <sodium/crypto_scalarmult_ed25519.h>

#include <algorithm>
#include <memory>

#include "crypto/ed25519.hpp"
#include "testing.hpp"

namespace ekiden::crypto {
namespace {

using Point = ByteArray<32>;
using Scalar = ByteArray<32>;

// The eight points whose order divides 8, in their canonical encodings: orders 1, 2, 4, 4, 8, 8, 8, 8.
constexpr const char* kLowOrder[] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
};

// The other encodings that a decoder without RFC 8032's checks takes for those points: y of p or p + 1, or the sign of
// x set where x is zero.
constexpr const char* kNonCanonicalLowOrder[] = {
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

Point point(const char* text) { return take_array<32>(hex(text)); }

Point base_times(const Scalar& scalar) {
  Point product;
  EXPECT_EQ(crypto_scalarmult_ed25519_base_noclamp(product.data(), scalar.data()), 0);
  return product;
}

Signature join(const Point& r, const Scalar& s) {
  Signature signature;
  std::ranges::copy(r, signature.bytes.begin());
  std::ranges::copy(s, signature.bytes.begin() + 32);
  return signature;
}

/// The challenge of RFC 8032 section 5.1.7: SHA-512(R | A | M) modulo the group order.
Scalar challenge(const Point& r, const Point& a, ByteView message) {
  Bytes input(r.begin(), r.end());
  append(input, a);
  append(input, message);
  ByteArray<64> digest;
  crypto_hash_sha512(digest.data(), input.data(), input.size());
  Scalar reduced;
  crypto_core_ed25519_scalar_reduce(reduced.data(), digest.data());
  return reduced;
}

bool openssl_accepts(const Point& key, ByteView message, const Signature& signature) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> parsed(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()), EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return parsed != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, parsed.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.bytes.data(), signature.bytes.size(), message.data(),
                          message.size()) == 1;
}

/// A signature under a key of low order that nobody needs a secret for: S B = R + h A holds with R = S B as soon as 8
/// divides h, so a message is looked for where it does.
void expect_forgery_refused(const Point& low_order) {
  const Scalar s{5};
  const Point r = base_times(s);
  ByteArray<2> message{};
  while (challenge(r, low_order, message)[0] % 8 != 0) {
    if (++message[0] == 0) ++message[1];
  }
  const auto forged = join(r, s);
  EXPECT_TRUE(openssl_accepts(low_order, message, forged)) << "the forgery is not one: " << to_hex(low_order);
  EXPECT_FALSE(verify(Ed25519PublicKey{low_order}, message, forged)) << to_hex(low_order);
}

TEST(StrictEd25519, RefusesTheForgeriesUnderKeysOfLowOrder) {
  for (const auto* text : kLowOrder) expect_forgery_refused(point(text));
}

TEST(StrictEd25519, RefusesKeysOfLowOrderInEveryEncoding) {
  const auto refused = [](const char* text) {
    const Ed25519PublicKey key{point(text)};
    EXPECT_FALSE(is_acceptable(key)) << text;
    EXPECT_FALSE(to_x25519(key)) << text;
    EXPECT_FALSE(verify(key, as_bytes("message"), join(base_times({5}), {5}))) << text;
  };
  std::ranges::for_each(kLowOrder, refused);
  std::ranges::for_each(kNonCanonicalLowOrder, refused);
}

// R of low order: with R the neutral element, S = h a satisfies the equation, and gives away the secret a.
TEST(StrictEd25519, RefusesRTheNeutralElement) {
  const Scalar secret{11, 12, 13};
  const Point a = base_times(secret);
  const Point neutral = point(kLowOrder[0]);
  const auto message = as_bytes("message");
  Scalar s;
  crypto_core_ed25519_scalar_mul(s.data(), challenge(neutral, a, message).data(), secret.data());
  ASSERT_TRUE(is_acceptable(Ed25519PublicKey{a}));
  EXPECT_TRUE(openssl_accepts(a, message, join(neutral, s)));
  EXPECT_FALSE(verify(Ed25519PublicKey{a}, message, join(neutral, s)));
}

TEST(StrictEd25519, RefusesROfLowOrderInEveryEncoding) {
  const Scalar secret{11, 12, 13};
  const Point a = base_times(secret);
  const auto message = as_bytes("message");
  const auto refused = [&](const char* text) {
    Scalar s;
    crypto_core_ed25519_scalar_mul(s.data(), challenge(point(text), a, message).data(), secret.data());
    EXPECT_FALSE(verify(Ed25519PublicKey{a}, message, join(point(text), s))) << text;
  };
  std::ranges::for_each(kLowOrder, refused);
  std::ranges::for_each(kNonCanonicalLowOrder, refused);
}

// A key outside the prime-order subgroup: an honest key plus a point of low order. Its owner could make several keys
// that answer for each other's signatures in verifiers that use the cofactor.
TEST(StrictEd25519, RefusesKeysWithAComponentOfLowOrder) {
  const Point honest = base_times({11, 12, 13});
  ASSERT_TRUE(is_acceptable(Ed25519PublicKey{honest}));
  for (const auto* text : kLowOrder) {
    if (text == kLowOrder[0]) continue;
    Point mixed;
    ASSERT_EQ(crypto_core_ed25519_add(mixed.data(), honest.data(), point(text).data()), 0);
    EXPECT_FALSE(is_acceptable(Ed25519PublicKey{mixed})) << text;
    EXPECT_FALSE(to_x25519(Ed25519PublicKey{mixed})) << text;
  }
}

// y = p + n for the 19 numbers n that fit below 2^255, with both signs: not canonical, wherever the point is.
TEST(StrictEd25519, RefusesEveryNonCanonicalKey) {
  for (int n = 0; n < 19; ++n) {
    for (const Byte sign : {Byte{0x00}, Byte{0x80}}) {
      Point key = point(kNonCanonicalLowOrder[4]);
      key[0] = static_cast<Byte>(0xed + n);
      key[31] = static_cast<Byte>(0x7f | sign);
      EXPECT_FALSE(is_acceptable(Ed25519PublicKey{key})) << to_hex(key);
      EXPECT_FALSE(to_x25519(Ed25519PublicKey{key})) << to_hex(key);
    }
  }
}

TEST(StrictEd25519, RefusesKeysThatAreNotOnTheCurve) {
  const Ed25519PublicKey off_curve{{2}};  // y = 2 has no x.
  EXPECT_FALSE(is_acceptable(off_curve));
  EXPECT_FALSE(to_x25519(off_curve));
}

// RFC 8032 section 5.1.7 step 1: S below the group order L. S + L satisfies the equation as well, so that without the
// check everybody could make a second signature out of one.
TEST(StrictEd25519, RefusesAnSThatIsNotReduced) {
  constexpr const char* kGroupOrder = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
  const auto pair = Ed25519KeyPair::from_seed(Ed25519Seed(ByteArray<32>{1}));
  auto signature = pair.sign(as_bytes("message"));
  ASSERT_TRUE(verify(pair.public_key(), as_bytes("message"), signature));
  const auto order = point(kGroupOrder);
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += signature.bytes[32 + i] + unsigned{order[i]};
    signature.bytes[32 + i] = static_cast<Byte>(carry);
    carry >>= 8;
  }
  EXPECT_FALSE(verify(pair.public_key(), as_bytes("message"), signature));
}

}  // namespace
}  // namespace ekiden::crypto
