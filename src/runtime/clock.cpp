#include "runtime/clock.hpp"

namespace ekiden::runtime {

Now read_clocks() {
  const auto mono = std::chrono::steady_clock::now().time_since_epoch();
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {Instant(std::chrono::duration_cast<Duration>(mono)),
          WallTime(std::chrono::duration_cast<milliseconds>(wall))};
}

}  // namespace ekiden::runtime
