#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <limits>

#include "base/encoding.hpp"
#include "wire/cbor.hpp"
#include "wire/float_bits.hpp"

namespace ekiden::wire {
namespace {

template <class Write>
std::string encoded(Write write) {
  Bytes out;
  Encoder encoder(out);
  write(encoder);
  return to_hex(out);
}

// RFC 8949, appendix A.
TEST(CborEncoder, WritesTheIntegersOfTheSpecification) {
  const std::pair<std::int64_t, const char*> cases[] = {{0, "00"},
                                                        {1, "01"},
                                                        {10, "0a"},
                                                        {23, "17"},
                                                        {24, "1818"},
                                                        {25, "1819"},
                                                        {100, "1864"},
                                                        {1000, "1903e8"},
                                                        {1000000, "1a000f4240"},
                                                        {1000000000000, "1b000000e8d4a51000"},
                                                        {-1, "20"},
                                                        {-10, "29"},
                                                        {-100, "3863"},
                                                        {-1000, "3903e7"},
                                                        {INT64_MIN, "3b7fffffffffffffff"}};
  for (const auto& [value, hex] : cases) {
    EXPECT_EQ(encoded([&](Encoder& out) { out.integer(value); }), hex) << value;
  }
  EXPECT_EQ(encoded([](Encoder& out) { out.unsigned_integer(UINT64_MAX); }), "1bffffffffffffffff");
  EXPECT_EQ(encoded([](Encoder& out) { out.negative_integer(UINT64_MAX); }), "3bffffffffffffffff");
}

TEST(CborEncoder, ChangesWidthExactlyAtTheEdges) {
  const std::pair<std::uint64_t, const char*> cases[] = {
      {0xff, "18ff"},          {0x100, "190100"},          {0xffff, "19ffff"},
      {0x10000, "1a00010000"}, {0xffffffff, "1affffffff"}, {0x100000000, "1b0000000100000000"}};
  for (const auto& [value, hex] : cases) {
    EXPECT_EQ(encoded([&](Encoder& out) { out.unsigned_integer(value); }), hex);
  }
}

TEST(CborEncoder, WritesStringsContainersAndSimpleValues) {
  EXPECT_EQ(encoded([](Encoder& out) { out.bytes(Bytes{1, 2, 3, 4}); }), "4401020304");
  EXPECT_EQ(encoded([](Encoder& out) { out.text("IETF"); }), "6449455446");
  EXPECT_EQ(encoded([](Encoder& out) { out.text("\xe6\xb0\xb4"); }), "63e6b0b4");
  EXPECT_EQ(encoded([](Encoder& out) { out.boolean(false); }), "f4");
  EXPECT_EQ(encoded([](Encoder& out) { out.boolean(true); }), "f5");
  EXPECT_EQ(encoded([](Encoder& out) { out.null(); }), "f6");
  EXPECT_EQ(encoded([](Encoder& out) { out.simple(16); }), "f0");
  EXPECT_EQ(encoded([](Encoder& out) { out.simple(255); }), "f8ff");
  EXPECT_EQ(encoded([](Encoder& out) {
              out.map(2);
              out.integer(1);
              out.array(0);
              out.text("a");
              out.tag(32);
              out.text("");
            }),
            "a20180"
            "6161d82060");
}

TEST(CborEncoder, WritesTheFloatsOfTheSpecificationInTheirShortestForm) {
  const std::pair<std::uint64_t, const char*> cases[] = {
      {0x0000000000000000, "f90000"},              // 0.0
      {0x8000000000000000, "f98000"},              // -0.0
      {0x3ff0000000000000, "f93c00"},              // 1.0
      {0x3ff199999999999a, "fb3ff199999999999a"},  // 1.1
      {0x3ff8000000000000, "f93e00"},              // 1.5
      {0x40effc0000000000, "f97bff"},              // 65504.0
      {0x40f86a0000000000, "fa47c35000"},          // 100000.0
      {0x47efffffe0000000, "fa7f7fffff"},          // the largest binary32
      {0x7e37e43c8800759c, "fb7e37e43c8800759c"},  // 1.0e+300
      {0x3e70000000000000, "f90001"},              // the smallest subnormal binary16
      {0x3f10000000000000, "f90400"},              // the smallest normal binary16
      {0xc010000000000000, "f9c400"},              // -4.0
      {0xc010666666666666, "fbc010666666666666"},  // -4.1
      {0x7ff0000000000000, "f97c00"},              // infinity
      {0x7ff8000000000000, "f97e00"},              // the usual NaN
      {0xfff0000000000000, "f9fc00"},              // -infinity
      {0x7ff8000000000001, "fb7ff8000000000001"},  // a NaN whose payload needs all bits
      {0x7ff8000020000000, "fa7fc00001"},          // a NaN whose payload needs 23 bits
      {0x36a0000000000000, "fa00000001"},          // the smallest subnormal binary32
      {0x3690000000000000, "fb3690000000000000"},  // half of that
      {0x0000000000000001, "fb0000000000000001"},  // the smallest subnormal binary64
  };
  for (const auto& [bits, hex] : cases) {
    EXPECT_EQ(encoded([&](Encoder& out) { out.floating(bits); }), hex);
    const auto bytes = from_hex(hex);
    Decoder decoder(*bytes);
    EXPECT_EQ(decoder.floating(), bits) << hex;
  }
}

TEST(FloatBits, GoRoundForEveryHalf) {
  for (std::uint64_t half = 0; half <= 0xffff; ++half) {
    const std::uint64_t wide = double_from_half(half);
    EXPECT_EQ(half_from_double(wide), half);
    ASSERT_TRUE(single_from_double(wide).has_value());
    EXPECT_EQ(double_from_single(*single_from_double(wide)), wide);
  }
}

/// The processor's own conversion is the model; NaNs are left to the test above, for processors change their payload.
RC_GTEST_PROP(FloatBits, AgreeWithTheProcessor, (std::uint32_t bits)) {
  const auto single = std::bit_cast<float>(bits);
  RC_PRE(single == single);
  const auto wide = static_cast<double>(single);
  RC_ASSERT(double_from_single(bits) == std::bit_cast<std::uint64_t>(wide));
  RC_ASSERT(single_from_double(std::bit_cast<std::uint64_t>(wide)).value() == bits);
}

RC_GTEST_PROP(FloatBits, NarrowOnlyWhatComesBack, (std::uint64_t bits)) {
  for (const std::uint64_t candidate :
       {bits, bits & ~std::uint64_t{0x1fffffff}, bits & ~std::uint64_t{0x3ffffffffff}}) {
    const auto single = single_from_double(candidate);
    if (single) RC_ASSERT(double_from_single(*single) == candidate);
    const auto half = half_from_double(candidate);
    if (half) RC_ASSERT(double_from_half(*half) == candidate);
    if (half) RC_ASSERT(single.has_value());
  }
}

}  // namespace
}  // namespace ekiden::wire
