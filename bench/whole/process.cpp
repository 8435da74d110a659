// node.idle.memory and sim.rate: whole programs, as they are installed.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "whole/child.hpp"
#include "whole/figure.hpp"

namespace ekiden::bench {
namespace {

constexpr double kSimulationBound = 60;  // seconds
constexpr long kSimulationMaxKib = 1024L * 1024;

std::filesystem::path beside(const Options& options, const char* program) {
  const auto here = std::filesystem::path(options.self).parent_path();
  const auto above = here.parent_path() / program;
  return std::filesystem::exists(here / program) ? here / program : above;
}

Result<Pair> idle_memory(const Options& options) {
  const std::string program = beside(options, "ekiden");
  const std::string home = options.directory + "/fresh";
  std::filesystem::remove_all(home);
  {
    EKIDEN_ASSIGN(auto init, Child::start(program, {"init", "--data-dir", home, "--listen", "tcp://127.0.0.1:0"}, -1));
    init.finish();
  }
  EKIDEN_ASSIGN(auto daemon, Child::start(program, {"up", "--data-dir", home, "--log-level", "error"}, -1));
  for (std::string line; line != "ready";) {
    EKIDEN_ASSIGN(line, daemon.line());
  }
  const double resident = static_cast<double>(resident_kib(daemon.pid())) / 1024;
  kill(daemon.pid(), SIGTERM);
  daemon.finish();
  // The same program, loaded with its libraries, doing next to nothing.
  EKIDEN_ASSIGN(auto bare, Child::start(program, {"version"}, -1));
  const double baseline = static_cast<double>(bare.finish()) / 1024;
  return Pair{resident, baseline};
}

Result<Pair> simulation(const Options& options) {
  const std::string program = beside(options, "ekiden-sim");
  const double begin = seconds_now();
  EKIDEN_ASSIGN(auto sim, Child::start(program, {"run", EKIDEN_SCENARIOS "/thousand.toml", "--json"}, -1));
  EKIDEN_ASSIGN(const auto line, sim.line());
  const long peak_kib = sim.finish();
  if (line.find(R"("ok":true)") == line.npos) return fail(Errc::internal, "the simulation broke a rule: " + line);
  if (peak_kib >= kSimulationMaxKib) {
    return fail(Errc::limit_exceeded, "the simulation took " + std::to_string(peak_kib / 1024) + " MiB");
  }
  std::fprintf(stderr, "sim.rate: peak memory %.0f MiB\n", static_cast<double>(peak_kib) / 1024);
  return Pair{seconds_now() - begin, kSimulationBound};
}

}  // namespace

std::vector<Figure> process_figures() {
  return {{"node.idle.memory", "MiB", "the program printing its version", "value <= 16", idle_memory},
          {"sim.rate", "s", "its bound of 60 s", "value < 60, peak memory < 1 GiB", simulation}};
}

}  // namespace ekiden::bench
