// Times as text in UTC (RFC 3339 with "Z"): "2026-11-24T15:00:00Z", with milliseconds where there are some.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace ekiden::runtime {

/// The year is 1970 to 9999. Times outside of it are shown as its ends.
std::string utc_text(WallTime time);

/// Reads what utc_text writes and nothing else. Errors: malformed, with an example.
Result<WallTime> parse_utc(std::string_view text);

}  // namespace ekiden::runtime
