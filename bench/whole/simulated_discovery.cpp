// discovery.sim.*: searches for existing records in the simulator, at sizes that sockets on one machine do not reach.
// They are the same on every machine but for `seconds` and `memory`.
#include <array>
#include <string>

#include "whole/simulation.hpp"

namespace ekiden::bench {
namespace {

constexpr std::array<std::size_t, 2> kSizes = {1'000, 10'000};
constexpr std::size_t kFew = 100;
const std::string kScenario = "find";

/// scenarios/find.toml: 20 to 80 ms one way.
constexpr double kRoundTripMs = 100;

struct Course {
  double found_percent = 0;
  double queries = 0;  ///< for a search
  double median_ms = 0;
  double p99_ms = 0;
  double seconds = 0;  ///< until all have joined and settled, and searches begin
  double peak_mib = 0;
};

Result<Course> course_of(Simulations& simulations, std::size_t nodes, const Options& options) {
  EKIDEN_ASSIGN(const Simulated run, simulations.of(kScenario, nodes, options));
  const double searches = run.number("searches");
  if (!(searches > 0)) return fail(Errc::internal, "the simulator said " + run.said);
  return Course{.found_percent = 100 * run.number("found") / searches,
                .queries = run.number("search_queries") / searches,
                .median_ms = run.number("search_median_ms"),
                .p99_ms = run.number("search_p99_ms"),
                .seconds = run.number("real_half_s"),
                .peak_mib = run.peak_mib};
}

Figure figure(const std::string& name, std::size_t nodes, const char* unit, const char* baseline, const char* bound,
              std::function<Result<Pair>(const Course&, const Options&)> pair, SimulationsPtr simulations) {
  const auto measure = [=](const Options& options) -> Result<Pair> {
    EKIDEN_ASSIGN(const Course course, course_of(*simulations, nodes, options));
    return pair(course, options);
  };
  return {.name = "discovery.sim." + name + "." + std::to_string(nodes),
          .unit = unit,
          .baseline = baseline,
          .bound = bound,
          .measure = measure,
          .is_repeatable = false,
          .takes_long = nodes == kSizes.back()};
}

}  // namespace

std::vector<Figure> simulated_discovery_figures() {
  const auto simulations = std::make_shared<Simulations>();
  std::vector<Figure> all;
  for (const std::size_t nodes : kSizes) {
    const auto add = [&](const char* name, const char* unit, const char* baseline, const char* bound, auto pair) {
      all.push_back(figure(name, nodes, unit, baseline, bound, pair, simulations));
    };
    add("success", "%", "all", "value >= 99.9",
        [](const Course& course, const Options&) -> Result<Pair> { return Pair{course.found_percent, 100}; });
    add("queries", "", "with 100 nodes", "ratio <= 2.2",
        [simulations](const Course& course, const Options& options) -> Result<Pair> {
          EKIDEN_ASSIGN(const Course few, course_of(*simulations, kFew, options));
          return Pair{course.queries, few.queries};
        });
    add("median", "ms", "a round trip", "ratio <= 3",
        [](const Course& course, const Options&) -> Result<Pair> { return Pair{course.median_ms, kRoundTripMs}; });
    add("p99", "ms", "the median", "ratio <= 3",
        [](const Course& course, const Options&) -> Result<Pair> { return Pair{course.p99_ms, course.median_ms}; });
    add("seconds", "s", "ten minutes", "ratio <= 1",
        [](const Course& course, const Options&) -> Result<Pair> { return Pair{course.seconds, 600}; });
    add("memory", "MiB", "three GiB", "ratio <= 1",
        [](const Course& course, const Options&) -> Result<Pair> { return Pair{course.peak_mib, 3072}; });
  }
  return all;
}

}  // namespace ekiden::bench
