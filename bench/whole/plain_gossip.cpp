#include "whole/plain_gossip.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "base/rng.hpp"
#include "base/time.hpp"
#include "sim/schedule.hpp"

namespace ekiden::bench {
namespace {

using Node = std::size_t;
using Nodes = std::vector<Node>;

constexpr std::size_t kBroadcasts = 50;
constexpr Duration kShortest = milliseconds(10);
constexpr Duration kLongest = milliseconds(50);

/// `onward`: to whom a node hands what it hears for the first time, from whom.
using Onward = std::function<Nodes(Node at, Node from)>;

PlainGossip run(std::size_t nodes, const Onward& onward, Rng& rng) {
  std::size_t deliveries = 0;
  std::size_t copies = 0;
  std::size_t hops = 0;
  for (std::size_t broadcast = 0; broadcast < kBroadcasts; ++broadcast) {
    sim::Schedule schedule;
    std::vector<bool> has_it(nodes);
    std::size_t most = 0;
    const std::function<void(Node, Node, std::size_t)> hand_on = [&](Node at, Node from, std::size_t round) {
      for (const Node to : onward(at, from)) {
        schedule.after(rng.between(kShortest, kLongest), [&, to, at, round] {
          ++copies;
          if (has_it[to]) return;
          has_it[to] = true;
          ++deliveries;
          most = std::max(most, round);
          hand_on(to, at, round + 1);
        });
      }
    };
    const Node publisher = rng.below(nodes);
    has_it[publisher] = true;
    hand_on(publisher, publisher, 1);
    while (schedule.step(Instant::max())) {
    }
    hops += most;
  }
  const auto of_all = static_cast<double>(kBroadcasts * (nodes - 1));
  return {.delivered_percent = 100 * static_cast<double>(deliveries) / of_all,
          .copies = static_cast<double>(copies) / static_cast<double>(deliveries),
          .hops = static_cast<double>(hops) / static_cast<double>(kBroadcasts)};
}

Rng model_rng() { return Rng(Rng::Seed{1}); }

Nodes shuffled(std::size_t nodes, Rng& rng) {
  Nodes order(nodes);
  std::iota(order.begin(), order.end(), Node{0});
  rng.shuffle(order);
  return order;
}

}  // namespace

/// The overlay is made of rings through all nodes and a pairing of them, each in a random order: it is connected.
PlainGossip flood(std::size_t nodes, std::size_t neighbours) {
  Rng rng = model_rng();
  std::vector<Nodes> overlay(nodes);
  const auto link = [&](Node a, Node b) {
    overlay[a].push_back(b);
    overlay[b].push_back(a);
  };
  for (std::size_t ring = 0; ring < neighbours / 2; ++ring) {
    const Nodes order = shuffled(nodes, rng);
    for (std::size_t i = 0; i < nodes; ++i) link(order[i], order[(i + 1) % nodes]);
  }
  const Nodes pairs = shuffled(nodes, rng);
  for (std::size_t i = 0; i < nodes; i += 2) link(pairs[i], pairs[i + 1]);
  const auto all_but = [&](Node at, Node from) {
    Nodes others = overlay[at];
    std::erase(others, from);
    return others;
  };
  return run(nodes, all_but, rng);
}

PlainGossip push_at_random(std::size_t nodes, std::size_t fan_out) {
  Rng rng = model_rng();
  const auto some = [&](Node at, Node) {
    Nodes chosen;
    while (chosen.size() < fan_out) {
      const Node other = rng.below(nodes);
      if (other != at && std::ranges::find(chosen, other) == chosen.end()) chosen.push_back(other);
    }
    return chosen;
  };
  return run(nodes, some, rng);
}

}  // namespace ekiden::bench
