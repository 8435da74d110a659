#include "wire/float_bits.hpp"

#include <bit>

namespace ekiden::wire {
namespace {

constexpr int kDoubleFraction = 52;
constexpr int kDoubleBias = 1023;
constexpr std::uint64_t kDoubleMaxExponent = 0x7ff;

/// A binary format narrower than binary64.
template <int ExponentBits, int FractionBits>
struct Narrow {
  static constexpr int kBias = (1 << (ExponentBits - 1)) - 1;
  static constexpr int kMinExponent = 1 - kBias;                     ///< Of normal numbers.
  static constexpr int kUnitExponent = kMinExponent - FractionBits;  ///< Of the smallest subnormal number.
  static constexpr std::uint64_t kMaxExponent = (std::uint64_t{1} << ExponentBits) - 1;
  static constexpr std::uint64_t kFractionMask = (std::uint64_t{1} << FractionBits) - 1;
  static constexpr int kFractionShift = kDoubleFraction - FractionBits;

  static std::uint64_t pack(std::uint64_t sign, std::uint64_t exponent, std::uint64_t fraction) {
    return sign << (ExponentBits + FractionBits) | exponent << FractionBits | fraction;
  }

  static std::uint64_t widen(std::uint64_t bits) {
    const std::uint64_t sign = (bits >> (ExponentBits + FractionBits)) << 63;
    const std::uint64_t exponent = bits >> FractionBits & kMaxExponent;
    const std::uint64_t fraction = bits & kFractionMask;
    if (exponent == kMaxExponent) return sign | kDoubleMaxExponent << kDoubleFraction | fraction << kFractionShift;
    if (exponent != 0) {
      const auto wide = static_cast<std::uint64_t>(static_cast<int>(exponent) - kBias + kDoubleBias);
      return sign | wide << kDoubleFraction | fraction << kFractionShift;
    }
    if (fraction == 0) return sign;
    const int top = static_cast<int>(std::bit_width(fraction)) - 1;
    const auto wide = static_cast<std::uint64_t>(top + kUnitExponent + kDoubleBias);
    const std::uint64_t rest = fraction ^ std::uint64_t{1} << top;
    return sign | wide << kDoubleFraction | rest << (kDoubleFraction - top);
  }

  static std::optional<std::uint64_t> narrow(std::uint64_t bits) {
    const std::uint64_t sign = bits >> 63;
    const std::uint64_t exponent = bits >> kDoubleFraction & kDoubleMaxExponent;
    const std::uint64_t fraction = bits & ((std::uint64_t{1} << kDoubleFraction) - 1);
    if (exponent == kDoubleMaxExponent) return shifted(fraction, kFractionShift, sign, kMaxExponent);
    if (exponent == 0) return fraction == 0 ? std::optional(pack(sign, 0, 0)) : std::nullopt;
    const int power = static_cast<int>(exponent) - kDoubleBias;
    if (power > kBias || power < kUnitExponent) return std::nullopt;
    if (power >= kMinExponent) {
      return shifted(fraction, kFractionShift, sign, static_cast<std::uint64_t>(power + kBias));
    }
    const std::uint64_t significand = fraction | std::uint64_t{1} << kDoubleFraction;
    return shifted(significand, kDoubleFraction - (power - kUnitExponent), sign, 0);
  }

 private:
  /// Drops the low bits of a fraction if they are all zero.
  static std::optional<std::uint64_t> shifted(std::uint64_t fraction, int shift, std::uint64_t sign,
                                              std::uint64_t exponent) {
    if ((fraction & ((std::uint64_t{1} << shift) - 1)) != 0) return std::nullopt;
    return pack(sign, exponent, fraction >> shift);
  }
};

using Half = Narrow<5, 10>;
using Single = Narrow<8, 23>;

}  // namespace

std::uint64_t double_from_half(std::uint64_t half_bits) { return Half::widen(half_bits); }
std::uint64_t double_from_single(std::uint64_t single_bits) { return Single::widen(single_bits); }
std::optional<std::uint64_t> half_from_double(std::uint64_t double_bits) { return Half::narrow(double_bits); }
std::optional<std::uint64_t> single_from_double(std::uint64_t double_bits) { return Single::narrow(double_bits); }

}  // namespace ekiden::wire
