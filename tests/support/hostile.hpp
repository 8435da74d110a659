// What every parser must survive: input that is cut off, has a bit wrong, or goes on too long.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>

#include "base/bytes.hpp"
#include "base/encoding.hpp"
#include "wire/message.hpp"

namespace ekiden::test {

/// Calls `visit(ByteView)` with each proper prefix. The prefix is a copy of its own, so that a sanitizer sees a read
/// past its end.
template <class Visit>
void for_each_truncation(ByteView bytes, Visit visit) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Bytes cut = to_bytes(bytes.first(size));
    visit(ByteView(cut));
  }
}

/// Calls `visit(ByteView)` with each single bit flipped.
template <class Visit>
void for_each_bit_flip(ByteView bytes, Visit visit) {
  Bytes flipped = to_bytes(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const auto mask = static_cast<Byte>(1U << bit % 8);
    flipped[bit / 8] ^= mask;
    visit(ByteView(flipped));
    flipped[bit / 8] ^= mask;
  }
}

/// A message whose encoding is changed is refused, or is another message that goes round like any other.
template <wire::Described T>
void check_hostile_input(const T& sample) {
  const Bytes bytes = wire::encode(sample);
  for_each_truncation(
      bytes, [](ByteView cut) { EXPECT_FALSE(wire::decode<T>(cut)) << "accepted after " << cut.size() << " bytes"; });
  for_each_bit_flip(bytes, [](ByteView flipped) {
    const auto decoded = wire::decode<T>(flipped);
    if (!decoded) return;
    const Bytes again = wire::encode(*decoded);
    const auto second = wire::decode<T>(again);
    ASSERT_TRUE(second) << to_hex(flipped) << ": " << second.error().message;
    EXPECT_EQ(to_hex(wire::encode(*second)), to_hex(again));
  });
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(wire::decode<T>(longer)) << "a byte too many was accepted";
}

}  // namespace ekiden::test
