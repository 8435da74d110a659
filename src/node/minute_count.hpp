// How often peers ask to be dialled back, for the limits of that.
#pragma once

#include <cstddef>

#include "base/time.hpp"

namespace ekiden::node {

/// Of the minute that began then.
struct MinuteCount {
  Instant since{};
  std::size_t count = 0;
  std::size_t names = 0;  ///< of those
};

}  // namespace ekiden::node
