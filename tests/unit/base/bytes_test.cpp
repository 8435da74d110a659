#include "base/bytes.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace ekiden {
namespace {

TEST(Bytes, WritesBigEndianIntegers) {
  Bytes out;
  append_be(out, std::uint8_t{0x01});
  append_be(out, std::uint16_t{0x0203});
  append_be(out, std::uint32_t{0x04050607});
  append_be(out, std::uint64_t{0x08090a0b0c0d0e0f});
  EXPECT_EQ(out, (Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}));
}

RC_GTEST_PROP(Bytes, ReadsTheIntegersThatItWrote, (std::uint16_t a, std::uint32_t b, std::uint64_t c)) {
  Bytes out;
  append_be(out, a);
  append_be(out, b);
  append_be(out, c);
  RC_ASSERT(get_be<std::uint16_t>(out) == a);
  RC_ASSERT(get_be<std::uint32_t>(ByteView(out).subspan(2)) == b);
  RC_ASSERT(get_be<std::uint64_t>(ByteView(out).subspan(6)) == c);
  ByteArray<8> in_place{};
  put_be(in_place, c);
  RC_ASSERT(get_be<std::uint64_t>(in_place) == c);
}

TEST(Bytes, AreTextAndBackWithoutACopy) {
  const std::string_view text = "relay";
  const ByteView view = as_bytes(text);
  EXPECT_EQ(static_cast<const void*>(view.data()), static_cast<const void*>(text.data()));
  EXPECT_EQ(as_text(view), text);
  EXPECT_EQ(as_text(ByteView()), "");
  EXPECT_EQ(take_array<3>(view), (ByteArray<3>{'r', 'e', 'l'}));
}

TEST(BytesLess, OrdersAsUnsignedBytesAndPrefixesFirst) {
  std::set<Bytes, BytesLess> set = {{0xff}, {0x7f, 0x00}, {0x7f}, {}, {0x80}};
  const std::vector<Bytes> order(set.begin(), set.end());
  EXPECT_EQ(order, (std::vector<Bytes>{{}, {0x7f}, {0x7f, 0x00}, {0x80}, {0xff}}));
  const Byte probe[] = {0x80};
  EXPECT_EQ(set.count(ByteView(probe)), 1U);
}

}  // namespace
}  // namespace ekiden
