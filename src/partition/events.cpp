#include "partition/events.hpp"

#include <array>

namespace ekiden::partition {

std::string_view state_name(State state) {
  static constexpr std::array<std::string_view, 4> kNames = {"whole", "suspected", "split", "healing"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string_view reason_name(Reason reason) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "none",         "members-silent",    "neighbours-silent", "items-missing", "replicas-differ",
      "members-back", "members-forgotten", "nobody-follows"};
  return kNames[static_cast<std::size_t>(reason)];
}

}  // namespace ekiden::partition
