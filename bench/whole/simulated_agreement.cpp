// gossip.*: broadcasts in one topic of which all nodes are members, in the simulator; and beside them what flooding and
// pushing at random would cost. partition.*: how soon a split is known, and how soon it is over.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gossip/config.hpp"
#include "sim/broadcasts.hpp"
#include "whole/plain_gossip.hpp"
#include "whole/simulation.hpp"

namespace ekiden::bench {
namespace {

constexpr std::array<std::size_t, 2> kSizes = {1'000, 10'000};
constexpr std::size_t kNeighbours = gossip::Config{}.max_active;
static_assert(kNeighbours % 2 == 1, "flood() pairs nodes, and makes rings of them");
constexpr std::size_t kFanOut = 6;
constexpr std::size_t kSplitNodes = 100;

/// What a run of the simulator, or a model, makes of a size.
using Measure = std::function<Result<Pair>(std::size_t nodes, const Options& options)>;

Figure figure(const std::string& name, std::size_t nodes, const char* unit, const char* baseline, const char* bound,
              const Measure& measure, bool takes_long) {
  return {.name = name + "." + std::to_string(nodes),
          .unit = unit,
          .baseline = baseline,
          .bound = bound,
          .measure = [=](const Options& options) { return measure(nodes, options); },
          .is_repeatable = false,
          .takes_long = takes_long};
}

Result<double> said(const Simulated& run, const char* key) {
  const double number = run.number(key);
  if (std::isnan(number)) return fail(Errc::internal, "the simulator said " + run.said);
  return number;
}

double ideal(std::size_t nodes) { return sim::ideal_hops(nodes, kNeighbours); }

void add_gossip(std::size_t nodes, const SimulationsPtr& simulations, std::vector<Figure>& figures) {
  const auto add = [&](const char* name, const char* unit, const char* baseline, const char* bound, const char* key,
                       auto compared_with) {
    const auto measure = [=](std::size_t size, const Options& options) -> Result<Pair> {
      EKIDEN_ASSIGN(const Simulated run, simulations->of("broadcasts", size, options));
      EKIDEN_ASSIGN(const double value, said(run, key));
      return Pair{value, compared_with(size)};
    };
    figures.push_back(
        figure(std::string("gossip.") + name, nodes, unit, baseline, bound, measure, nodes == kSizes.back()));
  };
  add("delivered", "%", "pushing to six at random", "value >= 100", "heard_percent",
      [](std::size_t size) { return push_at_random(size, kFanOut).delivered_percent; });
  add("copies", "", "flooding", "value <= 1.1", "copies_per_delivery",
      [](std::size_t size) { return flood(size, kNeighbours).copies; });
  add("copies_and_ids", "", "flooding", "value <= 2", "copies_and_ids_per_delivery",
      [](std::size_t size) { return flood(size, kNeighbours).copies; });
  add("hops", "", "levels of the ideal tree", "ratio <= 1.5", "last_hops", ideal);
}

/// The others alone, beside the ideal.
void add_plain(std::size_t nodes, std::vector<Figure>& figures) {
  const auto add = [&](const std::string& way, auto run) {
    const auto add_one = [&](const char* name, const char* unit, const char* baseline, auto pair) {
      const auto measure = [=](std::size_t size, const Options&) -> Result<Pair> { return pair(run(size), size); };
      figures.push_back(
          figure("gossip." + way + "." + name, nodes, unit, baseline, "none", measure, /*takes_long=*/false));
    };
    add_one("delivered", "%", "all",
            [](const PlainGossip& plain, std::size_t) { return Pair{plain.delivered_percent, 100}; });
    add_one("copies", "", "one", [](const PlainGossip& plain, std::size_t) { return Pair{plain.copies, 1}; });
    add_one("hops", "", "levels of the ideal tree",
            [](const PlainGossip& plain, std::size_t size) { return Pair{plain.hops, ideal(size)}; });
  };
  add("flooding", [](std::size_t size) { return flood(size, kNeighbours); });
  add("random", [](std::size_t size) { return push_at_random(size, kFanOut); });
}

void add_partition(const SimulationsPtr& simulations, std::vector<Figure>& figures) {
  const auto add = [&](const char* name, const char* baseline, double most, auto seconds) {
    figures.push_back({.name = name,
                       .unit = "s",
                       .baseline = baseline,
                       .bound = "ratio <= 1",
                       .measure = [=](const Options& options) -> Result<Pair> {
                         EKIDEN_ASSIGN(const Simulated run, simulations->of("partition", kSplitNodes, options));
                         EKIDEN_ASSIGN(const double value, seconds(run));
                         return Pair{value, most};
                       },
                       .is_repeatable = false});
  };
  add("partition.detect", "five seconds", 5, [](const Simulated& run) { return said(run, "split_noticed_s"); });
  add("partition.heal", "ten seconds", 10, [](const Simulated& run) -> Result<double> {
    EKIDEN_ASSIGN(const double whole, said(run, "split_healed_s"));
    EKIDEN_ASSIGN(const double equal, said(run, "healed_s"));
    return std::max(whole, equal);
  });
}

}  // namespace

std::vector<Figure> simulated_agreement_figures() {
  const auto simulations = std::make_shared<Simulations>();
  std::vector<Figure> figures;
  for (const std::size_t nodes : kSizes) {
    add_gossip(nodes, simulations, figures);
    add_plain(nodes, figures);
  }
  add_partition(simulations, figures);
  return figures;
}

}  // namespace ekiden::bench
