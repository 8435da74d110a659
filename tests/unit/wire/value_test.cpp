#include "wire/value.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/encoding.hpp"
#include "support/hostile.hpp"
#include "wire/cbor.hpp"

namespace ekiden::wire {
namespace {

std::string diagnostic(std::string_view hex) {
  const auto value = decode_value(from_hex(hex).value());
  return value ? to_diagnostic(*value) : value.error().message;
}

// RFC 8949, appendix A: every example that is deterministic, with its diagnostic notation (floats in our own).
TEST(Value, ReadsAndWritesTheExamplesOfTheSpecification) {
  const std::pair<const char*, const char*> cases[] = {
      {"00", "0"},
      {"17", "23"},
      {"1818", "24"},
      {"1bffffffffffffffff", "18446744073709551615"},
      {"c249010000000000000000", "2(h'010000000000000000')"},
      {"3bffffffffffffffff", "-18446744073709551616"},
      {"c349010000000000000000", "3(h'010000000000000000')"},
      {"20", "-1"},
      {"3903e7", "-1000"},
      {"f93e00", "float'3ff8000000000000'"},
      {"fa47c35000", "float'40f86a0000000000'"},
      {"f97e00", "float'7ff8000000000000'"},
      {"f4", "false"},
      {"f5", "true"},
      {"f6", "null"},
      {"f7", "undefined"},
      {"f0", "simple(16)"},
      {"f8ff", "simple(255)"},
      {"c074323031332d30332d32315432303a30343a30305a", "0(\"2013-03-21T20:04:00Z\")"},
      {"c11a514b67b0", "1(1363896240)"},
      {"d74401020304", "23(h'01020304')"},
      {"d818456449455446", "24(h'6449455446')"},
      {"40", "h''"},
      {"60", "\"\""},
      {"62225c", "\"\\\"\\\\\""},
      {"62c3bc", "\"\xc3\xbc\""},
      {"64f0908591", "\"\xf0\x90\x85\x91\""},
      {"80", "[]"},
      {"8301820203820405", "[1, [2, 3], [4, 5]]"},
      {"a0", "{}"},
      {"a201020304", "{1: 2, 3: 4}"},
      {"a26161016162820203", "{\"a\": 1, \"b\": [2, 3]}"},
      {"826161a161626163", "[\"a\", {\"b\": \"c\"}]"},
  };
  for (const auto& [hex, text] : cases) {
    EXPECT_EQ(diagnostic(hex), text);
    const Bytes bytes = from_hex(hex).value();
    EXPECT_EQ(to_hex(encode_value(*decode_value(bytes))), hex);
  }
}

TEST(Value, ShowsControlCharactersAsEscapesAndCutsLongValuesOff) {
  EXPECT_EQ(diagnostic("631b5b41"), "\"\\u001b[A\"");
  const Bytes large = encode_value(Value{Array(1000, Value{std::uint64_t{7}})});
  const std::string text = to_diagnostic(*decode_value(large), 50);
  EXPECT_LE(text.size(), 53U);
  EXPECT_TRUE(text.ends_with("..."));
}

/// Any tree of values with its map keys in order.
rc::Gen<Value> any_value(int depth) {
  using rc::gen::arbitrary;
  using rc::gen::map;
  auto number = map(arbitrary<std::uint64_t>(), [](std::uint64_t n) { return Value{n >> n % 64}; });
  auto negative = map(arbitrary<std::uint64_t>(), [](std::uint64_t n) { return Value{Negative{n >> n % 64}}; });
  auto bytes = map(arbitrary<std::vector<std::uint8_t>>(), [](Bytes b) { return Value{std::move(b)}; });
  auto text = map(rc::gen::container<std::string>(rc::gen::inRange(' ', '~')), [](std::string s) { return Value{s}; });
  auto simple =
      map(rc::gen::inRange(0, 248), [](int n) { return Value{Simple{static_cast<Byte>(n < 24 ? n : n + 8)}}; });
  auto floating = map(arbitrary<std::uint64_t>(), [](std::uint64_t n) { return Value{Floating{n << n % 60}}; });
  if (depth == 0) return rc::gen::oneOf(number, negative, bytes, text, simple, floating);
  auto inner = [depth] { return any_value(depth - 1); };
  auto array = rc::gen::exec([inner] {
    Array out;
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) out.push_back(*inner());
    return Value{out};
  });
  auto ordered_map = rc::gen::exec([inner] {
    std::map<Bytes, std::pair<Value, Value>> by_encoding;
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
      const Value key = *inner();
      by_encoding.insert_or_assign(encode_value(key), std::pair(key, *inner()));
    }
    Map out;
    for (auto& [encoding, pair] : by_encoding) out.push_back(pair);
    return Value{out};
  });
  auto tagged = rc::gen::exec([inner] {
    // The tags below 4 ask for content of a certain kind.
    return Value{Tagged{*rc::gen::inRange<std::uint64_t>(4, 100'000), {*inner()}}};
  });
  return rc::gen::oneOf(number, text, floating, array, ordered_map, tagged);
}

RC_GTEST_PROP(Value, GoesRound, ()) {
  const Value value = *any_value(*rc::gen::inRange(0, 5));
  const Bytes bytes = encode_value(value);
  RC_ASSERT(validate(bytes).has_value());
  RC_ASSERT(decode_value(bytes).value() == value);
  RC_ASSERT(!to_diagnostic(value).empty());
}

/// Determinism seen from the other side: bytes that are accepted are the only bytes of their value.
RC_GTEST_PROP(Value, HasOneEncoding, ()) {
  const Bytes bytes = encode_value(*any_value(3));
  test::for_each_bit_flip(bytes, [](ByteView flipped) {
    const auto value = decode_value(flipped);
    RC_ASSERT(value.has_value() == validate(flipped).has_value());
    if (value) RC_ASSERT(encode_value(*value) == to_bytes(flipped));
  });
}

RC_GTEST_PROP(Value, DecodesExactlyWhatIsValid, (const std::vector<std::uint8_t>& bytes)) {
  const auto value = decode_value(bytes);
  RC_ASSERT(value.has_value() == validate(bytes).has_value());
  if (value) RC_ASSERT(encode_value(*value) == bytes);
}

}  // namespace
}  // namespace ekiden::wire
