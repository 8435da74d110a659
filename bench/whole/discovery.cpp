// discovery.*: finding a peer's record in networks of Ekiden and of OpenDHT, in the same run and measured alike.
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "discovery/ekiden.hpp"
#include "runtime/entropy.hpp"
#include "whole/child.hpp"
#include "whole/figure.hpp"

namespace ekiden::bench {

#ifdef EKIDEN_BENCH_OPENDHT

namespace {

constexpr std::array<std::size_t, 3> kSizes = {32, 100, 300};

/// The figures of one network, in the order in which a child prints them.
struct Measured {
  std::array<double, 5> figures{};
};

Result<Measured> measure(const std::string& program, const std::vector<std::string>& words) {
  EKIDEN_ASSIGN(auto child, Child::start(program, words, -1));
  EKIDEN_ASSIGN(const auto line, child.line());
  Measured all;
  auto& f = all.figures;
  if (std::sscanf(line.c_str(), "%lf %lf %lf %lf %lf", &f[0], &f[1], &f[2], &f[3], &f[4]) != 5) {
    return fail(Errc::internal, "the helper process said " + line);
  }
  EKIDEN_TRY(child.finish());
  return all;
}

struct Both {
  Measured ours;
  Measured theirs;
};

/// A run gives five figures; each of them asks for its repetitions in turn.
class Runs {
 public:
  explicit Runs(std::size_t nodes) : nodes_(std::to_string(nodes)) {}

  Result<Both> at(std::size_t repetition, const Options& options) {
    while (runs_.size() <= repetition) {
      EKIDEN_ASSIGN(auto theirs, measure(EKIDEN_BENCH_OPENDHT, {nodes_}));
      EKIDEN_ASSIGN(auto ours, measure(options.self, {"--role", "discovery", nodes_}));
      runs_.push_back({ours, theirs});
    }
    return runs_[repetition];
  }

 private:
  std::string nodes_;
  std::vector<Both> runs_;
};

struct Kind {
  const char* name;
  const char* unit;
  const char* bound;
};

/// In the order of Measured.
constexpr std::array<Kind, 5> kKinds = {{{"rate", "1/s", "ratio >= 2"},
                                         {"p50", "ms", "ratio <= 1"},
                                         {"p99", "ms", "ratio <= 1"},
                                         {"datagrams", "", "ratio < 1"},
                                         {"memory", "KiB", "value <= 100"}}};

Figure figure(std::size_t kind, std::size_t nodes, std::shared_ptr<Runs> runs) {
  const auto measure_one = [kind, runs = std::move(runs),
                            repetition = std::size_t{0}](const Options& options) mutable -> Result<Pair> {
    EKIDEN_ASSIGN(const Both both, runs->at(repetition++, options));
    return Pair{both.ours.figures[kind], both.theirs.figures[kind]};
  };
  return {"discovery." + std::string(kKinds[kind].name) + "." + std::to_string(nodes), kKinds[kind].unit,
          "OpenDHT, neither encrypted nor authenticated", kKinds[kind].bound, measure_one};
}

}  // namespace

std::vector<Figure> discovery_figures() {
  std::vector<Figure> all;
  for (const std::size_t nodes : kSizes) {
    const auto runs = std::make_shared<Runs>(nodes);
    for (std::size_t kind = 0; kind < kKinds.size(); ++kind) all.push_back(figure(kind, nodes, runs));
  }
  return all;
}

#else

std::vector<Figure> discovery_figures() { return {}; }

#endif

int role_discovery(const std::string& nodes) {
  runtime::ensure_crypto_ready();
  return print_discovery(make_ekiden_network, std::stoul(nodes));
}

}  // namespace ekiden::bench
