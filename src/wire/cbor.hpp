// Deterministic CBOR (RFC 8949 section 4.2.1), the only encoding on Ekiden's wire.
//
// Encoder appends items to a byte string. Decoder reads items out of a view, in place, without allocating: what it
// returns for strings points into the input.
//
// What the decoder refuses, and why each rule is there:
//   - numbers, lengths and floats that are not in their shortest form, map keys that are not in ascending bytewise
//     order or that repeat, indefinite lengths: one value has exactly one encoding, so that a signature or a hash of
//     the bytes is a signature or a hash of the value, and two nodes never read the same bytes differently;
//   - nesting deeper than kMaxDepth: a small input must not exhaust a stack;
//   - a length over the bytes that remain: five bytes must not make anybody reserve four gigabytes;
//   - text that is not UTF-8, reserved simple values, bytes after the item, and content that does not fit the tags of
//     RFC 8949 section 3.4 (0 and 1: dates; 2 and 3: big numbers).
//
// Bounds: Encoder: none of its own. Decoder: kMaxDepth open containers, about 600 bytes on the stack, time linear in
// the input. Invariant: after an error the position is unspecified and the decoder must not be used further.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ekiden::wire {

/// Arrays, maps and tags that may be open at once; an integer alone has depth 0.
inline constexpr std::size_t kMaxDepth = 16;

/// The major types in the order of RFC 8949 section 3.1; the last one is split into simple values and floats.
enum class Kind : std::uint8_t { unsigned_integer, negative_integer, bytes, text, array, map, tag, simple, floating };

/// A lower-case name for error messages: "byte string".
std::string_view kind_name(Kind kind);

/// Appends items, shortest form. The caller keeps the counts it announced and the order of map keys: check with
/// validate() in tests.
class Encoder {
 public:
  /// Appends to `out`, which must outlive the encoder.
  explicit Encoder(Bytes& out) : out_(out) {}

  void unsigned_integer(std::uint64_t value) { head(0, value); }
  /// The number -1 - n.
  void negative_integer(std::uint64_t n) { head(1, n); }
  void integer(std::int64_t value);
  void bytes(ByteView value);
  /// REQUIRES: well-formed UTF-8; refused by every decoder otherwise.
  void text(std::string_view value);
  void boolean(bool value) { head(7, value ? 21 : 20); }
  void null() { head(7, 22); }
  void array(std::uint64_t count) { head(4, count); }
  void map(std::uint64_t count) { head(5, count); }
  void tag(std::uint64_t number) { head(6, number); }
  /// Simple values 0 to 23 and 32 to 255. REQUIRES: not 24 to 31.
  void simple(std::uint8_t value);
  /// A float given as the bits of its binary64 form, written in the shortest width that keeps every bit of its value;
  /// NaN payloads are kept. Bits, because no pure module computes with floating point.
  void floating(std::uint64_t binary64_bits);

 private:
  void head(std::uint8_t major, std::uint64_t argument);

  Bytes& out_;
};

/// Reads exactly one item (which may be a tree) from a view.
///
/// The readers consume an item of the wanted kind or fail with malformed, naming what was found and at which byte.
/// After array(), map() and tag() the caller reads the members one by one; the decoder counts them, and closes the
/// container when its last member was read. finish() ends the reading.
class Decoder {
 public:
  explicit Decoder(ByteView input) : input_(input) {}

  // Look ahead. -------------------------------------------------------------------------------------------------------

  /// The kind of the next item, from its first byte alone. Errors: malformed if nothing is left.
  Result<Kind> peek() const;
  /// True if the next item is null.
  bool next_is_null() const { return position_ < input_.size() && input_[position_] == 0xf6; }
  /// Bytes consumed so far.
  std::size_t position() const { return position_; }
  /// Containers open now.
  std::size_t depth() const { return depth_; }

  // Read. -------------------------------------------------------------------------------------------------------------

  Result<std::uint64_t> unsigned_integer();
  /// n, for the number -1 - n.
  Result<std::uint64_t> negative_integer();
  /// Either sign. Errors: malformed if it does not fit 64 signed bits.
  Result<std::int64_t> integer();
  /// Points into the input. Errors: too_large over max_size.
  Result<ByteView> bytes(std::size_t max_size = SIZE_MAX);
  /// Points into the input; checked to be UTF-8. Errors: too_large over max_size (in bytes).
  Result<std::string_view> text(std::size_t max_size = SIZE_MAX);
  Result<bool> boolean();
  Status null();
  /// Number of items that follow. Errors: too_large over max_count.
  Result<std::size_t> array(std::size_t max_count = SIZE_MAX);
  /// Number of pairs that follow. Errors: too_large over max_count.
  Result<std::size_t> map(std::size_t max_count = SIZE_MAX);
  /// The tag number; its content follows.
  Result<std::uint64_t> tag();
  /// Any simple value: false 20, true 21, null 22, undefined 23 and the unassigned ones.
  Result<std::uint8_t> simple();
  /// The bits of the binary64 form, whatever width it had.
  Result<std::uint64_t> floating();

  /// Reads one item of any kind with all it contains, checking every rule. Not recursive.
  Status skip();

  /// Ends the reading. Errors: malformed if bytes remain or a container is open.
  Status finish() const;

 private:
  struct Head {
    Kind kind{};
    std::uint8_t info = 0;  ///< The low five bits: tells the width of a float.
    std::uint64_t argument = 0;
  };
  struct Level {
    std::size_t remaining;  ///< Items; a pair of a map is two.
    std::size_t key_begin;  ///< Where the key that is being read starts.
    std::size_t last_key_begin, last_key_end;
    bool is_map;
  };

  bool take_head(Head& head);
  bool take_head(Kind expected, Head& head);
  bool take_argument(Head& head);
  bool take_scalar(Kind expected, Head& head);
  bool check_argument(const Head& head);
  bool check_tag_content(const Head& head);
  bool take_string(const Head& head, std::size_t max_size, ByteView& out);
  bool skip_one();
  Result<std::size_t> container(Kind kind, std::size_t max_count, std::string_view what);
  bool open(const Head& head);
  bool complete_item();
  bool complete_scalar();
  bool complete_key(Level& level);
  bool refuse(Error why);
  bool malformed(std::string_view what);
  std::unexpected<Error> failure() { return std::unexpected(std::move(error_)); }
  std::size_t left() const { return input_.size() - position_; }

  ByteView input_;
  std::size_t position_ = 0;
  std::size_t item_ = 0;  ///< Where the item that is being read starts; for messages.
  std::size_t depth_ = 0;
  bool done_ = false;                    ///< The one item was read.
  std::uint64_t content_of_ = kNotATag;  ///< The tag whose content comes next.
  std::array<Level, kMaxDepth> levels_;  ///< Only the first depth_ are set.
  Error error_;                          ///< Why the last step failed.

  static constexpr std::uint64_t kNotATag = UINT64_MAX;
};

/// Checks that the bytes are exactly one well-formed, deterministic item within all limits.
Status validate(ByteView bytes);

}  // namespace ekiden::wire
