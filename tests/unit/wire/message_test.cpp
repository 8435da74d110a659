#include "wire/message.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "base/encoding.hpp"
#include "base/uuid.hpp"
#include "support/arbitrary_message.hpp"
#include "support/golden.hpp"
#include "support/hostile.hpp"
#include "unit/wire/hex.hpp"

namespace ekiden::wire {
namespace {

enum class Mode : std::uint8_t { slow, fast };

struct Point {
  static constexpr std::string_view kName = "point";
  std::int16_t x = 0;
  std::optional<std::int64_t> y;
  static constexpr auto kFields = fields(field<0>("x", &Point::x), field<1>("y", &Point::y));
  friend bool operator==(const Point&, const Point&) = default;
};

struct Key {
  ByteArray<4> bytes{};
  friend bool operator==(const Key&, const Key&) = default;
};

/// One member of every kind that can travel.
struct Sample {
  static constexpr std::string_view kName = "sample";
  std::uint8_t small = 0;
  std::uint64_t large = 0;
  std::int32_t negative = 0;
  bool flag = false;
  Mode mode = Mode::slow;
  Bytes body;
  std::string text;
  ByteArray<3> fixed{};
  Key key;
  Uuid id;
  WallTime at{};
  Point point;
  std::optional<Point> maybe;
  std::vector<Point> points;
  std::vector<std::string> names;
  std::vector<Bytes> blobs;
  std::optional<std::uint32_t> number;
  static constexpr auto kFields = fields(
      field<1>("small", &Sample::small), field<2>("large", &Sample::large), field<3>("negative", &Sample::negative),
      field<4>("flag", &Sample::flag), field<5>("mode", &Sample::mode, max_enum(Mode::fast)),
      field<6>("body", &Sample::body, max_size(40)), field<7>("text", &Sample::text, max_size(20)),
      field<8>("fixed", &Sample::fixed), field<9>("key", &Sample::key), field<10>("id", &Sample::id),
      field<11>("at", &Sample::at), field<12>("point", &Sample::point), field<13>("maybe", &Sample::maybe),
      field<14>("points", &Sample::points, max_count(3)), field<15>("names", &Sample::names, max_count(2), max_size(5)),
      field<16>("blobs", &Sample::blobs, max_size(4), max_count(3)), field<17>("number", &Sample::number));
  friend bool operator==(const Sample&, const Sample&) = default;
};

Sample sample() {
  Sample out;
  out.small = 200;
  out.large = UINT64_MAX;
  out.negative = -70'000;
  out.flag = true;
  out.mode = Mode::fast;
  out.body = {1, 2, 3};
  out.text = "\xe9\xa7\x85\xe4\xbc\x9d";
  out.fixed = {7, 8, 9};
  out.key.bytes = {0xaa, 0xbb, 0xcc, 0xdd};
  out.id = Uuid::parse("919108f7-52d1-4320-9bac-f847db4148a8").value();
  out.at = from_unix_ms(1'700'000'000'000);
  out.point = {-5, std::nullopt};
  out.maybe = Point{6, -1};
  out.points = {{1, 2}, {3, std::nullopt}};
  out.names = {"a", ""};
  out.blobs = {{}, {0xff}};
  return out;
}

/// A message with one field of type T under key 1.
template <class T>
struct One {
  static constexpr std::string_view kName = "one";
  T value{};
  static constexpr auto kFields = fields(field<1>("value", &One::value));
};

template <class T>
Error error_of(std::string_view bytes) {
  const auto result = decode<T>(hex(bytes));
  EXPECT_FALSE(result) << bytes << " was accepted";
  return result ? Error{} : result.error();
}

TEST(Message, HasItsGoldenBytes) { test::check_golden(sample()); }

TEST(Message, IsAMapWithSmallKeys) {
  EXPECT_EQ(to_hex(encode(Point{-5, std::nullopt})), "a10024");
  EXPECT_EQ(to_hex(encode(Point{6, -1})), "a200060120");
}

TEST(Message, AppendsToWhatIsThere) {
  Bytes out = {0x01};
  encode_to(Point{1, std::nullopt}, out);
  EXPECT_EQ(to_hex(out), "01a10001");
}

TEST(Message, SurvivesHostileInput) { test::check_hostile_input(sample()); }

TEST(Message, GoesRoundWithAnyContent) { test::check_round_trips<Sample>(1); }

TEST(Message, NamesTheFieldThatIsMissing) {
  EXPECT_EQ(error_of<Point>("a0"), (Error{Errc::malformed, "point.x is missing"}));
  EXPECT_EQ(error_of<Point>("a10100").message, "point.x is missing");
  Bytes bytes = encode(sample());
  const Bytes fixed = hex("0843070809");
  const auto at = std::search(bytes.begin(), bytes.end(), fixed.begin(), fixed.end());
  ASSERT_NE(at, bytes.end());
  bytes.erase(at, at + 5);
  bytes[0]--;  // One pair less in the map.
  EXPECT_EQ(decode<Sample>(bytes).error().message, "sample.fixed is missing");
}

TEST(Message, NamesTheFieldThatIsWrongAlsoInside) {
  EXPECT_EQ(error_of<Point>("a10061"
                            "61")
                .message,
            "point.x: expected unsigned integer, found text at byte 2");
  EXPECT_EQ(error_of<One<Point>>("a101a0").message, "one.value: point.x is missing");
  EXPECT_EQ(error_of<One<Point>>("a10100").message, "one.value: point: expected map, found unsigned integer at byte 2");
}

TEST(Message, SkipsUnknownKeysOfAnyKindAndContent) {
  // 0: 5, 9: deep content, -1: 0, "new": [1, 2]
  const auto point =
      decode<Point>(hex("a4"
                        "0005"
                        "0982a1018040"
                        "2000"
                        "636e6577"
                        "820102"));
  ASSERT_TRUE(point) << point.error().message;
  EXPECT_EQ(*point, (Point{5, std::nullopt}));
}

TEST(Message, ChecksTheContentOfWhatItSkips) {
  EXPECT_EQ(error_of<Point>("a20005091817").code, Errc::malformed);        // not shortest
  EXPECT_EQ(error_of<Point>("a200050962c328").code, Errc::malformed);      // not UTF-8
  EXPECT_EQ(error_of<Point>("a2000509a201000100").code, Errc::malformed);  // a key twice
  EXPECT_EQ(error_of<Point>("a3000509010900").code, Errc::malformed);      // an unknown key twice
  EXPECT_EQ(error_of<Point>("a20005095affffffff").code, Errc::malformed);  // a length beyond the end
  EXPECT_EQ(error_of<Point>("a2000509818181818181818181818181818181818100").code, Errc::too_large);
}

TEST(Message, RefusesKeysTwiceOrOutOfOrder) {
  EXPECT_EQ(error_of<Point>("a200050006").code, Errc::malformed);
  EXPECT_EQ(error_of<Point>("a201050006").code, Errc::malformed);
}

TEST(Message, ChecksTheRangeOfEveryInteger) {
  EXPECT_TRUE(decode<One<std::uint8_t>>(hex("a10118ff")));
  EXPECT_EQ(error_of<One<std::uint8_t>>("a101190100").message, "one.value: the number is out of range");
  EXPECT_EQ(decode<One<std::int8_t>>(hex("a101387f"))->value, -128);
  EXPECT_EQ(error_of<One<std::int8_t>>("a1013880").code, Errc::malformed);
  EXPECT_EQ(error_of<One<std::int8_t>>("a1011880").code, Errc::malformed);
  EXPECT_EQ(error_of<One<std::uint32_t>>("a1011b0000000100000000").code, Errc::malformed);
  EXPECT_EQ(error_of<One<std::uint64_t>>("a10120").code, Errc::malformed);
  EXPECT_EQ(decode<One<std::int64_t>>(hex("a1013b7fffffffffffffff"))->value, INT64_MIN);
  EXPECT_EQ(error_of<One<std::uint32_t>>("a101f93c00").code, Errc::malformed);
}

TEST(Message, DoesNotTakeNumbersForBooleansNorNullForAnything) {
  EXPECT_EQ(error_of<One<bool>>("a10101").code, Errc::malformed);
  EXPECT_EQ(error_of<One<bool>>("a101f6").code, Errc::malformed);
  EXPECT_EQ(error_of<One<std::optional<bool>>>("a101f6").code, Errc::malformed);
  EXPECT_EQ(decode<One<std::optional<bool>>>(hex("a0"))->value, std::nullopt);
}

struct Bounded {
  static constexpr std::string_view kName = "bounded";
  Mode mode = Mode::slow;
  Bytes body;
  std::vector<std::string> names;
  static constexpr auto kFields =
      fields(field<1>("mode", &Bounded::mode, max_enum(Mode::fast)), field<2>("body", &Bounded::body, max_size(3)),
             field<4>("names", &Bounded::names, max_count(2), max_size(2)));
};

TEST(Message, EnforcesItsBounds) {
  EXPECT_TRUE(
      decode<Bounded>(hex("a3010102430102030482616162"
                          "6161")));
  EXPECT_EQ(error_of<Bounded>("a301020243010203048"
                              "0"),
            (Error{Errc::unsupported, "bounded.mode: the value 2 is not known to this version"}));
  EXPECT_EQ(error_of<Bounded>("a301010244010203040480").code, Errc::too_large);
  EXPECT_EQ(error_of<Bounded>("a3010102400483606060").code, Errc::too_large);
  EXPECT_EQ(error_of<Bounded>("a30101024004"
                              "8163616161")
                .code,
            Errc::too_large);
}

TEST(MessageDeathTest, StopsBeforeItWritesWhatNobodyWouldRead) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Bounded message;
  message.body.resize(4);
  EXPECT_DEATH(static_cast<void>(encode(message)), "max_size");
}

struct Borrowing {
  static constexpr std::string_view kName = "borrowing";
  ByteView body;
  static constexpr auto kFields = fields(field<1>("body", &Borrowing::body, max_size(8)));
};

TEST(Message, BorrowsViewsFromItsInput) {
  const Bytes input = hex("a10143010203");
  const auto message = decode<Borrowing>(input);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->body.data(), input.data() + 3);
  EXPECT_EQ(to_hex(encode(*message)), to_hex(input));
  EXPECT_EQ(error_of<Borrowing>("a10149000000000000000000").code, Errc::too_large);
}

TEST(Message, WantsTheExactSizeOfKeysAndIds) {
  EXPECT_EQ(decode<One<Key>>(hex("a10144aabbccdd"))->value.bytes, (ByteArray<4>{0xaa, 0xbb, 0xcc, 0xdd}));
  EXPECT_EQ(error_of<One<Key>>("a10143aabbcc").message, "one.value: 3 bytes, expected 4");
  EXPECT_EQ(error_of<One<Key>>("a10145aabbccddee").code, Errc::malformed);
  EXPECT_EQ(error_of<One<Uuid>>("a10150"
                                "919108f752d113209bacf847db4148a8")
                .code,
            Errc::malformed);  // version 1
  EXPECT_EQ(error_of<One<Uuid>>("a1014f"
                                "919108f752d143209bacf847db4148")
                .code,
            Errc::malformed);
}

TEST(Message, ClampsTimes) {
  const auto message = decode<One<WallTime>>(hex("a1011bffffffffffffffff"));
  ASSERT_TRUE(message);
  EXPECT_EQ(to_unix_ms(message->value), kMaxUnixMs);
}

/// A type that travels as text.
struct Colour {
  static constexpr std::size_t kWireTextMax = 5;
  std::string name = "red";
  std::string text() const { return name; }
  static Result<Colour> parse(std::string_view text) {
    if (text != "red" && text != "green") return fail(Errc::malformed, "no such colour");
    return Colour{std::string(text)};
  }
};

TEST(Message, CarriesTypesInTheirTextForm) {
  EXPECT_EQ(to_hex(encode(One<Colour>{})), "a10163726564");
  EXPECT_EQ(decode<One<Colour>>(hex("a10165677265656e"))->value.name, "green");
  EXPECT_EQ(error_of<One<Colour>>("a10164626c7565").message, "one.value: no such colour");
  EXPECT_EQ(error_of<One<Colour>>("a10166677265656e6e").code, Errc::too_large);
}

TEST(Message, RefusesWhatIsNotAMapOrGoesOn) {
  EXPECT_EQ(error_of<Point>("00").message, "point: expected map, found unsigned integer at byte 0");
  EXPECT_EQ(error_of<Point>("").code, Errc::malformed);
  EXPECT_EQ(error_of<Point>("a1000500").message, "point: 1 bytes too many after the item");
}

RC_GTEST_PROP(Message, SurvivesAnything, (const std::vector<std::uint8_t>& bytes)) {
  const auto message = decode<Sample>(bytes);
  if (message) RC_ASSERT(decode<Sample>(encode(*message)).has_value());
}

}  // namespace
}  // namespace ekiden::wire
