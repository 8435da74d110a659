// What came of the questions of a simulation.
#pragma once

#include <cstdint>

namespace ekiden::sim {

struct Questions {
  std::uint64_t asked = 0;      ///< by machines that stayed up until it ended
  std::uint64_t answered = 0;   ///< as they had to be, whether with a reply or with a failure
  std::uint64_t timed_out = 0;  ///< or nobody was found
  std::uint64_t ended = 0;

  std::uint64_t under_way() const { return asked - ended; }
  std::uint64_t answered_ppm() const { return asked == 0 ? 1'000'000 : answered * 1'000'000 / asked; }
};

}  // namespace ekiden::sim
