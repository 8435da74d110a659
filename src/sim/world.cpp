#include "sim/world.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::sim {
namespace {

Rng seeded(std::uint64_t seed) {
  Rng::Seed bytes{};
  put_be(MutableBytes(bytes).first(8), seed);
  return Rng(bytes);
}

}  // namespace

World::World(const Scenario& scenario, RunOptions options)
    : scenario_(scenario),
      rng_(seeded(options.seed)),
      network_(schedule_, scenario.network, rng_.split()),
      shared_{.schedule = schedule_,
              .network = network_,
              .ledger = ledger_,
              .trace = trace_,
              .hosts = hosts_,
              .check_every = scenario.check_every,
              .print_log = options.print_log} {
  for (std::uint32_t i = 0; i < scenario_.nodes; ++i) {
    node::Config config = scenario_.vary_config ? vary_config(rng_) : node::Config{};
    config.advertised = {Network::endpoint_of(i)};
    if (has_discovery()) {
      config.discovery = config.private_network = true;
      config.advertised.push_back(Network::udp_endpoint_of(i));
    }
    machines_.push_back(
        std::make_unique<Machine>(shared_, std::move(config), scenario_.disk, scenario_.app, rng_.split()));
  }
  add_liars();
}

World::~World() = default;

void World::add_liars() {
  std::vector<crypto::Ed25519PublicKey> keys;
  for (std::uint32_t i = 0; i < scenario_.discovery.liars_of_each_kind * kLies; ++i) {
    liars_.push_back(std::make_unique<Liar>(schedule_, network_, static_cast<Lie>(i % kLies), rng_.split()));
    keys.push_back(liars_.back()->self().public_key());
  }
  for (const auto& liar : liars_) {
    auto others = keys;
    std::erase(others, liar->self().public_key());
    if (others.size() > bootstrap::kMaxListNodes - 2) others.resize(bootstrap::kMaxListNodes - 2);
    liar->set_accomplices(std::move(others));
  }
}

/// The first hosts are told those that come after them, in a ring; everybody else, any of them.
void World::choose_bootstrap() {
  const auto seeds = std::min<std::size_t>(scenario_.discovery.bootstrap, machines_.size());
  if (seeds == 0) return;
  const std::size_t told =
      scenario_.discovery.told == 0 ? seeds : std::min<std::size_t>(scenario_.discovery.told, seeds);
  for (HostIndex host = 0; host < machines_.size(); ++host) {
    const std::size_t first = host < seeds ? host + 1 : told == seeds ? 0 : rng_.below(seeds);
    bootstrap::Source source{.name = "scenario"};
    for (std::size_t i = 0; i < told; ++i) {
      const auto seed = static_cast<HostIndex>((first + i) % seeds);
      source.seeds.push_back(
          {.id = machines_[seed]->id(), .public_key = {}, .endpoints = {Network::endpoint_of(seed)}});
    }
    for (const auto& liar : liars_) {
      source.seeds.push_back({.id = liar->self().id(),
                              .public_key = liar->self().public_key(),
                              .endpoints = {Network::endpoint_of(liar->host())}});
    }
    machines_[host]->set_sources(std::move(source));
  }
}

void World::boot() {
  contacts_.resize(machines_.size());
  choose_bootstrap();
  lose_clocks();
  for (auto& machine : machines_) {
    if (scenario_.faults.drift_ppm_max != 0) {
      const auto bound = static_cast<std::int64_t>(scenario_.faults.drift_ppm_max);
      machine->set_drift(static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(2 * bound + 1))) - bound);
    }
    machine->boot();
    if (scenario_.discovery.capabilities != 0) machine->offer(capability_of(machine->host()));
  }
  for (HostIndex host = 0; host < machines_.size(); ++host) {
    const auto wanted = std::min<std::size_t>(scenario_.workload.contacts, machines_.size() - 1);
    while (contacts_[host].size() < wanted) {
      const auto other = static_cast<HostIndex>(rng_.below(machines_.size()));
      auto& known = contacts_[host];
      if (other == host || std::find(known.begin(), known.end(), other) != known.end()) continue;
      known.push_back(other);
      std::vector<identity::Endpoint> endpoints;
      if (!has_discovery()) endpoints.push_back(Network::endpoint_of(other));
      machines_[host]->add_contact("host" + std::to_string(other), machines_[other]->id(), std::move(endpoints));
    }
  }
}

const Machine& World::any_contact(const Machine& of) {
  const auto& known = contacts_[of.host()];
  return *machines_[known[rng_.below(known.size())]];
}

void World::lose_clocks() {
  constexpr Duration kYear = hours(24 * 365);
  const std::size_t count = std::min<std::size_t>(scenario_.faults.lost_clocks, machines_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const Duration by = rng_.between(kYear, 10 * kYear);
    machines_[i]->step_wall(rng_.chance(1, 2) ? by : -by);
    schedule_.after(scenario_.duration / 2,
                    [machine = machines_[i].get()] { machine->step_wall(-machine->wall_error()); });
  }
}

void World::plan_workload() {
  const WorkloadModel& work = scenario_.workload;
  for (std::uint64_t i = 0; i < work.messages; ++i) {
    schedule_.after(rng_.between(Duration(0), scenario_.duration), [this, &work] {
      Machine& from = any_machine();
      const Machine& to = any_contact(from);
      const bool durable = rng_.below(100) < work.durable_percent;
      const auto priority = static_cast<wire::Priority>(rng_.below(wire::kPriorities));
      const std::size_t size = work.body_min + rng_.below(work.body_max - work.body_min + 1);
      from.send(to, durable ? router::DeliveryClass::durable : router::DeliveryClass::volatile_, priority, size,
                work.ttl);
    });
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

void World::plan_searches() {
  const Duration half = scenario_.duration / 2;
  for (std::uint32_t i = 0; i < scenario_.discovery.searches; ++i) {
    schedule_.after(half + rng_.between(Duration(0), half), [this] { search_peer(); });
    if (scenario_.discovery.capabilities == 0) continue;
    schedule_.after(half + rng_.between(Duration(0), half), [this] { search_capability(); });
  }
}

void World::search_peer() {
  Machine& seeker = any_machine();
  const Machine& sought = any_machine();
  if (&seeker == &sought || !seeker.is_up() || !sought.is_up()) return;
  searches_.begin();
  seeker.find(sought.id(), [this](const node::PeerFound& found, Duration took) {
    searches_.end(found.record.has_value(), took, found.trail.asked);
  });
}

/// Found means: somebody who offers it.
void World::search_capability() {
  Machine& seeker = any_machine();
  const Machine& sought = any_machine();
  if (&seeker == &sought || !seeker.is_up() || !sought.is_up()) return;
  const std::string capability = capability_of(sought.host());
  searches_.begin();
  seeker.find(capability, 1, [this, capability](const node::CapabilityFound& found, Duration took) {
    for (const auto& owner : found.owners ? *found.owners : std::vector<identity::SignedAnnouncement>{}) {
      const HostIndex host = hosts_.at(owner.announcement.owner());
      if (capability_of(host) != capability) ledger_.breach("a search found who does not offer " + capability);
    }
    searches_.end(found.owners.has_value(), took, found.trail.asked);
  });
}

std::string World::capability_of(HostIndex host) const {
  return "offer/number-" + std::to_string(host % scenario_.discovery.capabilities);
}

void World::check_searches(Outcome& outcome) const {
  const Searches::Totals& totals = outcome.searches;
  if (totals.found_ppm() < scenario_.expect.found_ppm_min) {
    outcome.breaches.push_back(std::to_string(totals.found) + " of " + std::to_string(totals.begun) +
                               " searches found the record that there is");
  }
  if (totals.median > scenario_.expect.search_median_max) {
    outcome.breaches.push_back("the median of the searches took longer than its bound");
  }
}

void World::check_reached() {
  for (const auto& machine : machines_) {
    if (machine->node() == nullptr) continue;
    const auto nodes = machine->node()->bootstrap_status();
    const auto up = std::ranges::count_if(nodes, [this](const bootstrap::NodeStatus& node) {
      return node.up && hosts_.contains(node.node);  // A liar that answers is no help.
    });
    if (std::cmp_greater_equal(up, scenario_.expect.reached_min)) continue;
    ledger_.breach("host " + std::to_string(machine->host()) + " has reached only " + std::to_string(up) + " of " +
                   std::to_string(nodes.size()) + " nodes that it discovered");
  }
}

void World::check_liars() {
  const std::uint64_t lost = network_.dials_lost() / machines_.size();
  if (lost > scenario_.expect.lost_dials_max) {
    ledger_.breach(std::to_string(lost) + " dials of each node led nowhere");
  }
  for (const auto& liar : liars_) {
    if (liar->told() == 0) ledger_.breach("a liar was never asked for its list: the scenario proves nothing");
  }
}

void World::plan_faults() {
  const FaultModel& faults = scenario_.faults;
  const auto moment = [this] { return schedule_.now() + rng_.between(Duration(0), scenario_.duration); };
  for (std::uint32_t i = 0; i < faults.crashes; ++i) plan_crash(moment());
  for (std::uint32_t i = 0; i < faults.cuts; ++i) plan_cut(moment(), true);
  for (std::uint32_t i = 0; i < faults.one_way_cuts; ++i) plan_cut(moment(), false);
  for (std::uint32_t i = 0; i < faults.wall_steps; ++i) {
    schedule_.at(moment(), [this, &faults] {
      if (!peace_) any_machine().step_wall(rng_.between(-faults.wall_step_max, faults.wall_step_max));
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

void World::run_until(Instant when) {
  while (ledger_.breaches().empty() && schedule_.step(when)) {
  }
  if (ledger_.breaches().empty()) schedule_.advance_to(when);
}

void World::settle(Duration limit) {
  peace_ = true;
  network_.heal_all();
  network_.calm();
  for (auto& machine : machines_) {
    machine->disk().set_extra_latency(Duration(0));
    machine->stall_disk(false);
    machine->step_wall(-machine->wall_error());
    machine->set_drift(0);
    if (!machine->is_up()) machine->boot();
  }
  const Instant end = schedule_.now() + limit;
  while (ledger_.breaches().empty() && schedule_.now() < end && !owes_nothing()) {
    run_until(std::min(end, schedule_.now() + seconds(1)));
  }
}

Outcome World::run() {
  boot();
  plan_workload();
  plan_searches();
  plan_faults();
  run_until(schedule_.now() + scenario_.duration);
  settle(scenario_.expect.settle_max);
  if (ledger_.breaches().empty()) {
    ledger_.check_end(schedule_.now());
    check_left_over();
  }
  check_reached();
  check_liars();
  check_failures();
  Outcome result = outcome();
  check_searches(result);
  if (result.totals.latency_p99 > scenario_.expect.latency_p99_max) {
    result.breaches.push_back("the 99th percentile of the latency is over its bound");
  }
  const std::uint64_t per_message = result.wire_bytes / std::max<std::uint64_t>(1, result.totals.arrived);
  if (scenario_.expect.bytes_per_message_max != 0 && per_message > scenario_.expect.bytes_per_message_max) {
    result.breaches.push_back(std::to_string(per_message) + " bytes on the wire for each message");
  }
  return result;
}

std::optional<router::Trace> World::stuck(const Machine& machine) {
  constexpr std::size_t kLooked = 1000;
  for (const router::Trace& found : machine.node()->outgoing(kLooked)) {
    const bool unsettled =
        found.state == router::MessageState::queued || found.state == router::MessageState::in_flight;
    if (unsettled && found.delivery == router::DeliveryClass::durable) return machine.node()->trace(found.id);
  }
  return std::nullopt;
}

bool World::owes_nothing() {
  if (!ledger_.settled(schedule_.now()) || searches_.under_way() != 0) return false;
  return std::none_of(machines_.begin(), machines_.end(), [](const auto& machine) {
    return machine->is_up() && (machine->node()->status().router.inbox_messages != 0 || stuck(*machine));
  });
}

/// A durable message that is not settled by now; its trace says where to look.
void World::check_outbox(const Machine& machine) {
  const auto trace = stuck(machine);
  if (!trace) return;
  ledger_.breach("host " + std::to_string(machine.host()) + " still has " + trace->id.text() + " to host " +
                 std::to_string(hosts_.at(trace->peer)) + " in its outbox at the end");
  for (const router::TraceStep& step : trace->steps) {
    ledger_.breach("  " + std::to_string(to_unix_ms(step.at)) + " " + step.what);
  }
}

void World::check_left_over() {
  // Receipts settle the senders' rows; takes settle the recipients' but for what later messages will confirm.
  for (const auto& machine : machines_) {
    if (machine->node() == nullptr) continue;
    const std::size_t untaken = machine->node()->status().router.inbox_messages;
    if (untaken != 0) {
      ledger_.breach("host " + std::to_string(machine->host()) + " still has " + std::to_string(untaken) +
                     " messages in its inbox at the end");
    }
    if (scenario_.workload.ttl > scenario_.duration + scenario_.expect.settle_max) check_outbox(*machine);
    machine->node()->check_invariants();
  }
}

void World::check_failures() {
  for (const auto& machine : machines_) {
    if (!machine->failure().empty()) ledger_.breach(machine->failure());
  }
}

Outcome World::outcome() {
  Outcome result;
  result.breaches = ledger_.breaches();
  result.trace_hash = trace_.value();
  result.totals = ledger_.totals(schedule_.now());
  result.inputs = shared_.inputs;
  result.wire_bytes = network_.bytes_sent();
  result.segments = network_.segments_sent();
  result.segments_lost = network_.segments_lost();
  result.crashes = crashes_;
  result.datagrams = network_.datagrams_sent();
  result.searches = searches_.totals();
  for (const auto& machine : machines_) result.commits += machine->disk().commits();
  result.virtual_time = schedule_.now().time_since_epoch();
  return result;
}

}  // namespace ekiden::sim
