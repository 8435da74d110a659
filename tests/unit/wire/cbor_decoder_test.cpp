#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "base/encoding.hpp"
#include "support/hostile.hpp"
#include "unit/wire/hex.hpp"
#include "wire/cbor.hpp"

namespace ekiden::wire {
namespace {

void expect_refused(std::string_view text, Errc code, std::string_view reason) {
  const auto status = validate(hex(text));
  ASSERT_FALSE(status) << text << " was accepted";
  EXPECT_EQ(status.error().code, code) << text;
  EXPECT_NE(status.error().message.find(reason), std::string::npos) << text << ": " << status.error().message;
}

TEST(CborDecoder, ReadsWhatItsNamesSay) {
  const Bytes bytes =
      hex("8a"
          "182a"
          "3863"
          "43010203"
          "6161"
          "f5"
          "f6"
          "c11a514b67b0"
          "f0"
          "f93c00"
          "a10102");
  Decoder in(bytes);
  EXPECT_EQ(in.array(), 10U);
  EXPECT_EQ(in.unsigned_integer(), 42U);
  EXPECT_EQ(in.integer(), -100);
  EXPECT_EQ(to_hex(in.bytes().value()), "010203");
  EXPECT_EQ(in.text(), "a");
  EXPECT_EQ(in.boolean(), true);
  EXPECT_TRUE(in.next_is_null());
  EXPECT_TRUE(in.null());
  EXPECT_EQ(in.tag(), 1U);
  EXPECT_EQ(in.unsigned_integer(), 1363896240U);
  EXPECT_EQ(in.simple(), 16);
  EXPECT_EQ(in.floating(), 0x3ff0000000000000U);
  EXPECT_EQ(in.peek(), Kind::map);
  EXPECT_EQ(in.depth(), 1U);
  EXPECT_FALSE(in.finish());
  EXPECT_TRUE(in.skip());
  EXPECT_EQ(in.depth(), 0U);
  EXPECT_TRUE(in.finish());
  EXPECT_EQ(in.position(), bytes.size());
}

TEST(CborDecoder, LeavesStringsWhereTheyAre) {
  const Bytes bytes = hex("4401020304");
  Decoder in(bytes);
  EXPECT_EQ(in.bytes().value().data(), bytes.data() + 1);
}

TEST(CborDecoder, SaysWhatItExpectedAndFound) {
  const Bytes bytes = hex("820161");
  Decoder in(bytes);
  ASSERT_TRUE(in.array());
  const auto text = in.text();
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message, "expected text, found unsigned integer at byte 1");
}

TEST(CborDecoder, ReadsIntegersToTheEndsOf64Bits) {
  const auto integer = [](std::string_view text) {
    const Bytes bytes = hex(text);
    Decoder in(bytes);
    return in.integer();
  };
  EXPECT_EQ(integer("1b7fffffffffffffff"), INT64_MAX);
  EXPECT_EQ(integer("3b7fffffffffffffff"), INT64_MIN);
  EXPECT_FALSE(integer("1b8000000000000000"));
  EXPECT_FALSE(integer("3b8000000000000000"));
  EXPECT_FALSE(integer("f93c00"));  // A float where an integer is expected, even a whole one.
}

TEST(CborDecoder, RefusesNumbersThatAreNotInTheirShortestForm) {
  for (const char* text : {"1817", "190018", "1900ff", "1a0000ffff", "1b00000000ffffffff", "3817", "3900ff", "5801ff",
                           "780161", "980100", "b8010000", "d80100", "c0780161", "9b0000000000000000"}) {
    expect_refused(text, Errc::malformed, "shortest form");
  }
  for (const char* text : {"fa3f800000", "fb3ff8000000000000", "fa7f800000", "fb7ff0000000000000", "fa7fc00000",
                           "fb7ff8000000000000", "fb40f86a0000000000", "fa00000000", "fa33800000"}) {
    expect_refused(text, Errc::malformed, "float that is not in its shortest form");
  }
}

TEST(CborDecoder, RefusesIndefiniteLengthsAndReservedCodes) {
  for (const char* text : {"5f42010243030405ff", "7f657374726561646d696e67ff", "9fff", "bfff", "9f01ff", "ff", "1f",
                           "3f", "df", "8201ff"}) {
    expect_refused(text, Errc::malformed, "indefinite");
  }
  for (const char* text : {"1c", "1d", "1e", "3c", "5d", "7e", "9c", "bd", "de", "fc", "fd", "fe"}) {
    expect_refused(text, Errc::malformed, "reserved length code");
  }
  for (const char* text : {"f800", "f817", "f818", "f81f"})
    expect_refused(text, Errc::malformed, "reserved simple value");
}

TEST(CborDecoder, RefusesMapKeysOutOfOrderOrTwice) {
  expect_refused("a201000100", Errc::malformed, "was there before");
  expect_refused("a202000100", Errc::malformed, "out of order");
  expect_refused("a3010002000100", Errc::malformed, "out of order");
  expect_refused("a2616200616100", Errc::malformed, "out of order");
  // Bytewise order of the encodings, not the older length-first order: 0a < 1864 < 20 < 617a < 626161 < 8118 64 < 8120.
  EXPECT_TRUE(
      validate(hex("a80a00186400200061"
                   "7a00"
                   "62616100"
                   "81186400"
                   "812000"
                   "f400")));
  expect_refused(
      "a2812000811864"
      "00",
      Errc::malformed, "out of order");
  // Keys that are containers are compared as a whole, and what is nested in them is checked too.
  EXPECT_TRUE(
      validate(hex("a28101008102"
                   "00")));
  expect_refused("a1a20100010000", Errc::malformed, "was there before");
  // The same key in two maps, one inside the other, is not a repetition.
  EXPECT_TRUE(validate(hex("a201a1010002a10100")));
}

TEST(CborDecoder, RefusesLengthsOverTheBytesThatRemain) {
  for (const char* text : {"41", "5affffffff00", "5bffffffffffffffff010203", "61", "7b7fffffffffffffff010203"}) {
    expect_refused(text, Errc::malformed, "longer than the bytes that remain");
  }
  for (const char* text : {"81", "8201", "9affffffff00", "9bffffffffffffffff", "a1", "a100", "a2000100",
                           "bb800000000000000100", "bbffffffffffffffff0102", "c1"}) {
    expect_refused(text, Errc::malformed, "");
  }
  expect_refused("9b00000001000000000000", Errc::malformed, "more elements announced");
  expect_refused("a20001", Errc::malformed, "more elements announced");
}

TEST(CborDecoder, RefusesTextThatIsNotUtf8) {
  expect_refused("62c328", Errc::malformed, "UTF-8");
  expect_refused("62c080", Errc::malformed, "UTF-8");
  expect_refused("63eda080", Errc::malformed, "UTF-8");
  EXPECT_TRUE(validate(hex("42c328")));  // Bytes may be anything.
}

TEST(CborDecoder, RefusesBytesAfterTheItem) {
  expect_refused("0000", Errc::malformed, "1 bytes too many");
  expect_refused("8000", Errc::malformed, "too many");
  const Bytes bytes = hex("0102");
  Decoder in(bytes);
  EXPECT_TRUE(in.unsigned_integer());
  EXPECT_FALSE(in.unsigned_integer());
}

TEST(CborDecoder, RefusesContentThatDoesNotFitItsTag) {
  for (const char* text : {"c001", "c040",
                           "c161"
                           "61",
                           "c140", "c1a0", "c201", "c2c240"}) {
    expect_refused(text, Errc::malformed, "that is not");
  }
  // Big numbers that a plain integer holds, or that have a leading zero.
  for (const char* text :
       {"c240", "c24101", "c248ffffffffffffffff", "c249000000000000000001", "c349000000000000000001"}) {
    expect_refused(text, Errc::malformed, "big number that is not in its shortest form");
  }
  for (const char* text : {"c249010000000000000000", "c349010000000000000000", "c100", "c120", "c1fb41d452d9ec200000",
                           "c074323031332d30332d32315432303a30343a30305a", "d9d9f7a0"}) {
    EXPECT_TRUE(validate(hex(text))) << text << ": " << validate(hex(text)).error().message;
  }
  // The rule is for the content alone, not for what follows it.
  EXPECT_TRUE(validate(hex("82c10040")));
  EXPECT_TRUE(validate(hex("82c06040")));
}

TEST(CborDecoder, AllowsExactlySixteenLevels) {
  for (const char* level : {"81", "a100", "d820"}) {
    std::string deep;
    for (std::size_t i = 0; i < kMaxDepth; ++i) deep += level;
    EXPECT_TRUE(validate(hex(deep + "00"))) << level;
    expect_refused(deep + level + "00", Errc::too_large, "deeper");
  }
  // Empty containers count too; siblings do not.
  std::string deep;
  for (std::size_t i = 0; i < kMaxDepth; ++i) deep += "81";
  expect_refused(deep + "80", Errc::too_large, "deeper");
  EXPECT_TRUE(
      validate(hex("83"
                   "818100"
                   "818100"
                   "818100")));
}

TEST(CborDecoder, DoesNotOverflowOnVeryDeepInput) {
  for (const Byte level : {Byte{0x81}, Byte{0xa1}, Byte{0xc6}}) {
    const Bytes deep(1'000'000, level);
    EXPECT_EQ(validate(deep).error().code, Errc::too_large);
  }
}

TEST(CborDecoder, EnforcesTheLimitsOfItsCaller) {
  const Bytes bytes = hex("4401020304");
  EXPECT_TRUE(Decoder(bytes).bytes(4));
  EXPECT_EQ(Decoder(bytes).bytes(3).error().code, Errc::too_large);
  const Bytes text = hex("6449455446");
  EXPECT_EQ(Decoder(text).text(3).error().code, Errc::too_large);
  const Bytes array = hex("83000000");
  EXPECT_EQ(Decoder(array).array(2).error().code, Errc::too_large);
  const Bytes map = hex("a201000200");
  EXPECT_EQ(Decoder(map).map(1).error().code, Errc::too_large);
}

TEST(CborDecoder, RefusesEveryTruncation) {
  const Bytes bytes =
      hex("a401820218640278"
          "1a"
          "6162636465666768696a6b6c6d6e6f707172737475767778797a"
          "03a1f5f6"
          "c143"
          "010203");
  // The last pair is wrong on purpose of the tag, so that the whole is refused as well; without it the whole is good.
  EXPECT_FALSE(validate(bytes));
  const Bytes good =
      hex("a301820218640278"
          "1a"
          "6162636465666768696a6b6c6d6e6f707172737475767778797a"
          "03a1f5f6");
  ASSERT_TRUE(validate(good)) << validate(good).error().message;
  test::for_each_truncation(good, [](ByteView cut) { EXPECT_FALSE(validate(cut)) << cut.size(); });
}

/// Whatever the bytes, reading ends, and a second reading agrees with the first.
RC_GTEST_PROP(CborDecoder, SurvivesAnything, (const std::vector<std::uint8_t>& bytes)) {
  const auto first = validate(bytes);
  RC_ASSERT(validate(bytes) == first);
  if (!first) RC_ASSERT(first.error().code == Errc::malformed || first.error().code == Errc::too_large);
}

}  // namespace
}  // namespace ekiden::wire
