// A naive second opinion on CBOR: is this one item as Ekiden's profile wants it (RFC 8949 section 4.2.1)?
//
// The model of the decoder's fuzz target, and the expectation where vector files say which bytes are well-formed but
// not which are deterministic: neither may come from the decoder under test. It is recursive, copies, and shares no
// code with the decoder.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/bytes.hpp"

namespace ekiden::test {

class CborReference {
 public:
  /// True if the bytes are exactly one well-formed item, nested at most 16 deep, with shortest numbers, lengths and
  /// floats, no indefinite lengths, map keys that ascend bytewise, text in UTF-8, and the content that RFC 8949 section
  /// 3.4 wants for tags 0 to 3.
  static bool accepts(ByteView bytes) {
    CborReference reference(bytes);
    return reference.item(0) && reference.position_ == bytes.size();
  }

 private:
  explicit CborReference(ByteView bytes) : bytes_(bytes) {}

  /// The value of a binary16 as RFC 8949 appendix D computes it; NaN is left to the caller.
  static double half_value(unsigned half) {
    const int exponent = static_cast<int>(half >> 10 & 0x1f);
    const auto fraction = static_cast<double>(half & 0x3ff);
    const double value = exponent == 0    ? std::ldexp(fraction, -24)
                         : exponent == 31 ? INFINITY
                                          : std::ldexp(fraction + 1024, exponent - 25);
    return half & 0x8000 ? -value : value;
  }

  static bool fits_half(float value) {
    static const std::set<std::uint32_t> kHalves = [] {
      std::set<std::uint32_t> bits;
      for (unsigned half = 0; half < 0x10000; ++half) {
        const bool nan = (half & 0x7c00) == 0x7c00 && (half & 0x3ff) != 0;
        if (!nan) bits.insert(std::bit_cast<std::uint32_t>(static_cast<float>(half_value(half))));
      }
      return bits;
    }();
    return kHalves.contains(std::bit_cast<std::uint32_t>(value));
  }

  /// A NaN is shorter where the bits of its payload that would be dropped are zero.
  static bool single_is_shortest(std::uint32_t bits) {
    const auto value = std::bit_cast<float>(bits);
    return std::isnan(value) ? (bits & 0x1fff) != 0 : !fits_half(value);
  }

  static bool double_is_shortest(std::uint64_t bits) {
    const auto value = std::bit_cast<double>(bits);
    if (std::isnan(value)) return (bits & 0x1fffffff) != 0;
    if (std::isinf(value)) return false;
    return std::abs(value) > 3.4028234663852886e+38 || static_cast<double>(static_cast<float>(value)) != value;
  }

  /// One character by RFC 3629: its length from the first byte, its number from all of them, and no longer than needed.
  static bool is_character(const std::string& text, std::size_t& at) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
    const std::uint32_t first = byte(at);
    const int more = first < 0x80 ? 0 : first < 0xc0 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf8 ? 3 : -1;
    if (more < 0 || at + static_cast<std::size_t>(more) >= text.size()) return false;
    std::uint32_t number = more == 0 ? first : first & (0x3fu >> more);
    for (int i = 0; i < more; ++i) {
      const std::uint32_t next = byte(++at);
      if (next >> 6 != 2) return false;
      number = number << 6 | (next & 0x3f);
    }
    ++at;
    constexpr std::uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
    return number >= kSmallest[more] && number <= 0x10ffff && (number < 0xd800 || number > 0xdfff);
  }

  static bool is_text(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      if (!is_character(text, at)) return false;
    }
    return true;
  }

  std::optional<std::uint64_t> number(std::size_t size) {
    if (bytes_.size() - position_ < size) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes_[position_++];
    return value;
  }

  /// The argument of a head, in its shortest form.
  std::optional<std::uint64_t> argument(unsigned info) {
    if (info < 24) return info;
    if (info > 27) return std::nullopt;
    const auto value = number(std::size_t{1} << (info - 24));
    constexpr std::uint64_t kSmallest[] = {24, 0x100, 0x10000, 0x100000000};
    return value && *value >= kSmallest[info - 24] ? value : std::nullopt;
  }

  bool simple_or_float(unsigned info) {
    if (info < 24) return true;
    if (info == 24) {
      const auto value = number(1);
      return value && *value >= 32;
    }
    if (info > 27) return false;
    const auto bits = number(std::size_t{1} << (info - 24));
    if (!bits) return false;
    if (info == 25) return true;
    return info == 26 ? single_is_shortest(static_cast<std::uint32_t>(*bits)) : double_is_shortest(*bits);
  }

  bool string(std::uint64_t size, bool is_utf8) {
    if (size > bytes_.size() - position_) return false;
    const std::string content(as_text(bytes_.subspan(position_, static_cast<std::size_t>(size))));
    position_ += content.size();
    return !is_utf8 || is_text(content);
  }

  bool map(std::uint64_t pairs, std::size_t depth) {
    std::string last;
    for (std::uint64_t i = 0; i < pairs; ++i) {
      const auto begin = position_;
      if (!item(depth)) return false;
      std::string key(as_text(bytes_.subspan(begin, position_ - begin)));
      if (i > 0 && key <= last) return false;
      last = std::move(key);
      if (!item(depth)) return false;
    }
    return true;
  }

  bool array(std::uint64_t count, std::size_t depth) {
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!item(depth)) return false;
    }
    return true;
  }

  /// Dates are text (tag 0) or numbers (tag 1); big numbers (2, 3) are more than eight bytes without a leading zero.
  bool tagged(std::uint64_t tag, std::size_t depth) {
    const auto begin = position_;
    if (!item(depth)) return false;
    const auto content = bytes_.subspan(begin, position_ - begin);
    const unsigned major = content[0] >> 5;
    const unsigned info = content[0] & 0x1f;
    if (tag == 0) return major == 3;
    if (tag == 1) return major <= 1 || (major == 7 && info >= 25);
    if (tag > 3) return true;
    const std::size_t head = 1 + (info < 24 ? 0 : std::size_t{1} << (info - 24));
    return major == 2 && content.size() - head > 8 && content[head] != 0;
  }

  /// `depth` containers are open around this item.
  bool item(std::size_t depth) {
    const auto head = number(1);
    if (!head) return false;
    const auto major = static_cast<unsigned>(*head) >> 5;
    const auto info = static_cast<unsigned>(*head) & 0x1f;
    if (major == 7) return simple_or_float(info);
    const auto value = argument(info);
    if (!value) return false;
    if (major <= 1) return true;
    if (major <= 3) return string(*value, /*is_utf8=*/major == 3);
    constexpr std::size_t kMaxDepth = 16;
    if (depth == kMaxDepth) return false;
    if (major == 4) return array(*value, depth + 1);
    return major == 5 ? map(*value, depth + 1) : tagged(*value, depth + 1);
  }

  ByteView bytes_;
  std::size_t position_ = 0;
};

}  // namespace ekiden::test
