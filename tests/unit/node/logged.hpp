// What nodes have told in their logs.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace ekiden::node {

/// In one of these lines.
inline bool has_logged(const std::vector<std::string>& log, std::string_view text) {
  return std::ranges::any_of(log, [&](const std::string& line) { return line.contains(text); });
}

}  // namespace ekiden::node
