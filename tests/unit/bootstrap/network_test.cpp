// Whole networks, made at random: honest nodes that list others, liars of every kind, dead nodes, cycles. Discovery
// reaches exactly the nodes that a search over the lists reaches, and no cap is ever broken.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <sstream>

#include "unit/bootstrap/world.hpp"

namespace ekiden::bootstrap {
namespace {

constexpr Byte kHosts = 48;

struct Network {
  std::map<Byte, std::vector<Byte>> honest;  ///< Who lists whom.
  std::map<Byte, Byte> misplaced;            ///< Liars who name a node where it is not.
  std::set<Byte> dead;
  std::vector<Byte> seeds;
};

/// Seven ways to lie; none tells where a node is.
Bytes lie(Rng& rng, Byte liar, Network& network) {
  const auto invention = [&] { return static_cast<Byte>(100 + rng.below(100)); };
  const auto honest = [&] { return static_cast<Byte>(1 + rng.below(kHosts)); };
  switch (rng.below(7)) {
    case 0: {  // Many nodes that are not there.
      std::set<Byte> numbers;
      while (numbers.size() < 32) numbers.insert(invention());
      return list_bytes(liar, {numbers.begin(), numbers.end()});
    }
    case 1: {  // An honest node where it is not.
      const Byte named = network.misplaced[liar] = honest();
      return signed_by(liar, list_of(liar, {entry_of(named, {"tcp://11.9.9.9:1", "tcp://11.9.8.9:1"})}));
    }
    case 2:  // Expired.
      return signed_by(liar, list_of(liar, {entry_of(honest())}, test::kWall - days(90)));
    case 3: {  // Somebody else's list.
      const Byte other = honest();
      return list_bytes(other == liar ? static_cast<Byte>(other % kHosts + 1) : other, {invention()});
    }
    case 4:  // Itself, and the one who asks.
      return list_bytes(liar, {liar, kSelf});
    case 5:  // Inside the network of the one who asks.
      return signed_by(liar, list_of(liar, {entry_of(invention(), {"tcp://192.168.0.1:80", "tcp://127.0.0.1:80"})}));
    default:
      return Bytes(rng.below(kMaxListSize + 100), static_cast<Byte>(rng.next()));
  }
}

Network make_network(World& world, Rng& rng) {
  Network network;
  for (Byte number = 1; number <= kHosts; ++number) {
    Host& host = world.host(number);
    host.round_trip = milliseconds(1 + rng.below(900));
    if (rng.chance(1, 6)) {
      network.dead.insert(number);
      host.up = false;
    }
    if (rng.chance(1, 3)) {
      host.list = lie(rng, number, network);
      continue;
    }
    std::set<Byte> listed;
    for (std::uint64_t i = rng.below(6); i > 0; --i) listed.insert(static_cast<Byte>(1 + rng.below(kHosts)));
    network.honest[number] = {listed.begin(), listed.end()};
    host.list = list_bytes(number, network.honest[number]);
  }
  for (int i = 0; i < 3; ++i) network.seeds.push_back(static_cast<Byte>(1 + rng.below(kHosts)));
  return network;
}

/// What is found within three steps. A step is that somebody names a node, rightly or not; to be reached it must be
/// named where it is.
std::set<identity::PeerId> expected_of(const Network& network) {
  std::map<Byte, int> steps;
  std::set<Byte> located(network.seeds.begin(), network.seeds.end());
  for (const Byte seed : network.seeds) steps[seed] = 0;
  const auto is_reached = [&](Byte number) { return located.contains(number) && !network.dead.contains(number); };
  bool changed = true;
  const auto name = [&](Byte teller, Byte named) {
    const int step = steps.at(teller) + 1;
    if (const auto [known, fresh] = steps.emplace(named, step); fresh || step < known->second) {
      known->second = step;
      changed = true;
    }
  };
  while (std::exchange(changed, false)) {
    for (Byte number = 1; number <= kHosts; ++number) {
      if (!is_reached(number) || steps.at(number) >= 3) continue;
      if (const auto lie = network.misplaced.find(number); lie != network.misplaced.end() && lie->second != number) {
        name(number, lie->second);
      }
      const auto lists = network.honest.find(number);
      if (lists == network.honest.end()) continue;
      for (const Byte listed : lists->second) {
        name(number, listed);
        changed = located.insert(listed).second || changed;
      }
    }
  }
  std::set<identity::PeerId> ids;
  for (const Byte number : located) {
    if (is_reached(number)) ids.insert(id_of(number));
  }
  return ids;
}

Rng rng_of(std::uint64_t seed) {
  Rng::Seed bytes{};
  put_be(bytes, seed);
  return Rng(bytes);
}

RC_GTEST_PROP(Network, ExactlyTheReachableWithinThreeStepsAreFound, (std::uint64_t seed)) {
  Rng rng = rng_of(seed);
  World world;
  const Network network = make_network(world, rng);
  world.seeds(network.seeds);
  world.run(minutes(30));
  RC_ASSERT(world.up() == expected_of(network));
  RC_ASSERT(world.most_in_flight() <= world.config().max_parallel);
}

/// The invariants, the caps among them, are checked after every input.
RC_GTEST_PROP(Network, NoCapIsBrokenHoweverTightItIs, (std::uint64_t seed)) {
  Rng rng = rng_of(seed);
  Config config;
  config.max_nodes = 2 + rng.below(20);
  config.max_per_source = 1 + rng.below(4);
  config.max_per_signer = 1 + rng.below(4);
  config.max_per_prefix = 1 + rng.below(2);
  config.max_per_depth = 1 + rng.below(8);
  config.max_endpoints = 1 + rng.below(3);
  config.max_probe_endpoints = 1 + rng.below(3);
  config.max_buried = rng.below(4);
  config.max_parallel = 1 + rng.below(3);
  config.max_depth = static_cast<std::uint32_t>(rng.below(4));
  World world(config);
  const Network network = make_network(world, rng);
  world.seeds(network.seeds);
  for (int i = 0; i < 6; ++i) {
    world.run(hours(5));
    const auto number = static_cast<Byte>(1 + rng.below(kHosts));
    world.host(number).up = !world.host(number).up;
    world.network = !rng.chance(1, 4);
    if (rng.chance(1, 3)) {
      world.engine->flush(world.out);
      world.settle();
      world.restart(static_cast<Byte>(i));
    }
  }
  RC_ASSERT(world.engine->size() <= config.max_nodes);
  RC_ASSERT(world.most_in_flight() <= config.max_parallel);
}

std::string transcript(std::uint64_t seed) {
  Rng rng = rng_of(seed);
  World world;
  const Network network = make_network(world, rng);
  world.seeds(network.seeds);
  world.run(hours(30));
  std::ostringstream out;
  for (const Probe& probe : world.probes) {
    out << static_cast<std::uint64_t>(probe.probe) << probe.node.text() << probe.want_list << '\n';
  }
  for (const Candidate& candidate : world.candidates) out << candidate.node.text() << candidate.score << '\n';
  out << world.texts();
  for (const auto& node : world.engine->status()) {
    out << node.node.text() << node.score << (node.next_probe ? node.next_probe->time_since_epoch().count() : 0)
        << '\n';
  }
  return out.str();
}

TEST(Network, TheSameInputsHaveTheSameEffects) {
  const std::string first = transcript(7);
  EXPECT_GT(first.size(), 5'000U);
  EXPECT_EQ(first, transcript(7));
  EXPECT_NE(first, transcript(8));
}

}  // namespace
}  // namespace ekiden::bootstrap
