#include "crypto/x25519_memo.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/ed25519.hpp"
#include "crypto/x25519.hpp"
#include "testing.hpp"

namespace ekiden::crypto {
namespace {

Rng rng_of_test() { return Rng(Rng::Seed{7}); }

RC_GTEST_PROP(X25519Memo, GivesWhatIsComputedWithoutIt, ()) {
  const ByteArray<32> a = random_array<32>();
  const ByteArray<32> b = random_array<32>();
  const auto alice = X25519KeyPair::from_secret(X25519SecretKey(a));
  const auto bob = X25519KeyPair::from_secret(X25519SecretKey(b));
  const auto expected = x25519(alice.secret, bob.public_key).value();
  const Ed25519PublicKey identity = Ed25519KeyPair::from_seed(Ed25519Seed(a)).public_key();
  const auto image = to_x25519(identity).value();

  X25519Memo memo(8);
  memo.install();
  for (int round = 0; round < 3; ++round) {
    RC_ASSERT(X25519KeyPair::from_secret(X25519SecretKey(a)).public_key == alice.public_key);
    RC_ASSERT(X25519KeyPair::from_secret(X25519SecretKey(b)).public_key == bob.public_key);
    RC_ASSERT(x25519(alice.secret, bob.public_key).value() == expected);
    RC_ASSERT(x25519(bob.secret, alice.public_key).value() == expected);
    RC_ASSERT(to_x25519(identity).value() == image);
  }
}

TEST(X25519Memo, GivesASecretToTheOtherEndOnce) {
  X25519Memo memo(8);
  memo.install();
  Rng rng = rng_of_test();
  const auto alice = X25519KeyPair::draw(rng);
  const auto bob = X25519KeyPair::draw(rng);
  const auto shared = x25519(alice.secret, bob.public_key).value();
  SharedSecret known;
  EXPECT_TRUE(memo.take_shared(bob.secret, alice.public_key, known));
  EXPECT_EQ(known, shared);
  EXPECT_FALSE(memo.take_shared(bob.secret, alice.public_key, known));
}

TEST(X25519Memo, KeepsNoMoreThanItMay) {
  X25519Memo memo(2);
  memo.install();
  Rng rng = rng_of_test();
  const auto alice = X25519KeyPair::draw(rng);
  const auto bob = X25519KeyPair::draw(rng);
  ASSERT_TRUE(x25519(alice.secret, bob.public_key));
  X25519KeyPair::draw(rng);  // Bob's public key was used longest ago: nobody can tell any more whose secret it was.
  SharedSecret known;
  EXPECT_NE(memo.find_public(alice.secret), nullptr);
  EXPECT_EQ(memo.find_public(bob.secret), nullptr);
  EXPECT_FALSE(memo.take_shared(bob.secret, alice.public_key, known));
}

TEST(X25519Memo, RefusesPointsOfLowOrderStill) {
  X25519Memo memo(8);
  memo.install();
  Rng rng = rng_of_test();
  const auto alice = X25519KeyPair::draw(rng);
  for (int round = 0; round < 2; ++round) {
    EXPECT_FALSE(x25519(alice.secret, X25519PublicKey{}));
    EXPECT_FALSE(to_x25519(Ed25519PublicKey{ByteArray<32>{1}}));
  }
}

TEST(X25519Memo, EndsWithItsLife) {
  {
    X25519Memo memo(8);
    memo.install();
    EXPECT_EQ(X25519Memo::installed(), &memo);
  }
  EXPECT_EQ(X25519Memo::installed(), nullptr);
}

}  // namespace
}  // namespace ekiden::crypto
