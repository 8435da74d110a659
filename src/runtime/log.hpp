// Where a node's log goes.
//
// A line is a level, a component (static text), and a sentence that may contain what peers sent: control characters are
// escaped, so that nobody forges lines or talks to the terminal. Lines never hold keys or message bodies; that is the
// duty of who writes them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "node/input.hpp"

namespace ekiden::runtime {

struct LogLine {
  node::LogLevel level = node::LogLevel::info;
  std::string_view component;
  std::string_view text;
};

/// Called on the loop's thread; must not block for long.
using LogSink = std::function<void(const LogLine&)>;

/// Standard error, from `level` ("debug" to "error") up. `format` is "text" (for people) or "json" (one object a line:
/// time, level, component, text). Unknown names count as "info" and "text".
LogSink standard_error_log(std::string_view level, std::string_view format);

/// The text with control characters and bytes that are not UTF-8 escaped, as the inside of a JSON string if `json`.
std::string escape_for_log(std::string_view text, bool json);

}  // namespace ekiden::runtime
