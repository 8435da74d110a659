// JSON from outside, bounded and strict, and typed reading of its objects.
//
// parse_json refuses what a reader could understand in two ways or that could exhaust it: nesting over kMaxJsonDepth, a
// key twice in one object, bytes that are not UTF-8, anything after the value. The size is bounded by whoever read the
// bytes.
//
// ObjectReader takes values out of one object by name. The first thing wrong is remembered and told by finish(), in a
// sentence that names the key; so is a key that nobody asked for: a misspelt option that is silently ignored is worse
// than an error.
//
// Source: RFC 8259, with the restrictions of RFC 7493 (I-JSON) on duplicate names and encoding.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ekiden::runtime {

using Json = nlohmann::ordered_json;  ///< Keeps the order of keys, so that output reads as it was written.

inline constexpr int kMaxJsonDepth = 8;

/// Errors: malformed, too_large (depth).
Result<Json> parse_json(std::string_view text);

/// One line; invalid UTF-8 is replaced.
std::string dump_json(const Json& value);

class ObjectReader {
 public:
  /// `value` outlives the reader. Anything but an object is an error that finish() tells.
  explicit ObjectReader(const Json& value);

  std::optional<std::string> text(std::string_view key, std::size_t max_size);
  std::string required_text(std::string_view key, std::size_t max_size);
  std::optional<std::uint64_t> number(std::string_view key, std::uint64_t min, std::uint64_t max);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::vector<std::string>> texts(std::string_view key, std::size_t max_count, std::size_t max_size);
  std::optional<std::vector<std::uint64_t>> numbers(std::string_view key, std::size_t max_count);

  /// The value as it is, for lists and objects that need readers of their own; nullptr if it is missing or null.
  const Json* raw(std::string_view key) { return take(key); }

  bool has(std::string_view key) const;
  /// Records an error about the values, if none came before it.
  void refuse(Errc code, std::string message);
  /// The first error, or that a key is not known.
  Status finish();

 private:
  const Json* take(std::string_view key);
  void refuse_type(std::string_view key, std::string_view wanted);

  const Json& value_;
  std::set<std::string, std::less<>> taken_;
  std::optional<Error> error_;
};

}  // namespace ekiden::runtime
