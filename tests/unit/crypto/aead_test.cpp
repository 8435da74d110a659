#include "crypto/aead.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <utility>

#include "testing.hpp"

namespace ekiden::crypto {
namespace {

struct Sample {
  AeadKey key = random_key<AeadKey>();
  Nonce nonce = random_array<12>();
  Bytes associated = random_bytes(40);
  Bytes plaintext = random_bytes(300);

  Bytes sealed() const {
    Bytes out;
    seal(key, nonce, associated, plaintext, out);
    return out;
  }
};

// Test case 16 of the GCM specification that McGrew and Viega submitted to NIST.
TEST(Aead, SealsTheExampleOfItsSpecification) {
  const auto key = key_of<AeadKey>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const auto nonce = take_array<12>(hex("cafebabefacedbaddecaf888"));
  const auto associated = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const auto plaintext =
      hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0d"
          "e657ba637b39");
  const auto expected =
      hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba"
          "7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
  Bytes sealed;
  seal(key, nonce, associated, plaintext, sealed);
  EXPECT_EQ(sealed, expected);
  EXPECT_EQ(open(key, nonce, associated, expected).value(), plaintext);
}

TEST(Aead, SealsNothingAtAll) {
  const AeadKey key;
  Bytes sealed;
  seal(key, Nonce{}, {}, {}, sealed);
  EXPECT_EQ(sealed, hex("530f8afbc74536b9a963b4f1c4cb738b"));  // Test case 13 of the same.
  EXPECT_EQ(open(key, Nonce{}, {}, sealed).value(), Bytes());
}

RC_GTEST_PROP(Aead, OpensWhatItSealed, ()) {
  const Sample sample;
  const auto sealed = sample.sealed();
  RC_ASSERT(sealed.size() == sample.plaintext.size() + kTagSize);
  RC_ASSERT(open(sample.key, sample.nonce, sample.associated, sealed).value() == sample.plaintext);
}

RC_GTEST_PROP(Aead, AppendsToWhatIsThere, ()) {
  const Sample sample;
  const auto before = random_bytes(20);
  auto out = before;
  seal(sample.key, sample.nonce, sample.associated, sample.plaintext, out);
  RC_ASSERT(std::equal(before.begin(), before.end(), out.begin()));
  RC_ASSERT(Bytes(out.begin() + static_cast<std::ptrdiff_t>(before.size()), out.end()) == sample.sealed());
}

RC_GTEST_PROP(Aead, RefusesAnyBitChanged, ()) {
  const Sample sample;
  const auto sealed = sample.sealed();
  const auto refused = [&](const AeadKey& key, const Nonce& nonce, const Bytes& associated, const Bytes& bytes) {
    const auto opened = open(key, nonce, associated, bytes);
    return !opened && opened.error().code == Errc::unauthenticated;
  };
  auto associated = sample.associated;
  associated.push_back(0);
  const AeadKey other_key(with_one_bit_flipped(take_array<32>(sample.key.view())));
  RC_ASSERT(refused(sample.key, sample.nonce, sample.associated, with_one_bit_flipped(sealed)));
  RC_ASSERT(refused(sample.key, with_one_bit_flipped(sample.nonce), sample.associated, sealed));
  RC_ASSERT(refused(sample.key, sample.nonce, associated, sealed));
  RC_ASSERT(refused(other_key, sample.nonce, sample.associated, sealed));
}

RC_GTEST_PROP(Aead, RefusesEveryTruncation, ()) {
  const Sample sample;
  const auto sealed = sample.sealed();
  const auto kept = *rc::gen::inRange<std::size_t>(0, sealed.size());
  const auto opened = open(sample.key, sample.nonce, sample.associated, ByteView(sealed).first(kept));
  RC_ASSERT_FALSE(opened.has_value());
  RC_ASSERT(opened.error().code == (kept < kTagSize ? Errc::malformed : Errc::unauthenticated));
}

RC_GTEST_PROP(AeadCipher, AgreesWithTheFreeFunctions, ()) {
  const Sample sample;
  AeadCipher cipher(sample.key);
  Bytes sealed(sample.plaintext.size() + kTagSize);
  cipher.seal(sample.nonce, sample.associated, sample.plaintext, sealed);
  RC_ASSERT(sealed == sample.sealed());
  Bytes opened(sample.plaintext.size());
  RC_ASSERT(cipher.open(sample.nonce, sample.associated, sealed, opened).has_value());
  RC_ASSERT(opened == sample.plaintext);
}

RC_GTEST_PROP(AeadCipher, WorksInPlace, ()) {
  const Sample sample;
  AeadCipher cipher(sample.key);
  auto buffer = sample.plaintext;
  buffer.resize(buffer.size() + kTagSize);
  const auto text = MutableBytes(buffer).first(sample.plaintext.size());
  cipher.seal(sample.nonce, sample.associated, text, buffer);
  RC_ASSERT(buffer == sample.sealed());
  RC_ASSERT(cipher.open(sample.nonce, sample.associated, buffer, text).has_value());
  RC_ASSERT(to_bytes(text) == sample.plaintext);
}

RC_GTEST_PROP(AeadCipher, ZeroesTheOutputOfWhatDoesNotVerify, ()) {
  const Sample sample;
  AeadCipher cipher(sample.key);
  auto buffer = with_one_bit_flipped(sample.sealed());
  const auto text = MutableBytes(buffer).first(sample.plaintext.size());
  const auto status = cipher.open(sample.nonce, sample.associated, buffer, text);
  RC_ASSERT_FALSE(status.has_value());
  RC_ASSERT(status.error().code == Errc::unauthenticated);
  RC_ASSERT(std::ranges::all_of(text, [](Byte byte) { return byte == 0; }));
}

/// What one long-lived cipher went through must not show in its next message: failures, both directions, new keys.
RC_GTEST_PROP(AeadCipher, IsNotAffectedByItsPast, ()) {
  AeadCipher cipher(random_key<AeadKey>());
  const auto rounds = *rc::gen::inRange(1, 8);
  for (int i = 0; i < rounds; ++i) {
    const Sample sample;
    cipher.set_key(sample.key);
    Bytes sealed(sample.plaintext.size() + kTagSize);
    Bytes opened(sample.plaintext.size());
    if (*rc::gen::arbitrary<bool>()) {
      RC_ASSERT_FALSE(cipher.open(sample.nonce, {}, with_one_bit_flipped(sample.sealed()), opened).has_value());
    }
    if (*rc::gen::arbitrary<bool>()) cipher.set_key(sample.key);  // Again the same.
    cipher.seal(sample.nonce, sample.associated, sample.plaintext, sealed);
    RC_ASSERT(sealed == sample.sealed());
    RC_ASSERT(cipher.open(sample.nonce, sample.associated, sealed, opened).has_value());
    RC_ASSERT(opened == sample.plaintext);
  }
}

RC_GTEST_PROP(AeadCipher, MovesWithItsKey, ()) {
  const Sample sample;
  AeadCipher first(sample.key);
  AeadCipher second(std::move(first));
  first = AeadCipher(random_key<AeadKey>());
  Bytes sealed(sample.plaintext.size() + kTagSize);
  second.seal(sample.nonce, sample.associated, sample.plaintext, sealed);
  RC_ASSERT(sealed == sample.sealed());
}

}  // namespace
}  // namespace ekiden::crypto
