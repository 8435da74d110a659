#include "base/encoding.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace ekiden {
namespace {

TEST(Hex, WritesLowerCaseAndReadsBoth) {
  const Bytes bytes = {0x00, 0x7f, 0xab, 0xff};
  EXPECT_EQ(to_hex(bytes), "007fabff");
  EXPECT_EQ(from_hex("007fABfF"), bytes);
  EXPECT_EQ(from_hex(""), Bytes());
}

TEST(Hex, RefusesOddLengthAndOtherCharacters) {
  for (const char* text : {"0", "123", "0g", "g0", "0x", " 0", "0-", "\xc3\xa9"}) {
    const auto result = from_hex(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, Errc::malformed);
  }
  EXPECT_NE(from_hex("001z").error().message.find("position 3"), std::string::npos);
}

RC_GTEST_PROP(Hex, GoesRound, (const std::vector<std::uint8_t>& bytes)) {
  RC_ASSERT(from_hex(to_hex(bytes)).value() == bytes);
}

// The valid strings of BIP-350 whose data is whole bytes with zero padding, as this form asks for.
TEST(Bech32m, AcceptsTheExamplesOfTheSpecification) {
  EXPECT_EQ(from_bech32m("a", "A1LQFN3A"), Bytes());
  EXPECT_EQ(from_bech32m("a", "a1lqfn3a"), Bytes());
  EXPECT_EQ(from_bech32m("an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber1",
                         "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6"),
            Bytes());
  EXPECT_EQ(from_bech32m("?", "?1v759aa"), Bytes());
  const auto counting = from_bech32m("abcdef", "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx");
  ASSERT_TRUE(counting) << counting.error().message;
  EXPECT_EQ(to_bech32m("abcdef", *counting), "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx");
}

TEST(Bech32m, RefusesTheInvalidExamplesOfTheSpecification) {
  const std::pair<const char*, const char*> cases[] = {
      {"y", "y1b0jsk6g"},                // invalid data character
      {"lt", "lt1igcx5c0"},              // invalid data character
      {"in", "in1muywd"},                // checksum too short
      {"mm", "mm1crxm3i"},               // invalid character in the checksum
      {"au", "au1s5cgom"},               // invalid character in the checksum
      {"m", "M1VUXWEZ"},                 // checksum computed over the upper-case prefix
      {"split", "16plkw9"},              // empty prefix
      {"p", "1p2gdwpf"},                 // empty prefix
      {"qyrz8wqd2c9m", "qyrz8wqd2c9m"},  // no separator
  };
  for (const auto& [prefix, text] : cases) EXPECT_FALSE(from_bech32m(prefix, text)) << text;
}

TEST(Bech32m, RefusesTheOlderChecksumOfBech32) { EXPECT_FALSE(from_bech32m("a", "A12UEL5L")); }

TEST(Bech32m, RefusesMixedCaseAndForeignPrefixes) {
  const std::string text = to_bech32m("ek", Bytes(32, 7));
  std::string mixed = text;
  mixed[5] = static_cast<char>(mixed[5] >= 'a' ? mixed[5] - 32 : mixed[5]);
  mixed[0] = 'E';
  EXPECT_NE(from_bech32m("ek", mixed).error().message.find("mixed"), std::string::npos);
  EXPECT_NE(from_bech32m("xy", text).error().message.find("xy1"), std::string::npos);
  EXPECT_FALSE(from_bech32m("ek", ""));
  EXPECT_FALSE(from_bech32m("ek", "ek1"));
  EXPECT_FALSE(from_bech32m("ek", std::string(5000, 'q')));
}

/// A text with the right checksum over any five-bit groups, which to_bech32m cannot be made to write: the algorithm of
/// BIP-173 once more, straight from its text.
std::string with_checksum_of_groups(const std::vector<int>& groups) {
  constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  std::vector<int> values = {3, 3, 0, 'e' & 31, 'k' & 31};
  values.insert(values.end(), groups.begin(), groups.end());
  values.insert(values.end(), 6, 0);
  std::uint32_t checksum = 1;
  for (const int value : values) {
    const std::uint32_t top = checksum >> 25;
    checksum = (checksum & 0x1ffffff) << 5 ^ static_cast<std::uint32_t>(value);
    constexpr std::uint32_t kGenerator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    for (std::size_t i = 0; i < 5; ++i) {
      if ((top >> i & 1) != 0) checksum ^= kGenerator[i];
    }
  }
  checksum ^= 0x2bc830a3;
  std::string out = "ek1";
  for (const int group : groups) out += kAlphabet[static_cast<std::size_t>(group)];
  for (int shift = 25; shift >= 0; shift -= 5) out += kAlphabet[checksum >> shift & 31];
  return out;
}

TEST(Bech32m, RefusesPaddingThatIsNotZeroOrTooLong) {
  EXPECT_EQ(from_bech32m("ek", with_checksum_of_groups({31, 28})), (Bytes{0xff}));
  EXPECT_FALSE(from_bech32m("ek", with_checksum_of_groups({31, 29})));     // a padding bit is set
  EXPECT_FALSE(from_bech32m("ek", with_checksum_of_groups({31, 28, 0})));  // a group too many
  EXPECT_FALSE(from_bech32m("ek", with_checksum_of_groups({0})));          // five bits are no byte
}

RC_GTEST_PROP(Bech32m, GoesRound, (const std::vector<std::uint8_t>& bytes)) {
  const std::string text = to_bech32m("ek", bytes);
  RC_ASSERT(from_bech32m("ek", text).value() == bytes);
  std::string upper = text;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  RC_ASSERT(from_bech32m("ek", upper).value() == bytes);
}

TEST(Bech32m, FindsEverySingleWrongCharacterAndSwap) {
  const std::string text = to_bech32m("ek", Bytes(32, 0x5a));
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (char c = '!'; c < 127; ++c) {
      std::string wrong = text;
      wrong[i] = c;
      EXPECT_TRUE(wrong == text || !from_bech32m("ek", wrong)) << wrong;
    }
    std::string swapped = text;
    if (i > 0) std::swap(swapped[i], swapped[i - 1]);
    EXPECT_TRUE(swapped == text || !from_bech32m("ek", swapped)) << swapped;
  }
}

RC_GTEST_PROP(Bech32m, FindsUpToFourWrongCharacters, ()) {
  constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  const std::string text = to_bech32m("ek", Bytes(32, 0x33));
  std::string wrong = text;
  const int changes = *rc::gen::inRange(1, 5);
  for (int i = 0; i < changes; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(3, text.size());
    wrong[at] = kAlphabet[*rc::gen::inRange<std::size_t>(0, 32)];
  }
  RC_PRE(wrong != text);
  RC_ASSERT(!from_bech32m("ek", wrong).has_value());
}

TEST(Utf8, AcceptsEveryScalarValueAtTheEdgesOfItsLengths) {
  for (const char* text : {"", "plain", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xe9\xa7\x85\xe4\xbc\x9d"}) {
    EXPECT_TRUE(is_utf8(as_bytes(text))) << text;
  }
  EXPECT_TRUE(is_utf8(Bytes{'a', 0, 'b'}));
}

TEST(Utf8, RefusesOverlongSurrogateTooLargeAndCutOff) {
  for (const char* text : {"\x80",
                           "\xbf",
                           "\xc0\x80",
                           "\xc1\xbf",
                           "\xc2",
                           "\xc2\x20",
                           "\xe0\x80\x80",
                           "\xe0\x9f\xbf",
                           "\xe2\x82",
                           "\xe2\x28\xa1",
                           "\xed\xa0\x80",
                           "\xed\xbf\xbf",
                           "\xf0\x80\x80\x80",
                           "\xf0\x8f\xbf\xbf",
                           "\xf0\x9f\x92",
                           "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80",
                           "\xf8\x88\x80\x80\x80",
                           "\xfe",
                           "\xff",
                           "ok\xff",
                           "\xf0\x9f\x92\x28"}) {
    EXPECT_FALSE(is_utf8(as_bytes(text))) << to_hex(as_bytes(text));
  }
}

/// The definition read backwards: encode every scalar value and check that its neighbours in byte space fail.
TEST(Utf8, AcceptsExactlyTheEncodingsOfScalarValuesAmongThreeByteSequences) {
  std::size_t accepted = 0;
  for (unsigned lead = 0xe0; lead <= 0xef; ++lead) {
    for (unsigned second = 0; second <= 0xff; ++second) {
      for (const unsigned third : {0x00U, 0x7fU, 0x80U, 0xbfU, 0xc0U}) {
        const Bytes bytes = {static_cast<Byte>(lead), static_cast<Byte>(second), static_cast<Byte>(third)};
        const unsigned code = (lead & 0xf) << 12 | (second & 0x3f) << 6 | (third & 0x3f);
        const bool expected = second >= 0x80 && second <= 0xbf && third >= 0x80 && third <= 0xbf && code >= 0x800 &&
                              (code < 0xd800 || code > 0xdfff);
        EXPECT_EQ(is_utf8(bytes), expected) << to_hex(bytes);
        accepted += is_utf8(bytes) ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(accepted, (16U * 64 - 32 - 32) * 2);  // Without the overlong half of e0 and the surrogates of ed.
}

}  // namespace
}  // namespace ekiden
