#include "whole/simulation.hpp"

#include <cmath>
#include <cstdlib>

#include "whole/child.hpp"

namespace ekiden::bench {

double Simulated::number(const std::string& key) const {
  const auto at = said.find('"' + key + "\":");
  return at == said.npos ? std::nan("") : std::strtod(said.c_str() + at + key.size() + 3, nullptr);
}

Result<Simulated> Simulations::of(const std::string& scenario, std::size_t nodes, const Options& options) {
  if (const auto known = runs_.find({scenario, nodes}); known != runs_.end()) return known->second;
  EKIDEN_ASSIGN(auto sim, Child::start(beside(options, "ekiden-sim"),
                                       {"run", std::string(EKIDEN_SCENARIOS) + "/" + scenario + ".toml", "--nodes",
                                        std::to_string(nodes), "--json"},
                                       -1));
  Simulated run;
  while (const auto line = sim.line()) run.said += *line + "\n";
  EKIDEN_ASSIGN(const long peak_kib, sim.finish());
  run.peak_mib = static_cast<double>(peak_kib) / 1024;
  return runs_.emplace(std::pair(scenario, nodes), std::move(run)).first->second;
}

}  // namespace ekiden::bench
