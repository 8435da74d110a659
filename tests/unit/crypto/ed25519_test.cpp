#include "crypto/ed25519.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/x25519.hpp"
#include "testing.hpp"

namespace ekiden::crypto {
namespace {

struct SignatureCase {
  const char* seed;
  const char* public_key;
  Bytes message;
  const char* signature;
};

// RFC 8032 section 7.1: tests 1, 2, 3 and SHA(abc).
std::vector<SignatureCase> rfc8032() {
  return {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
       {},
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe"
       "24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", hex("72"),
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302a"
       "eeb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", hex("af82"),
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed2"
       "8dc027beceea1ec40a"},
      {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
       "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
       hex("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643"
           "c"
           "e80e2a9ac94fa54ca49f"),
       "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac1"
       "7ad9bef1177331a704"},
  };
}

TEST(Ed25519, SignsAndVerifiesAsInRfc8032) {
  for (const auto& test : rfc8032()) {
    const auto pair = Ed25519KeyPair::from_seed(key_of<Ed25519Seed>(test.seed));
    const auto signature = key_of<Signature>(test.signature);
    EXPECT_EQ(pair.public_key(), key_of<Ed25519PublicKey>(test.public_key));
    EXPECT_EQ(pair.sign(test.message), signature);
    EXPECT_TRUE(is_acceptable(pair.public_key()));
    EXPECT_TRUE(verify(pair.public_key(), test.message, signature));
  }
}

RC_GTEST_PROP(Ed25519, VerifiesWhatItSignedAndNothingWithABitChanged, ()) {
  const auto pair = Ed25519KeyPair::from_seed(random_key<Ed25519Seed>());
  auto message = random_bytes(200);
  message.push_back(0);
  const auto signature = pair.sign(message);
  RC_ASSERT(verify(pair.public_key(), message, signature));
  RC_ASSERT_FALSE(verify(pair.public_key(), with_one_bit_flipped(message), signature));
  RC_ASSERT_FALSE(verify(pair.public_key(), message, Signature{with_one_bit_flipped(signature.bytes)}));
  RC_ASSERT_FALSE(verify(Ed25519PublicKey{with_one_bit_flipped(pair.public_key().bytes)}, message, signature));
}

RC_GTEST_PROP(Ed25519, KeepsItsSeedAndIsDeterministic, ()) {
  const auto seed = random_key<Ed25519Seed>();
  const auto pair = Ed25519KeyPair::from_seed(seed);
  const auto again = Ed25519KeyPair::from_seed(pair.seed());
  const auto message = random_bytes(50);
  RC_ASSERT(pair.seed() == seed);
  RC_ASSERT(pair.sign(message) == again.sign(message));
}

TEST(Ed25519, LeavesNoSeedBehindWhenMoved) {
  auto source = Ed25519KeyPair::from_seed(Ed25519Seed(ByteArray<32>{7}));
  const auto taken = std::move(source);
  EXPECT_TRUE(source.seed() == Ed25519Seed());  // NOLINT(bugprone-use-after-move): this is what the test is about.
  EXPECT_TRUE(taken.seed() == Ed25519Seed(ByteArray<32>{7}));
}

// RFC 7748 section 4.1: both halves of the image belong together.
RC_GTEST_PROP(Ed25519, HasAnX25519ImageWhoseHalvesBelongTogether, ()) {
  const auto pair = Ed25519KeyPair::from_seed(random_key<Ed25519Seed>());
  RC_ASSERT(x25519_public(pair.x25519()) == to_x25519(pair.public_key()).value());
}

RC_GTEST_PROP(Ed25519, TakesTheImageOfExactlyTheAcceptableKeys, ()) {
  const Ed25519PublicKey key{random_array<32>()};
  const auto image = to_x25519(key);
  RC_ASSERT(image.has_value() == is_acceptable(key));
  if (!image) RC_ASSERT(image.error().code == Errc::refused);
}

}  // namespace
}  // namespace ekiden::crypto
