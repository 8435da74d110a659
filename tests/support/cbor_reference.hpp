#include "cbor_reference.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace ekiden::vectors {
namespace {

/// The value of a binary16 as RFC 8949 appendix D computes it; NaN is left to the caller.
double half_value(unsigned half) {
  const int exponent = static_cast<int>(half >> 10 & 0x1f);
  const auto fraction = static_cast<double>(half & 0x3ff);
  double value = exponent == 0    ? std::ldexp(fraction, -24)
                 : exponent == 31 ? INFINITY
                                  : std::ldexp(fraction + 1024, exponent - 25);
  return half & 0x8000 ? -value : value;
}

bool fits_half(float value) {
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
bool single_is_shortest(std::uint32_t bits) {
  const auto value = std::bit_cast<float>(bits);
  return std::isnan(value) ? (bits & 0x1fff) != 0 : !fits_half(value);
}

bool double_is_shortest(std::uint64_t bits) {
  const auto value = std::bit_cast<double>(bits);
  if (std::isnan(value)) return (bits & 0x1fffffff) != 0;
  if (std::isinf(value)) return false;
  return std::abs(value) > 3.4028234663852886e+38 || static_cast<double>(static_cast<float>(value)) != value;
}

class Reference {
 public:
  explicit Reference(ByteView bytes) : bytes_(bytes) {}

  bool whole() { return item(0) && position_ == bytes_.size(); }

 private:
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

  bool items(std::uint64_t count, std::size_t depth) {
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!item(depth)) return false;
    }
    return true;
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
    if (major <= 3) {
      if (*value > bytes_.size() - position_) return false;
      position_ += static_cast<std::size_t>(*value);
      return true;
    }
    constexpr std::size_t kMaxDepth = 16;
    if (depth == kMaxDepth) return false;
    if (major == 5) return map(*value, depth + 1);
    return items(major == 4 ? *value : 1, depth + 1);
  }

  ByteView bytes_;
  std::size_t position_ = 0;
};

}  // namespace

bool is_deterministic_cbor(ByteView bytes) { return Reference(bytes).whole(); }

}  // namespace ekiden::vectors
