// IEEE 754 formats as bit patterns: widening, and narrowing where nothing is lost.
//
// Integer arithmetic only. Rationale: pure modules do not compute with floating point, and a hardware conversion may
// change the payload of a NaN (it sets the quiet bit), so that a value would not come back as it was sent.
#pragma once

#include <cstdint>
#include <optional>

namespace ekiden::wire {

/// binary16 to binary64. Exact for every pattern, NaN payloads included.
std::uint64_t double_from_half(std::uint64_t half_bits);

/// binary32 to binary64. Exact for every pattern, NaN payloads included.
std::uint64_t double_from_single(std::uint64_t single_bits);

/// The binary16 pattern that widens to exactly these bits, if there is one.
std::optional<std::uint64_t> half_from_double(std::uint64_t double_bits);

/// The binary32 pattern that widens to exactly these bits, if there is one.
std::optional<std::uint64_t> single_from_double(std::uint64_t double_bits);

}  // namespace ekiden::wire
