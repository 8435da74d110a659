// Text for people: durations and sizes, read and written, and text of strangers made harmless for a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace ekiden::cli {

/// "90s", "250ms", "7d", "1h30m": numbers with ms, s, m, h, d or w, added up; at most ten years. Errors:
/// invalid_argument, with examples.
Result<Duration> parse_duration(std::string_view text);

/// "73 us", "0.2 ms", "250 ms", "1.250 s", "12 s", "4 min 5 s", "3 h 12 min", "2 d 4 h": two units say enough.
std::string human_duration(Duration duration);

/// "1 message", "2 messages", "12,345 messages".
std::string counted(std::uint64_t count, std::string_view singular);

/// "512 bytes", "3.2 KiB", "15.0 MiB".
std::string human_size(std::uint64_t bytes);

/// The text with everything escaped that could make a terminal do, or a person believe, something else: control
/// characters, escape sequences (they could rewrite what was printed before), direction overrides and invisible
/// characters (they make one text look like another), invalid UTF-8. Line ends and tabs stay if `keep_lines`.
std::string safe_text(std::string_view text, bool keep_lines);

/// Why an endpoint did not work, without its name, which stands beside it: each step of the way has put it there.
std::string reason_at(std::string_view endpoint, std::string_view message);

/// Columns on the terminal, near enough for tables: characters, not bytes.
std::size_t display_width(std::string_view text);

}  // namespace ekiden::cli
