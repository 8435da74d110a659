// discovery.sim.*: searches for existing records in the simulator, at sizes that sockets on one machine do not reach.
// Time is virtual and a seed is a course, so that these figures are the same on every machine but for `seconds` and
// `memory`.
#include <array>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "whole/child.hpp"
#include "whole/figure.hpp"

namespace ekiden::bench {
namespace {

constexpr std::array<std::size_t, 2> kSizes = {1'000, 10'000};
constexpr std::size_t kFew = 100;

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

/// The number behind a key of one flat JSON object. NaN without.
double number_in(const std::string& line, const std::string& key) {
  const auto at = line.find('"' + key + "\":");
  return at == line.npos ? std::nan("") : std::strtod(line.c_str() + at + key.size() + 3, nullptr);
}

/// Runs that were made already, by size.
class Courses {
 public:
  Result<Course> of(std::size_t nodes, const Options& options) {
    if (const auto known = courses_.find(nodes); known != courses_.end()) return known->second;
    EKIDEN_ASSIGN(auto sim,
                  Child::start(beside(options, "ekiden-sim"),
                               {"run", EKIDEN_SCENARIOS "/find.toml", "--nodes", std::to_string(nodes), "--json"}, -1));
    EKIDEN_ASSIGN(const auto line, sim.line());
    EKIDEN_ASSIGN(const long peak_kib, sim.finish());
    const double searches = number_in(line, "searches");
    if (!(searches > 0)) return fail(Errc::internal, "the simulator said " + line);
    const Course course{.found_percent = 100 * number_in(line, "found") / searches,
                        .queries = number_in(line, "search_queries") / searches,
                        .median_ms = number_in(line, "search_median_ms"),
                        .p99_ms = number_in(line, "search_p99_ms"),
                        .seconds = number_in(line, "real_half_s"),
                        .peak_mib = static_cast<double>(peak_kib) / 1024};
    courses_.emplace(nodes, course);
    return course;
  }

 private:
  std::map<std::size_t, Course> courses_;
};

using CoursesPtr = std::shared_ptr<Courses>;

Figure figure(const std::string& name, std::size_t nodes, const char* unit, const char* baseline, const char* bound,
              std::function<Result<Pair>(const Course&, const Options&)> pair, CoursesPtr courses) {
  const auto measure = [=](const Options& options) -> Result<Pair> {
    EKIDEN_ASSIGN(const Course course, courses->of(nodes, options));
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
  const auto courses = std::make_shared<Courses>();
  std::vector<Figure> all;
  for (const std::size_t nodes : kSizes) {
    const auto add = [&](const char* name, const char* unit, const char* baseline, const char* bound, auto pair) {
      all.push_back(figure(name, nodes, unit, baseline, bound, pair, courses));
    };
    add("success", "%", "all", "value >= 99.9",
        [](const Course& course, const Options&) -> Result<Pair> { return Pair{course.found_percent, 100}; });
    add("queries", "", "with 100 nodes", "ratio <= 2.2",
        [courses](const Course& course, const Options& options) -> Result<Pair> {
          EKIDEN_ASSIGN(const Course few, courses->of(kFew, options));
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
