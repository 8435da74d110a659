// A split of the simulated network, and what its nodes know of it: all of them on both sides soon, who is on the other
// side while it lasts, and when it is over.
#include <algorithm>
#include <utility>

#include "sim/world.hpp"

namespace ekiden::sim {
namespace {

constexpr Duration kLook = milliseconds(100);

}  // namespace

void World::plan_split() {
  if (scenario_.split.to == Duration(0)) return;
  schedule_.after(scenario_.split.from, [this] { cut_in_two(); });
  schedule_.after(scenario_.split.to, [this] { mend(); });
}

std::size_t World::count_state(partition::State state) const {
  return static_cast<std::size_t>(std::ranges::count_if(machines_, [&](const auto& machine) {
    return machine->is_up() && machine->network().counts.last.state == state;
  }));
}

/// The first machine and the last one on different sides.
void World::cut(std::uint32_t percent) {
  std::vector<HostIndex> order;
  for (HostIndex host = 1; host + 1 < machines_.size(); ++host) order.push_back(host);
  rng_.shuffle(order);
  order.insert(order.begin(), 0);
  order.push_back(static_cast<HostIndex>(machines_.size() - 1));
  const auto left = static_cast<std::ptrdiff_t>(std::max<std::size_t>(1, order.size() * percent / 100));
  one_side_ = {order.begin(), order.begin() + left};
  for (auto here = order.begin(); here != order.begin() + left; ++here) {
    for (auto there = order.begin() + left; there != order.end(); ++there) {
      network_.set_cut(*here, *there, true);
      network_.set_cut(*there, *here, true);
    }
  }
}

void World::cut_in_two() {
  std::size_t informed = 0;
  for (const auto& machine : machines_) {
    if (!machine->is_up()) continue;
    const node::NetworkStatus network = machine->network();
    if ((network.counts.members + 1) * 20 >= machines_.size() * 19) ++informed;
    if (network.history.size() > 1) ledger_.breach("a node saw a split where there was none");
  }
  if (informed * 20 < machines_.size() * 19) {
    ledger_.breach("only " + std::to_string(informed) + " nodes know who belongs to the network: nothing is proven");
  }
  cut(scenario_.split.percent);
  schedule_.after(kLook, [this, began = schedule_.now()] { look_for_split(began); });
}

void World::look_for_split(Instant began) {
  if (count_state(partition::State::split) * 20 >= machines_.size() * 19) {
    split_noticed_ = schedule_.now() - began;
  } else if (schedule_.now() - began < scenario_.split.to - scenario_.split.from) {
    schedule_.after(kLook, [this, began] { look_for_split(began); });
  }
}

/// Each says who is there and who is not.
void World::look_at_sides() {
  std::size_t exact = 0;
  for (const auto& machine : machines_) {
    if (!machine->is_up()) continue;
    const std::size_t left = one_side_.size();
    const std::size_t others = one_side_.contains(machine->host()) ? machines_.size() - left : left;
    if (machine->network().counts.away == others) ++exact;
  }
  if (exact * 10 < machines_.size() * 9) {
    ledger_.breach("only " + std::to_string(exact) + " nodes know who is on the other side");
  }
}

void World::mend() {
  look_at_sides();
  network_.heal_all();
  schedule_.after(kLook, [this, ended = schedule_.now()] { look_for_whole(ended); });
}

void World::look_for_whole(Instant ended) {
  if (count_state(partition::State::whole) == machines_.size()) {
    split_healed_ = schedule_.now() - ended;
  } else {
    schedule_.after(kLook, [this, ended] { look_for_whole(ended); });
  }
}

void World::check_split(Outcome& outcome) const {
  if (scenario_.split.to == Duration(0)) return;
  const auto breach = [&](std::string what) { outcome.breaches.push_back(std::move(what)); };
  const auto text_of = [](Duration time) { return std::to_string(time / milliseconds(1)) + " ms"; };
  if (!split_noticed_) {
    breach("fewer than nineteen of twenty nodes noticed the split");
  } else if (*split_noticed_ > scenario_.expect.split_noticed_max) {
    breach("the split was known after " + text_of(*split_noticed_));
  }
  if (!split_healed_) {
    breach("the network is not whole again everywhere");
  } else if (*split_healed_ > scenario_.expect.split_healed_max) {
    breach("all was whole only " + text_of(*split_healed_) + " after the end of the split");
  }
  std::size_t reports = 0;
  std::size_t mergers = 0;
  for (const auto& machine : machines_) {
    if (!machine->is_up()) continue;
    const auto history = machine->network().history;
    const auto tells = [&](auto what) {
      return std::ranges::any_of(history, [&](const auto& change) { return change.healed && what(*change.healed); });
    };
    if (tells([](const partition::Healed& healed) { return healed.back > 0; })) ++reports;
    if (tells([](const partition::Healed& healed) { return healed.merged > 0; })) ++mergers;
  }
  if (scenario_.registry.entries != 0 && mergers * 20 < machines_.size() * 19) {
    breach("only " + std::to_string(mergers) + " nodes report what was merged");
  }
  if (reports * 20 < machines_.size() * 19) breach("only " + std::to_string(reports) + " nodes report who came back");
}

}  // namespace ekiden::sim
