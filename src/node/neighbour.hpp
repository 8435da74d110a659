// What a node knows of a peer for as long as there is a link to it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace ekiden::node {

struct Neighbour {
  std::uint32_t bad_messages = 0;
  Instant since{};                      ///< the link is up
  bool compares_registry = false;       ///< its replica with ours
  std::optional<Instant> list_asked{};  ///< it asked for our list then, and was answered
};

}  // namespace ekiden::node
