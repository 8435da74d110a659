// Priority classes, highest first: the order in which queues are served.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ekiden::wire {

enum class Priority : std::uint8_t { critical = 0, high = 1, normal = 2, low = 3, background = 4 };

inline constexpr std::size_t kPriorities = 5;

inline constexpr std::array<std::string_view, kPriorities> kPriorityNames = {"critical", "high", "normal", "low",
                                                                             "background"};

constexpr std::string_view priority_name(Priority priority) {
  return kPriorityNames[static_cast<std::size_t>(priority)];
}

}  // namespace ekiden::wire
