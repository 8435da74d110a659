#include "wire/cose.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.hpp"
#include "support/hostile.hpp"
#include "unit/wire/hex.hpp"

namespace ekiden::wire {
namespace {

const std::string kSignature = to_hex(Bytes(64, 0x5a));

/// A COSE_Sign1 of parts in hexadecimal; the payload is the byte string h'c0de'.
std::string sign1(std::string_view protected_header, std::string_view unprotected, std::string_view payload = "42c0de",
                  std::string_view tag = "d2", std::string_view start = "84") {
  return std::string(tag) + std::string(start) + std::string(protected_header) + std::string(unprotected) +
         std::string(payload) + "5840" + kSignature;
}

Error error_of(std::string_view text, Sign1Profile profile = Sign1Profile::strict) {
  const auto view = parse_sign1(hex(text), profile);
  EXPECT_FALSE(view) << text << " was accepted";
  return view ? Error{} : view.error();
}

TEST(Cose, TakesApartWhatItBuilt) {
  const Bytes payload = {1, 2, 3};
  const Bytes signature(64, 0x5a);
  const Bytes bytes = build_sign1(payload, signature);
  EXPECT_EQ(to_hex(bytes), "d28443a10127a0430102035840" + kSignature);
  const auto view = parse_sign1(bytes);
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(to_hex(view->protected_header), to_hex(eddsa_protected_header()));
  EXPECT_EQ(to_bytes(view->payload), payload);
  EXPECT_EQ(to_bytes(view->signature), signature);
}

// The to-be-signed bytes of RFC 9052's working group example EdDSA-01 and its shape with external data.
TEST(Cose, CoversTheHeaderTheExternalDataAndThePayload) {
  EXPECT_EQ(to_hex(sig_structure(hex("a201270300"), {}, as_bytes("This is the content."))),
            "846a5369676e61747572653145a2012703004054546869732069732074686520636f6e74656e742e");
  EXPECT_EQ(to_hex(sig_structure(hex("a10127"), hex("11aa22bb33cc44dd55006699"), hex("c0"))),
            "846a5369676e61747572653143a101274c11aa22bb33cc44dd5500669941c0");
}

TEST(Cose, RefusesOtherAlgorithms) {
  for (const char* header : {"43a10126",                // ES256
                             "45a1013903e6",            // -999
                             "4aa10167756e6b6e6f776e",  // "unknown"
                             "43a10128", "44a1013863", "40", "41a0", "43a10300"}) {
    for (const auto profile : {Sign1Profile::strict, Sign1Profile::lenient}) {
      const Error error = error_of(sign1(header, "a0"), profile);
      EXPECT_TRUE(error.code == Errc::unsupported || error.code == Errc::malformed) << header;
      EXPECT_TRUE(error.message.starts_with("COSE_Sign1: ")) << error.message;
    }
  }
  EXPECT_EQ(error_of(sign1("43a10126", "a0")).code, Errc::unsupported);
}

TEST(Cose, KeepsItsOwnFormCanonical) {
  const std::string with_kid = sign1("43a10127", "a104423131");
  const std::string with_content_type = sign1("45a201270300", "a0");
  EXPECT_EQ(error_of(with_kid).message, "COSE_Sign1: the unprotected header is not empty");
  EXPECT_EQ(error_of(with_content_type).message, "COSE_Sign1: the protected header is not exactly {1: -8}");
  EXPECT_TRUE(parse_sign1(hex(with_kid), Sign1Profile::lenient));
  EXPECT_TRUE(parse_sign1(hex(with_content_type), Sign1Profile::lenient));
}

TEST(Cose, RefusesHeadersThatMustBeUnderstood) {
  const std::string critical = sign1(
      "47a20127028119"
      "03e8",
      "a0");
  EXPECT_EQ(error_of(sign1("46a20127028103", "a0"), Sign1Profile::lenient).code, Errc::unsupported);
  EXPECT_EQ(error_of(sign1("43a10127", "a1028103"), Sign1Profile::lenient).code, Errc::unsupported);
}

TEST(Cose, WantsTheAlgorithmInTheProtectedHeaderOnly) {
  EXPECT_EQ(error_of(sign1("40", "a10127"), Sign1Profile::lenient).code, Errc::malformed);
  EXPECT_EQ(error_of(sign1("43a10127", "a10127"), Sign1Profile::lenient).code, Errc::malformed);
  EXPECT_EQ(error_of(sign1("43a10127", "a10126"), Sign1Profile::lenient).code, Errc::unsupported);
}

TEST(Cose, RefusesOtherTagsAndShapes) {
  EXPECT_NE(error_of(sign1("43a10127", "a0", "42c0de", "d903e6")).message.find("998"), std::string::npos);
  error_of(sign1("43a10127", "a0", "42c0de", ""));          // No tag.
  error_of(sign1("43a10127", "a0", "42c0de", "d2", "83"));  // Three parts announced.
  error_of(sign1("43a10127", "a0", "42c0de", "d2", "85"));
  error_of(sign1("43a10127", "80"));
  error_of(sign1("63a10127", "a0"));
  error_of(sign1("43a10127", "a0", "62c0de"));
  EXPECT_EQ(error_of(sign1("43a10127", "a0", "f6")).code, Errc::unsupported);  // Detached.
  error_of(sign1("43a10127", "a0") + "00");
  error_of(sign1("44a1012700", "a0"));  // A byte after the header map.
  const std::string short_signature = "d28443a10127a042c0de583f" + to_hex(Bytes(63, 1));
  EXPECT_EQ(error_of(short_signature).message, "COSE_Sign1: the signature has 63 bytes, expected 64");
  error_of("d28443a10127a042c0de5841" + to_hex(Bytes(65, 1)));
}

TEST(Cose, RefusesOtherEncodingsOfTheSameParts) {
  error_of(
      "d2"
      "9f43a10127a042c0de5840" +
      kSignature + "ff");  // Indefinite array.
  error_of(
      "d812"
      "8443a10127a042c0de5840" +
      kSignature);  // The tag in two bytes.
  error_of(
      "d284"
      "5803a10127a042c0de5840" +
      kSignature);  // A longer length.
  error_of(
      "d284"
      "44a1013807a042c0de5840" +
      kSignature);  // -8 in two bytes.
}

TEST(Cose, SurvivesHostileInput) {
  const Bytes bytes = build_sign1(Bytes(20, 7), Bytes(64, 0x5a));
  for (const auto profile : {Sign1Profile::strict, Sign1Profile::lenient}) {
    test::for_each_truncation(bytes, [&](ByteView cut) { EXPECT_FALSE(parse_sign1(cut, profile)); });
    test::for_each_bit_flip(bytes, [&](ByteView flipped) {
      const auto view = parse_sign1(flipped, profile);
      if (!view) return;
      // Only payload and signature may differ.
      EXPECT_EQ(to_hex(view->protected_header), "a10127");
      EXPECT_EQ(to_hex(build_sign1(view->payload, view->signature)), to_hex(flipped));
    });
  }
}

}  // namespace
}  // namespace ekiden::wire
