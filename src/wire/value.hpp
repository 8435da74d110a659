// Any CBOR value as a tree, for tests, diagnostics and the vectors tool. Messages never use it: see wire/message.hpp.
//
// decode_value accepts exactly what Decoder accepts, and encode_value gives the same bytes back. Bounds: depth by
// kMaxDepth; a tree takes at most about a hundred bytes of memory for a byte of input, so it is not for the hot path.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ekiden::wire {

struct Value;

/// The number -1 - n.
struct Negative {
  std::uint64_t n = 0;
  friend bool operator==(const Negative&, const Negative&) = default;
};

struct Simple {
  std::uint8_t value = 0;
  friend bool operator==(const Simple&, const Simple&) = default;
};

/// The bits of a binary64; compares as bits, so that a NaN equals itself.
struct Floating {
  std::uint64_t bits = 0;
  friend bool operator==(const Floating&, const Floating&) = default;
};

struct Tagged {
  std::uint64_t tag = 0;
  std::vector<Value> content;  ///< Exactly one.
  friend bool operator==(const Tagged&, const Tagged&);
};

using Array = std::vector<Value>;
/// In the order of the encoding: ascending keys.
using Map = std::vector<std::pair<Value, Value>>;

struct Value {
  std::variant<std::uint64_t, Negative, Bytes, std::string, Array, Map, Tagged, Simple, Floating> of;
  friend bool operator==(const Value&, const Value&);
};

/// Errors: as Decoder.
Result<Value> decode_value(ByteView bytes);

/// REQUIRES: map keys in ascending order of their encodings, as decode_value leaves them.
Bytes encode_value(const Value& value);

/// Diagnostic notation (RFC 8949 section 8), on one line, cut off after about max_size characters. Floats are shown as
/// the hexadecimal bits of their binary64 form.
std::string to_diagnostic(const Value& value, std::size_t max_size = 4096);

}  // namespace ekiden::wire
