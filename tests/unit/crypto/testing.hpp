// What the tests of crypto share: constants written in hexadecimal, and generators of keys.
#pragma once

#include <rapidcheck.h>

#include <string_view>

#include "base/bytes.hpp"
#include "base/encoding.hpp"
#include "crypto/keys.hpp"

namespace ekiden::crypto {

inline Bytes hex(std::string_view text) { return from_hex(text).value(); }

template <class Key>
Key key_of(std::string_view text) {
  const auto bytes = hex(text);
  RC_ASSERT(bytes.size() == Key::kSize);
  if constexpr (requires(Key key) { key.bytes; }) {
    return Key{take_array<Key::kSize>(bytes)};
  } else {
    return Key(ByteView(bytes));
  }
}

template <std::size_t N>
ByteArray<N> random_array() {
  return take_array<N>(*rc::gen::container<Bytes>(N, rc::gen::arbitrary<Byte>()));
}

template <class Key>
Key random_key() {
  return Key{random_array<Key::kSize>()};
}

/// Bytes of any length up to `max`, long ones included (a plain generator prefers short ones).
inline Bytes random_bytes(std::size_t max) {
  const auto size = *rc::gen::inRange<std::size_t>(0, max + 1);
  return *rc::gen::container<Bytes>(size, rc::gen::arbitrary<Byte>());
}

/// The same bytes with one bit turned over, anywhere. REQUIRES: not empty.
template <class Container>
Container with_one_bit_flipped(Container bytes) {
  const auto bit = *rc::gen::inRange<std::size_t>(0, bytes.size() * 8);
  bytes[bit / 8] = static_cast<Byte>(bytes[bit / 8] ^ (1u << bit % 8));
  return bytes;
}

}  // namespace ekiden::crypto
