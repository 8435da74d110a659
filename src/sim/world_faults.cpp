// The faults of a simulation: planned before it runs, each at a random moment.
#include <algorithm>
#include <utility>

#include "sim/world.hpp"

namespace ekiden::sim {
namespace {

/// Half of all stays last for so many steps of this chance to end.
constexpr int kChurnSteps = 30;
constexpr std::uint64_t kChurnPerMillion = 22'840;

}  // namespace

void World::lose_clocks() {
  const std::size_t count = std::min<std::size_t>(scenario_.faults.lost_clocks, machines_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const Duration by = rng_.between(scenario_.faults.lost_clock_min, scenario_.faults.lost_clock_max);
    Machine& machine = *machines_[i * machines_.size() / count];
    machine.step_wall(rng_.chance(1, 2) ? by : -by);
    schedule_.after(scenario_.duration / 4 * 3, [&machine] { machine.step_wall(-machine.wall_error()); });
  }
}

void World::plan_crash(Instant at) {
  schedule_.at(at, [this] {
    Machine& victim = any_machine();
    if (peace_ || !victim.is_up()) return;
    ++crashes_;
    victim.crash(rng_.chance(1, 2));
    schedule_.after(rng_.between(milliseconds(10), scenario_.faults.crash_max), [&victim] {
      if (!victim.is_up()) victim.boot();
    });
  });
}

void World::plan_cut(Instant at, bool both_ways) {
  schedule_.at(at, [this, both_ways] {
    const HostIndex a = any_machine().host();
    const HostIndex b = any_contact(*machines_[a]).host();
    if (peace_) return;
    network_.set_cut(a, b, true);
    if (both_ways) network_.set_cut(b, a, true);
    schedule_.after(rng_.between(milliseconds(100), scenario_.faults.cut_max), [this, a, b, both_ways] {
      network_.set_cut(a, b, false);
      if (both_ways) network_.set_cut(b, a, false);
    });
  });
}

/// The power goes, in a part of the world at once, and does not come back before the end.
void World::plan_vanishing() {
  if (scenario_.faults.bootstrap_lost) {
    schedule_.after(scenario_.duration / 4, [this] {
      for (std::size_t host = 0; host < scenario_.discovery.bootstrap; ++host, ++crashes_)
        machines_[host]->crash(false);
    });
  }
  if (scenario_.faults.vanish_percent == 0) return;
  schedule_.after(scenario_.duration / 4, [this] {
    std::vector<Machine*> order;
    for (auto& machine : machines_) order.push_back(machine.get());
    rng_.shuffle(order);
    order.resize(order.size() * scenario_.faults.vanish_percent / 100);
    for (Machine* machine : order) machine->crash(false);
    crashes_ += order.size();
  });
}

void World::churn(Machine& machine) {
  schedule_.after(scenario_.faults.churn_session / kChurnSteps, [this, &machine] {
    if (peace_) return;
    if (machine.is_up() && rng_.chance(kChurnPerMillion, 1'000'000)) return end_stay(machine);
    churn(machine);
  });
}

void World::end_stay(Machine& machine) {
  if (rng_.chance(1, 2)) {
    machine.leave();
  } else {
    machine.crash(rng_.chance(1, 2));
    ++crashes_;
  }
  schedule_.after(rng_.between(seconds(10), scenario_.faults.churn_session * 2 / 3), [this, &machine] {
    if (peace_) return;
    if (!machine.is_up()) machine.boot();
    churn(machine);
  });
}

void World::come_and_go(Machine& machine, Duration stay) {
  schedule_.after(stay, [this, &machine] {
    if (peace_) return;
    const FaultModel& faults = scenario_.faults;
    if (machine.is_up() && rng_.chance(1, 2)) {
      machine.leave();
    } else if (machine.is_up()) {
      machine.crash(rng_.chance(1, 2));
      ++crashes_;
    }
    const Duration away = faults.stay * faults.away_percent / (100 - faults.away_percent);
    schedule_.after(rng_.between(away / 2, away * 3 / 2), [this, &machine, &faults] {
      if (peace_) return;
      if (!machine.is_up()) machine.boot();
      come_and_go(machine, rng_.between(faults.stay / 2, faults.stay * 3 / 2));
    });
  });
}

void World::plan_faults() {
  const FaultModel& faults = scenario_.faults;
  plan_vanishing();
  // Those that others join through stay.
  for (std::size_t host = scenario_.discovery.bootstrap; host < machines_.size() && faults.churn_session != Duration(0);
       ++host) {
    churn(*machines_[host]);
  }
  for (std::size_t host = scenario_.discovery.bootstrap; host < machines_.size() && faults.away_percent != 0; ++host) {
    come_and_go(*machines_[host], seconds(30) + rng_.between(faults.stay / 2, faults.stay * 3 / 2));
  }
  const auto moment = [this] { return schedule_.now() + rng_.between(Duration(0), scenario_.duration); };
  for (std::uint32_t i = 0; i < faults.crashes; ++i) plan_crash(moment());
  for (std::uint32_t i = 0; i < faults.cuts; ++i) plan_cut(moment(), true);
  for (std::uint32_t i = 0; i < faults.one_way_cuts; ++i) plan_cut(moment(), false);
  for (std::uint32_t i = 0; i < faults.wall_steps; ++i) {
    schedule_.at(moment(), [this, &faults] {
      if (!peace_) any_machine().step_wall(rng_.between(-faults.wall_step_max, faults.wall_step_max));
    });
  }
  for (std::uint32_t i = 0; i < faults.stalls; ++i) {
    schedule_.at(moment(), [this, &faults] {
      if (!peace_) any_machine().stall(faults.stall);
    });
  }
  for (std::uint32_t i = 0; i < faults.slow_disks; ++i) {
    schedule_.at(moment(), [this, &faults] {
      Machine& victim = any_machine();
      victim.disk().set_extra_latency(rng_.between(milliseconds(1), seconds(1)));
      schedule_.after(rng_.between(milliseconds(1), faults.disk_trouble_max),
                      [&victim] { victim.disk().set_extra_latency(Duration(0)); });
    });
  }
  for (std::uint32_t i = 0; i < faults.full_disks; ++i) {
    schedule_.at(moment(), [this, &faults] {
      Machine& victim = any_machine();
      if (peace_) return;
      victim.stall_disk(true);
      schedule_.after(rng_.between(milliseconds(1), faults.disk_trouble_max), [&victim] { victim.stall_disk(false); });
    });
  }
}

}  // namespace ekiden::sim
