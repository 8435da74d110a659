// How the announcement of something that this node offers stands.
#pragma once

#include <cstddef>
#include <optional>

#include "base/time.hpp"

namespace ekiden::node {

struct Standing {
  std::optional<WallTime> announced = {};  ///< when it was signed last
  std::size_t holders = 0;                 ///< who keep it
};

}  // namespace ekiden::node
