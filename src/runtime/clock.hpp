// The two clocks of a real node.
#pragma once

#include "base/time.hpp"

namespace ekiden::runtime {

/// CLOCK_MONOTONIC and CLOCK_REALTIME; reads take tens of nanoseconds and no system call.
Now read_clocks();

}  // namespace ekiden::runtime
