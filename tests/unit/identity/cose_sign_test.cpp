#include "identity/cose_sign.hpp"

#include <gtest/gtest.h>

#include "support/golden.hpp"
#include "support/hostile.hpp"
#include "testing.hpp"

namespace ekiden::identity {
namespace {

const ByteView kTestPurpose = as_bytes("test purpose");

TEST(CoseSign, OpensWhatItSigned) {
  const Identity alice = test_identity(1);
  const Bytes payload = {1, 2, 3};
  const Bytes bytes = cose_sign(alice, kTestPurpose, payload);
  const auto opened = cose_open(bytes, alice.public_key(), kTestPurpose);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(to_bytes(*opened), payload);
  EXPECT_TRUE(cose_open(cose_sign(alice, {}, {}), alice.public_key(), {}));
}

TEST(CoseSign, HasItsGoldenBytes) {
  test::check_golden_bytes("cose_sign1", cose_sign(test_identity(1), kTestPurpose, as_bytes("payload")));
}

// The example EdDSA-01 of the COSE working group: lenient, for it names a key and a content type.
TEST(CoseSign, VerifiesTheExampleOfTheWorkingGroup) {
  const Bytes bytes = from_hex(
                          "d28445a201270300a10442313154546869732069732074686520636f6e74656e742e58407142fd2ff96d56db85be"
                          "e905a76ba1d0b7321a95"
                          "c8c4d3607c5781932b7afb8711497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d")
                          .value();
  const crypto::Ed25519PublicKey key{
      take_array<32>(from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").value())};
  const auto payload = cose_open(bytes, key, {}, wire::Sign1Profile::lenient);
  ASSERT_TRUE(payload) << payload.error().message;
  EXPECT_EQ(as_text(*payload), "This is the content.");
  EXPECT_EQ(cose_open(bytes, key, {}).error().code, Errc::malformed);
  EXPECT_EQ(cose_open(bytes, key, kTestPurpose, wire::Sign1Profile::lenient).error().code, Errc::unauthenticated);
  // Nothing that the signature covers can change. The unprotected key name can: that is what lenient means.
  test::for_each_bit_flip(bytes, [&](ByteView flipped) {
    const auto opened = cose_open(flipped, key, {}, wire::Sign1Profile::lenient);
    EXPECT_TRUE(!opened || as_text(*opened) == "This is the content.");
  });
}

TEST(CoseSign, KeepsPurposesAndKeysApart) {
  const Identity alice = test_identity(1);
  const Bytes bytes = cose_sign(alice, kTestPurpose, Bytes{1});
  EXPECT_EQ(cose_open(bytes, alice.public_key(), as_bytes("other purpose")).error().code, Errc::unauthenticated);
  EXPECT_EQ(cose_open(bytes, alice.public_key(), {}).error().code, Errc::unauthenticated);
  EXPECT_EQ(cose_open(bytes, test_identity(2).public_key(), kTestPurpose).error().code, Errc::unauthenticated);
}

TEST(CoseSign, RefusesKeysAsWhichAnybodyCouldSign) {
  const Bytes bytes = cose_sign(test_identity(1), kTestPurpose, Bytes{1});
  crypto::Ed25519PublicKey identity_point;
  identity_point.bytes[0] = 1;
  EXPECT_EQ(cose_open(bytes, identity_point, kTestPurpose).error().code, Errc::unauthenticated);
}

/// With the identity point as public key and as R, and S = 0, the plain equation of RFC 8032 holds for any message.
TEST(CoseSign, RefusesTheForgeryThatTheIdentityPointAllows) {
  crypto::Ed25519PublicKey identity_point;
  identity_point.bytes[0] = 1;
  Bytes signature(64, 0);
  signature[0] = 1;
  const Bytes forged = wire::build_sign1(Bytes{1}, signature);
  EXPECT_EQ(cose_open(forged, identity_point, kTestPurpose).error().code, Errc::unauthenticated);
}

TEST(CoseSign, RefusesEveryChangedBitAndEveryTruncation) {
  const Identity alice = test_identity(1);
  const Bytes bytes = cose_sign(alice, kTestPurpose, Bytes{1, 2, 3, 4});
  test::for_each_bit_flip(
      bytes, [&](ByteView flipped) { EXPECT_FALSE(cose_open(flipped, alice.public_key(), kTestPurpose)); });
  test::for_each_truncation(bytes,
                            [&](ByteView cut) { EXPECT_FALSE(cose_open(cut, alice.public_key(), kTestPurpose)); });
}

}  // namespace
}  // namespace ekiden::identity
