// Byte vocabulary shared by every module.
//
// A function that reads bytes takes a ByteView and never keeps it; a function that makes bytes returns Bytes or a
// ByteArray. Nothing here allocates except Bytes itself.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ekiden {

using Byte = std::uint8_t;
using Bytes = std::vector<Byte>;
using ByteView = std::span<const Byte>;
using MutableBytes = std::span<Byte>;

template <std::size_t N>
using ByteArray = std::array<Byte, N>;

/// The bytes of a text, without its terminator. The view lives as long as the text does.
inline ByteView as_bytes(std::string_view text) { return {reinterpret_cast<const Byte*>(text.data()), text.size()}; }

/// The bytes read as text. No validation: check UTF-8 first where text is expected from outside.
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }

inline void append(Bytes& to, ByteView from) { to.insert(to.end(), from.begin(), from.end()); }

/// Copies exactly N bytes. REQUIRES: view.size() >= N (checked by the caller against outside input).
template <std::size_t N>
ByteArray<N> take_array(ByteView view) {
  ByteArray<N> out{};
  for (std::size_t i = 0; i < N; ++i) out[i] = view[i];
  return out;
}

/// Big-endian integers, the only byte order on Ekiden's wire.
template <class Integer>
void append_be(Bytes& to, Integer value) {
  for (int shift = static_cast<int>(sizeof(Integer)) * 8 - 8; shift >= 0; shift -= 8) {
    to.push_back(static_cast<Byte>(value >> shift));
  }
}

template <class Integer>
void put_be(MutableBytes to, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    to[i] = static_cast<Byte>(value >> (8 * (sizeof(Integer) - 1 - i)));
  }
}

/// REQUIRES: view.size() >= sizeof(Integer).
template <class Integer>
Integer get_be(ByteView view) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) value = value << 8 | view[i];
  return static_cast<Integer>(value);
}

/// Orders arrays lexicographically, in words: of ids the first word nearly always decides.
template <std::size_t N>
std::strong_ordering compare(const ByteArray<N>& a, const ByteArray<N>& b) {
  static_assert(N % sizeof(std::uint64_t) == 0);
  for (std::size_t at = 0; at < N; at += sizeof(std::uint64_t)) {
    const auto x = get_be<std::uint64_t>(ByteView(a).subspan(at));
    const auto y = get_be<std::uint64_t>(ByteView(b).subspan(at));
    if (x != y) return x <=> y;
  }
  return std::strong_ordering::equal;
}

/// Orders byte strings lexicographically without copying; usable as a transparent comparator of ordered containers.
struct BytesLess {
  using is_transparent = void;
  bool operator()(ByteView a, ByteView b) const { return as_text(a) < as_text(b); }
};

}  // namespace ekiden
