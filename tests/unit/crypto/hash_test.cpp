#include "crypto/hash.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sodium/crypto_auth_hmacsha256.h>
#include <sodium/crypto_hash_sha256.h>

#include <algorithm>

#include "testing.hpp"

namespace ekiden::crypto {
namespace {

// FIPS 180-4, the examples published with it.
TEST(Sha256, HashesTheExamplesOfItsStandard) {
  EXPECT_EQ(sha256(as_bytes("abc")),
            key_of<Digest>("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  EXPECT_EQ(sha256(ByteView()), key_of<Digest>("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
  EXPECT_EQ(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            key_of<Digest>("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
}

RC_GTEST_PROP(Sha256, AgreesWithAnotherLibraryAtEveryLength, ()) {
  const auto bytes = random_bytes(300);
  Digest other;
  crypto_hash_sha256(other.bytes.data(), bytes.data(), bytes.size());
  RC_ASSERT(sha256(bytes) == other);
}

RC_GTEST_PROP(Sha256, HashesPartsLikeTheirConcatenation, (const Bytes& a, const Bytes& b, const Bytes& c)) {
  Bytes whole = a;
  append(whole, b);
  append(whole, c);
  RC_ASSERT(sha256({a, b, c}) == sha256(whole));
}

struct HmacCase {
  Bytes key;
  Bytes message;
  Bytes code;
};

// RFC 4231 sections 4.2, 4.3, 4.4, 4.7 and 4.8: short, ordinary and overlong keys.
std::vector<HmacCase> rfc4231() {
  return {
      {Bytes(20, 0x0b), hex("4869205468657265"),
       hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")},
      {to_bytes(as_bytes("Jefe")), to_bytes(as_bytes("what do ya want for nothing?")),
       hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")},
      {Bytes(20, 0xaa), Bytes(50, 0xdd), hex("773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe")},
      {Bytes(131, 0xaa), to_bytes(as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")),
       hex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")},
      {Bytes(131, 0xaa),
       to_bytes(as_bytes("This is a test using a larger than block-size key and a larger than block-size data. The key "
                         "needs to be hashed before being used by the HMAC algorithm.")),
       hex("9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2")},
  };
}

TEST(HmacSha256, MakesTheCodesOfRfc4231) {
  for (const auto& test : rfc4231()) {
    EXPECT_EQ(to_bytes(hmac_sha256(test.key, {test.message}).view()), test.code);
    EXPECT_TRUE(hmac_sha256_verify(test.key, test.message, test.code));
  }
}

RC_GTEST_PROP(HmacSha256, AgreesWithAnotherLibraryForEveryKeyLength, ()) {
  auto key = random_bytes(200);
  key.reserve(1);  // The other library wants a pointer even to an empty key.
  const auto message = random_bytes(200);
  crypto_auth_hmacsha256_state state;
  ByteArray<32> other;
  crypto_auth_hmacsha256_init(&state, key.data(), key.size());
  crypto_auth_hmacsha256_update(&state, message.data(), message.size());
  crypto_auth_hmacsha256_final(&state, other.data());
  RC_ASSERT(hmac_sha256(key, {message}) == ChainKey(other));
}

RC_GTEST_PROP(HmacSha256, HashesPartsLikeTheirConcatenation, (const Bytes& key, const Bytes& a, const Bytes& b)) {
  Bytes whole = a;
  append(whole, b);
  RC_ASSERT(hmac_sha256(key, {a, b}) == hmac_sha256(key, {whole}));
}

RC_GTEST_PROP(HmacSha256, RefusesACodeWithAnyBitChanged, ()) {
  const auto key = random_bytes(100);
  const auto message = random_bytes(100);
  const auto code = hmac_sha256(key, {message});
  RC_ASSERT(hmac_sha256_verify(key, message, code.view()));
  RC_ASSERT_FALSE(hmac_sha256_verify(key, message, with_one_bit_flipped(to_bytes(code.view()))));
}

TEST(HmacSha256, RefusesATruncatedOrExtendedCode) {
  auto code = to_bytes(hmac_sha256(as_bytes("key"), {as_bytes("message")}).view());
  EXPECT_FALSE(hmac_sha256_verify(as_bytes("key"), as_bytes("message"), ByteView(code).first(31)));
  EXPECT_FALSE(hmac_sha256_verify(as_bytes("key"), as_bytes("message"), ByteView()));
  code.push_back(0);
  EXPECT_FALSE(hmac_sha256_verify(as_bytes("key"), as_bytes("message"), code));
}

struct HkdfCase {
  Bytes input;
  Bytes salt;
  Bytes info;
  Bytes pseudo_random_key;
  Bytes output;
};

Bytes counting(Byte from, std::size_t count) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<Byte>(from + i);
  return bytes;
}

// RFC 5869 appendix A.1 to A.3.
std::vector<HkdfCase> rfc5869() {
  return {
      {Bytes(22, 0x0b), counting(0x00, 13), counting(0xf0, 10),
       hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"),
       hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")},
      {counting(0x00, 80), counting(0x60, 80), counting(0xb0, 80),
       hex("06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244"),
       hex("b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2"
           "f"
           "09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87")},
      {Bytes(22, 0x0b),
       {},
       {},
       hex("19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04"),
       hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")},
  };
}

TEST(HkdfSha256, MakesTheKeysOfRfc5869) {
  for (const auto& test : rfc5869()) {
    const auto key = hkdf_extract(test.salt, test.input);
    EXPECT_EQ(to_bytes(key.view()), test.pseudo_random_key);
    Bytes output(test.output.size());
    ASSERT_TRUE(hkdf_expand(key.view(), test.info, output));
    EXPECT_EQ(output, test.output);
  }
}

RC_GTEST_PROP(HkdfSha256, AShorterOutputIsThePrefixOfALongerOne, ()) {
  const auto key = random_key<ChainKey>();
  const auto info = random_bytes(40);
  Bytes longer(*rc::gen::inRange<std::size_t>(0, 400));
  Bytes shorter(*rc::gen::inRange<std::size_t>(0, longer.size() + 1));
  RC_ASSERT(hkdf_expand(key.view(), info, longer).has_value());
  RC_ASSERT(hkdf_expand(key.view(), info, shorter).has_value());
  RC_ASSERT(std::equal(shorter.begin(), shorter.end(), longer.begin()));
}

TEST(HkdfSha256, MakesAtMost255Blocks) {
  Bytes output(kMaxHkdfOutput + 1);
  const auto status = hkdf_expand(as_bytes("key"), as_bytes("info"), output);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::too_large);
  EXPECT_EQ(output, Bytes(output.size(), 0));
  EXPECT_TRUE(hkdf_expand(as_bytes("key"), as_bytes("info"), MutableBytes(output).first(kMaxHkdfOutput)));
  // The last block is T(255), computed here from its definition.
  const auto at = [&](std::size_t block) { return ByteView(output).subspan((block - 1) * 32, 32); };
  const Byte counter = 255;
  EXPECT_TRUE(hmac_sha256_verify(
      as_bytes("key"),
      [&] {
        auto message = to_bytes(at(254));
        append(message, as_bytes("info"));
        message.push_back(counter);
        return message;
      }(),
      at(255)));
}

}  // namespace
}  // namespace ekiden::crypto
