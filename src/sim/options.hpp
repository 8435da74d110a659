// The command line of ekiden-sim.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/crash_points.hpp"
#include "sim/scenario.hpp"

namespace ekiden::sim {

struct Options {
  std::string command;
  std::string scenario;
  std::uint64_t first_seed = 1;
  std::uint64_t last_seed = 1;
  std::uint64_t jobs = 0;  ///< simulations at once; 0: one for each processor
  std::uint64_t messages = 200;
  std::optional<std::uint32_t> nodes;  ///< in place of those of the scenario
  std::optional<CrashPoint> point;     ///< only this one
  bool json = false;
  bool log = false;
};

/// Errors: invalid_argument, saying which word is wrong.
Result<Options> read_options(const std::vector<std::string>& words);

}  // namespace ekiden::sim
