// A split of the simulated network, and what its nodes know of it: all of them on both sides soon, who is on the other
// side while it lasts, and when it is over.
#include <algorithm>
#include <map>
#include <utility>

#include "sim/world.hpp"

namespace ekiden::sim {
namespace {

constexpr Duration kLook = milliseconds(100);

}  // namespace

void World::plan_split() {
  if (scenario_.split.to == Duration(0)) return;
  schedule_.after(scenario_.split.from, [this] { begin_split(); });
  schedule_.after(scenario_.split.to, [this] { mend(); });
}

std::size_t World::count_state(partition::State state) const {
  return static_cast<std::size_t>(std::ranges::count_if(machines_, [&](const auto& machine) {
    return machine->is_up() && machine->network().counts.last.state == state;
  }));
}

/// The first machine and the last one on different sides, at first.
void World::draw_order() {
  split_order_.clear();
  for (HostIndex host = 1; host + 1 < machines_.size(); ++host) split_order_.push_back(host);
  rng_.shuffle(split_order_);
  split_order_.insert(split_order_.begin(), 0);
  split_order_.push_back(static_cast<HostIndex>(machines_.size() - 1));
}

/// Sides are what lies between two borders in the order that was drawn; traitors are on that of whoever is last in it.
void World::divide(const std::vector<std::size_t>& borders, bool one_way) {
  network_.heal_all();
  sides_.clear();
  for (std::size_t i = 0; i < split_order_.size(); ++i) {
    const auto side = std::ranges::count_if(borders, [&](std::size_t border) { return border <= i; });
    sides_.emplace(split_order_[i], static_cast<std::size_t>(side));
  }
  for (const auto& traitor : traitors_) sides_.emplace(traitor->host(), sides_.at(split_order_.back()));
  for (const auto& [here, side] : sides_) {
    for (const auto& [there, other] : sides_) {
      if (one_way ? side < other : side != other) network_.set_cut(here, there, true);
    }
  }
}

/// The borders of two sides.
std::vector<std::size_t> World::two_sides(std::uint32_t percent) const {
  return {std::max<std::size_t>(1, machines_.size() * percent / 100)};
}

/// `number`: of the step, from 0.
void World::take_split_step(std::size_t number) {
  const SplitModel& split = scenario_.split;
  const std::size_t count = machines_.size();
  switch (split.kind) {
    case SplitKind::two:
      return divide(two_sides(split.percent));
    case SplitKind::three:
      return divide({count / 3, 2 * count / 3});
    case SplitKind::one_way:
      return divide(two_sides(split.percent), /*one_way=*/true);
    case SplitKind::flapping:
      return number % 2 == 0 ? divide(two_sides(split.percent)) : network_.heal_all();
    case SplitKind::rolling:
      std::ranges::rotate(split_order_,
                          split_order_.begin() + static_cast<std::ptrdiff_t>(number == 0 ? 0 : count / 4));
      divide({std::max<std::size_t>(1, count / 4)});
      break;
  }
}

void World::begin_split() {
  std::size_t informed = 0;
  for (const auto& machine : machines_) {
    if (!machine->is_up()) continue;
    const node::NetworkStatus network = machine->network();
    if ((network.counts.members + 1) * 20 >= machines_.size() * 19) ++informed;
    // Liars are reason for suspicion.
    const bool saw_one = traitors_.empty() ? network.history.size() > 1 : machine->splits_told() > 0;
    if (saw_one) ledger_.breach("a node saw a split where there was none");
  }
  if (informed * 20 < machines_.size() * 19) {
    ledger_.breach("only " + std::to_string(informed) + " nodes know who belongs to the network: nothing is proven");
  }
  draw_order();
  const SplitModel& split = scenario_.split;
  take_split_step(0);
  if (split.kind == SplitKind::flapping || split.kind == SplitKind::rolling) {
    std::size_t number = 1;
    for (Duration at = split.step; at < split.to - split.from; at += split.step) {
      schedule_.after(at, [this, step = number++] { take_split_step(step); });
    }
  }
  schedule_.after(kLook, [this, began = schedule_.now()] { look_for_split(began); });
}

void World::look_for_split(Instant began) {
  if (count_state(partition::State::split) * 20 >= machines_.size() * 19) {
    split_noticed_ = schedule_.now() - began;
  } else if (schedule_.now() - began < scenario_.split.to - scenario_.split.from) {
    schedule_.after(kLook, [this, began] { look_for_split(began); });
  }
}

/// Each says who is there and who is not. Where sides have just changed, it has not been long enough to know.
void World::look_at_sides() {
  if (scenario_.split.kind == SplitKind::flapping || scenario_.split.kind == SplitKind::rolling) return;
  std::size_t exact = 0;
  for (const auto& machine : machines_) {
    if (!machine->is_up()) continue;
    const std::size_t side = sides_.at(machine->host());
    const auto others = std::ranges::count_if(sides_, [&](const auto& other) { return other.second != side; });
    if (machine->network().counts.away == static_cast<std::size_t>(others)) ++exact;
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
  const auto breach = [&](std::string what) { outcome.breaches.push_back(std::move(what)); };
  if (scenario_.expect.never_split) {
    for (const auto& machine : machines_) {
      if (machine->splits_told() == 0) continue;
      breach("host " + std::to_string(machine->host()) + " saw a split " + std::to_string(machine->splits_told()) +
             " times where there was none");
    }
  }
  if (scenario_.split.to == Duration(0)) return;
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
