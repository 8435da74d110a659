// The course of one measurement, the same for both sides: join one after the other, publish, rest, look up.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "base/rng.hpp"
#include "discovery/network.hpp"
#include "whole/child.hpp"

namespace ekiden::bench {
namespace {

/// Nodes that ask. All could, but then each of n² / 2 pairs makes a handshake first.
constexpr std::size_t kAskers = 48;
constexpr std::size_t kWarmUp = 1000;
constexpr std::size_t kOneByOne = 6000;
constexpr std::size_t kAtOnce = 2000;
constexpr std::size_t kOutstanding = 64;
constexpr double kPatience = 60;
/// What follows joining is over: ours refresh buckets ten seconds after it, one a second.
constexpr double kRest = 20;

/// Errors: timed_out.
Status turn_until(Network& network, const char* otherwise, const std::function<bool()>& is_so) {
  const double begin = seconds_now();
  while (!is_so()) {
    if (seconds_now() - begin > kPatience) return fail(Errc::timed_out, otherwise);
    network.turn();
  }
  return {};
}

Status raise_network(Network& network, std::size_t nodes) {
  for (std::size_t i = 0; i < nodes; ++i) {
    EKIDEN_TRY(network.add_node());
    EKIDEN_TRY(turn_until(network, "a node does not join", [&] { return network.has_joined(); }));
  }
  for (std::size_t i = 0; i < nodes; ++i) {
    EKIDEN_TRY(network.publish(i));
    EKIDEN_TRY(turn_until(network, "a node does not publish", [&] { return network.has_published(); }));
  }
  return {};
}

void rest(Network& network) {
  const double begin = seconds_now();
  while (seconds_now() - begin < kRest) network.turn();
}

struct Load {
  double seconds = 0;
  double datagrams = 0;          ///< For each lookup.
  std::vector<double> times_ms;  ///< Until the first value; sorted.
};

/// `count` lookups by random askers for the values of random nodes, so many at once.
Result<Load> look_up(Network& network, std::size_t nodes, std::size_t count, std::size_t outstanding, Rng& rng) {
  Load load;
  std::size_t begun = 0;
  std::size_t done = 0;
  const auto begin_one = [&] {
    ++begun;
    const std::size_t from = rng.below(std::min(kAskers, nodes));
    const std::size_t of = (from + 1 + rng.below(nodes - 1)) % nodes;
    const double since = seconds_now();
    network.look_up(from, of,
                    {.found = [&load, since] { load.times_ms.push_back((seconds_now() - since) * 1e3); },
                     .done = [&done] { ++done; }});
  };
  const std::uint64_t datagrams = network.datagrams();
  const double since = seconds_now();
  while (done < count) {
    if (seconds_now() - since > kPatience) return fail(Errc::timed_out, "lookups do not end");
    while (begun < count && begun - done < outstanding) begin_one();
    network.turn();
  }
  load.seconds = seconds_now() - since;
  load.datagrams = static_cast<double>(network.datagrams() - datagrams) / static_cast<double>(count);
  if (load.times_ms.size() < count) {
    return fail(Errc::not_found, std::to_string(count - load.times_ms.size()) + " lookups found nothing");
  }
  std::ranges::sort(load.times_ms);
  return load;
}

double percentile(const std::vector<double>& sorted, std::size_t percent) {
  return sorted[(sorted.size() - 1) * percent / 100];
}

/// A socket for each node, and what the program itself has open.
void allow_descriptors(std::size_t nodes) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, std::max<rlim_t>(limit.rlim_cur, nodes + 64));
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Result<Discovery> measure_discovery(const MakeNetwork& make, std::size_t nodes) {
  allow_descriptors(nodes);
  // What a program pays once, however many nodes it has, is no node's memory: libraries and their tables.
  auto first = make();
  EKIDEN_TRY(raise_network(*first, 2));
  first.reset();
  const long before = resident_kib(getpid());
  const auto network = make();
  EKIDEN_TRY(raise_network(*network, nodes));
  rest(*network);
  const double memory = static_cast<double>(resident_kib(getpid()) - before) / static_cast<double>(nodes);

  network->acquaint(kAskers);
  EKIDEN_TRY(turn_until(*network, "nodes do not answer", [&] { return network->is_acquainted(); }));
  Rng rng(Rng::Seed{7});
  EKIDEN_TRY(look_up(*network, nodes, kWarmUp, kOutstanding, rng));
  EKIDEN_ASSIGN(const Load one, look_up(*network, nodes, kOneByOne, 1, rng));
  EKIDEN_ASSIGN(const Load many, look_up(*network, nodes, kAtOnce, kOutstanding, rng));
  return Discovery{.rate = static_cast<double>(kAtOnce) / many.seconds,
                   .p50_ms = percentile(one.times_ms, 50),
                   .p99_ms = percentile(one.times_ms, 99),
                   .datagrams = one.datagrams,
                   .memory_kib = memory};
}

int print_discovery(const MakeNetwork& make, std::size_t nodes) {
  const auto measured = measure_discovery(make, nodes);
  if (!measured) {
    std::fprintf(stderr, "%s\n", measured.error().message.c_str());
    return 1;
  }
  std::printf("%.6g %.6g %.6g %.6g %.6g\n", measured->rate, measured->p50_ms, measured->p99_ms, measured->datagrams,
              measured->memory_kib);
  return 0;
}

}  // namespace ekiden::bench
