// The target of a request: "/v1/contacts/bob?limit=5" as segments and parameters, decoded.
//
// Bounds: kMaxSegments, kMaxParameters; the length of the whole is bounded by HttpLimits. Segments are split before
// they are decoded, so that an escaped slash stays part of a name; "." and ".." segments mean nothing and match no
// route. Decoded text must be UTF-8 without control characters: it goes into look-ups, errors and logs.
//
// Source: RFC 3986 sections 2.1, 3.3 and 3.4.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace ekiden::api {

inline constexpr std::size_t kMaxSegments = 8;
inline constexpr std::size_t kMaxParameters = 8;

struct Target {
  std::vector<std::string> segments;
  std::vector<std::pair<std::string, std::string>> parameters;

  /// nullptr if there is none.
  const std::string* parameter(std::string_view name) const;
};

/// Errors: malformed (a bad escape, a control character, a parameter twice), too_large.
Result<Target> parse_target(std::string_view target);

/// The text as one path segment or parameter value: all but unreserved characters escaped.
std::string escape_segment(std::string_view text);

}  // namespace ekiden::api
