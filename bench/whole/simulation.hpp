// Runs of the simulator. Time is virtual and a seed is a course, so that what a run counts is the same on every
// machine, and one run is enough for all figures that are of it.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "whole/figure.hpp"

namespace ekiden::bench {

struct Simulated {
  std::string said;  ///< JSON objects, one a line
  double peak_mib = 0;

  /// The number behind a key, each of which is in one of the objects. NaN without.
  double number(const std::string& key) const;
};

class Simulations {
 public:
  /// The course of scenarios/<scenario>.toml with so many nodes, run once.
  /// Errors: internal (it cannot be run, or has broken a rule).
  Result<Simulated> of(const std::string& scenario, std::size_t nodes, const Options& options);

 private:
  std::map<std::pair<std::string, std::size_t>, Simulated> runs_;
};

using SimulationsPtr = std::shared_ptr<Simulations>;

}  // namespace ekiden::bench
