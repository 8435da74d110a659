#include "crypto/curve_memo.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/ed25519.hpp"
#include "crypto/x25519.hpp"
#include "testing.hpp"

namespace ekiden::crypto {
namespace {

Rng rng_of_test() { return Rng(Rng::Seed{7}); }

RC_GTEST_PROP(CurveMemo, GivesWhatIsComputedWithoutIt, ()) {
  const ByteArray<32> a = random_array<32>();
  const ByteArray<32> b = random_array<32>();
  const auto alice = X25519KeyPair::from_secret(X25519SecretKey(a));
  const auto bob = X25519KeyPair::from_secret(X25519SecretKey(b));
  const auto expected = x25519(alice.secret, bob.public_key).value();
  const auto own = x25519(alice.secret, alice.public_key).value();
  const Ed25519PublicKey identity = Ed25519KeyPair::from_seed(Ed25519Seed(a)).public_key();
  const auto image = to_x25519(identity).value();

  CurveMemo memo(8);
  memo.install();
  for (int round = 0; round < 3; ++round) {
    RC_ASSERT(X25519KeyPair::from_secret(X25519SecretKey(a)).public_key == alice.public_key);
    RC_ASSERT(X25519KeyPair::from_secret(X25519SecretKey(b)).public_key == bob.public_key);
    RC_ASSERT(x25519(alice.secret, bob.public_key).value() == expected);
    RC_ASSERT(x25519(bob.secret, alice.public_key).value() == expected);
    RC_ASSERT(x25519(alice.secret, alice.public_key).value() == own);
    RC_ASSERT(to_x25519(identity).value() == image);
  }
}

TEST(CurveMemo, KnowsASharedSecretIfBothKeyPairsAreKnown) {
  CurveMemo memo(8);
  memo.install();
  Rng rng = rng_of_test();
  const auto alice = X25519KeyPair::draw(rng);
  EXPECT_FALSE(memo.find_shared(alice.secret, X25519PublicKey{ByteArray<32>{9}}));
  std::size_t known = 0;
  for (int i = 0; i < 64; ++i) {
    const auto bob = X25519KeyPair::draw(rng);
    const auto shared = memo.find_shared(alice.secret, bob.public_key);
    if (!shared) continue;  // One of eight products has no form that clamping leaves alone.
    ++known;
    EXPECT_EQ(*shared, memo.find_shared(bob.secret, alice.public_key).value());
    EXPECT_EQ(*shared, x25519(alice.secret, bob.public_key).value());
  }
  EXPECT_GE(known, 48u);
}

TEST(CurveMemo, LearnsAForgottenKeyPairAgainFromItsUse) {
  CurveMemo memo(4);
  memo.install();
  Rng rng = rng_of_test();
  const auto alice = X25519KeyPair::draw(rng);
  const auto forget_alice = [&] {
    for (int i = 0; i < 8; ++i) X25519KeyPair::draw(rng);
    ASSERT_EQ(memo.find_public(alice.secret), nullptr);
  };
  std::size_t known = 0;
  for (int i = 0; i < 32; ++i) {
    forget_alice();
    const auto bob = X25519KeyPair::draw(rng);
    if (memo.find_shared(alice.secret, bob.public_key)) ++known;
    EXPECT_NE(memo.find_public(alice.secret), nullptr);
  }
  EXPECT_GE(known, 16U);
}

TEST(CurveMemo, RemembersWhateverASharedSecretWasComputedFrom) {
  CurveMemo memo(64);
  Rng rng = rng_of_test();
  const auto stranger = X25519KeyPair::draw(rng);  // Before there is a memo: it does not know the secret.
  memo.install();
  const auto alice = X25519KeyPair::draw(rng);
  EXPECT_FALSE(memo.find_shared(alice.secret, stranger.public_key));
  const SharedSecret computed = x25519(alice.secret, stranger.public_key).value();
  EXPECT_EQ(memo.find_shared(alice.secret, stranger.public_key), computed);
  EXPECT_EQ(memo.find_shared(stranger.secret, alice.public_key), computed);
}

TEST(CurveMemo, KeepsNoMoreThanItMay) {
  CurveMemo memo(2);
  memo.install();
  Rng rng = rng_of_test();
  const auto first = X25519KeyPair::draw(rng);
  for (int i = 0; i < 4; ++i) X25519KeyPair::draw(rng);
  EXPECT_EQ(memo.find_public(first.secret), nullptr);
}

TEST(CurveMemo, KeepsWhatIsUsed) {
  CurveMemo memo(2);
  memo.install();
  Rng rng = rng_of_test();
  const auto first = X25519KeyPair::draw(rng);
  for (int i = 0; i < 8; ++i) {
    X25519KeyPair::draw(rng);
    EXPECT_NE(memo.find_public(first.secret), nullptr);
  }
}

TEST(CurveMemo, TakesNoSignatureForAnother) {
  CurveMemo memo(8);
  memo.install();
  const auto alice = Ed25519KeyPair::from_seed(Ed25519Seed(ByteArray<32>{1}));
  const auto bob = Ed25519KeyPair::from_seed(Ed25519Seed(ByteArray<32>{2}));
  const Bytes message = to_bytes(as_bytes("message"));
  const Signature good = alice.sign(message);
  Signature bad = good;
  bad.bytes[63] ^= 1;
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(verify(alice.public_key(), message, good));
    EXPECT_FALSE(verify(alice.public_key(), message, bad));
    EXPECT_FALSE(verify(alice.public_key(), to_bytes(as_bytes("massage")), good));
    EXPECT_FALSE(verify(bob.public_key(), message, good));
  }
  EXPECT_TRUE(memo.is_verified(alice.public_key(), message, good));
  EXPECT_FALSE(memo.is_verified(alice.public_key(), message, bad));
}

TEST(CurveMemo, RefusesPointsOfLowOrderStill) {
  CurveMemo memo(8);
  memo.install();
  Rng rng = rng_of_test();
  const auto alice = X25519KeyPair::draw(rng);
  for (int round = 0; round < 2; ++round) {
    EXPECT_FALSE(x25519(alice.secret, X25519PublicKey{}));
    EXPECT_FALSE(to_x25519(Ed25519PublicKey{ByteArray<32>{1}}));
  }
}

TEST(CurveMemo, CountsEachOperationWhetherItsResultIsKnownOrNot) {
  const auto alice = Ed25519KeyPair::from_seed(Ed25519Seed(ByteArray<32>{1}));
  const Bytes message = to_bytes(as_bytes("message"));
  CurveMemo memo(8);
  memo.install();
  const auto pair = X25519KeyPair::from_secret(X25519SecretKey(ByteArray<32>{1}));
  EXPECT_EQ(memo.operations(), 1U);
  for (std::uint64_t round = 1; round <= 2; ++round) {
    EXPECT_TRUE(x25519(pair.secret, pair.public_key));
    EXPECT_TRUE(to_x25519(alice.public_key()));
    EXPECT_TRUE(is_acceptable(alice.public_key()));
    EXPECT_TRUE(verify(alice.public_key(), message, alice.sign(message)));
    EXPECT_EQ(memo.operations(), 1 + 5 * round);
  }
}

TEST(CurveMemo, EndsWithItsLife) {
  {
    CurveMemo memo(8);
    memo.install();
    EXPECT_EQ(CurveMemo::installed(), &memo);
  }
  EXPECT_EQ(CurveMemo::installed(), nullptr);
}

}  // namespace
}  // namespace ekiden::crypto
