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
              .broadcasts = broadcasts_,
              .trace = trace_,
              .hosts = hosts_,
              .check_every = scenario.check_every,
              .print_log = options.print_log,
              .processor = scenario.processor},
      at_half_(std::move(options.at_half)) {
  for (std::uint32_t i = 0; i < scenario_.nodes; ++i) {
    node::Config config = scenario_.vary_config ? vary_config(rng_) : node::Config{};
    if (config.router.max_history < scenario_.workload.messages) ledger_.expect_forgetful(i);
    machines_.push_back(std::make_unique<Machine>(shared_, config_of(i, std::move(config)), scenario_.disk,
                                                  scenario_.app, rng_.split()));
  }
  for (HostIndex host = 0; host < machines_.size(); ++host) {
    if (is_closed(host)) network_.set_closed(host);
  }
  add_traitors();
  add_liars();
  std::vector<std::string> offered;
  for (HostIndex i = 0; i < scenario_.discovery.capabilities; ++i) offered.push_back(capability_of(i));
  attack_ =
      std::make_unique<Attack>(scenario_.attack, schedule_, network_, machines_, std::move(offered), rng_.split());
}

World::~World() = default;

/// What its place in the world adds to the knobs of a node.
node::Config World::config_of(HostIndex host, node::Config config) const {
  config.router.strangers = scenario_.app.first_contact ? router::Strangers::queue : router::Strangers::accept;
  if (scenario_.attack.spammers != 0) config.router.strangers = router::Strangers::queue;
  config.advertised = {Network::endpoint_of(host)};
  if (has_discovery()) {
    config.discovery = true;
    config.advertised.push_back(Network::udp_endpoint_of(host));
    if (scenario_.discovery.max_values != 0) config.dht.max_values = scenario_.discovery.max_values;
    if (!scenario_.discovery.prefix_limits) {
      config.dht.max_prefix_in_bucket = config.dht.max_prefix_in_table = config.dht.max_lookup_prefix = 0;
    }
  }
  config.listening = config.advertised;
  config.watch_network = scenario_.split.to != Duration(0) || scenario_.expect.never_split;
  if (scenario_.network.lan) {
    // Nobody knows an address, and none is told: what is heard next door has to do.
    config.advertised.clear();
    config.lan_ports = lan::Ports{.udp = Network::kPort, .tcp = Network::kPort};
  }
  return config;
}

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

/// Each host is told the one before it and the one behind it.
void World::tell_neighbours() {
  for (HostIndex host = 0; host < machines_.size(); ++host) {
    bootstrap::Source source{.name = "scenario"};
    for (const HostIndex other : {host - 1, host + 1}) {
      if (other >= machines_.size()) continue;
      source.seeds.push_back(
          {.id = machines_[other]->id(), .public_key = {}, .endpoints = {Network::endpoint_of(other)}});
    }
    machines_[host]->set_sources(std::move(source));
  }
}

/// The first hosts are told those that come after them, in a ring; everybody else, any of them.
void World::choose_bootstrap() {
  if (scenario_.network.line) return tell_neighbours();
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
  boot_traitors();
  for (auto& machine : machines_) {
    if (scenario_.faults.drift_ppm_max != 0) {
      const auto bound = static_cast<std::int64_t>(scenario_.faults.drift_ppm_max);
      machine->set_drift(static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(2 * bound + 1))) - bound);
    }
  }
  for (HostIndex host = 0; host < machines_.size(); ++host) {
    if (scenario_.boot_over == Duration{}) {
      start(host);
    } else {
      schedule_.at(Instant{} + scenario_.boot_over * host / machines_.size(), [this, host] { start(host); });
    }
  }
  for (HostIndex host = 0; host < machines_.size(); ++host) {
    const auto wanted = std::min<std::size_t>(scenario_.workload.contacts, machines_.size() - 1);
    while (contacts_[host].size() < wanted) {
      const auto other = static_cast<HostIndex>(rng_.below(machines_.size()));
      auto& known = contacts_[host];
      if (other != host && std::find(known.begin(), known.end(), other) == known.end()) known.push_back(other);
    }
    if (machines_[host]->is_up()) introduce(host);
  }
}

void World::start(HostIndex host) {
  machines_[host]->boot();
  subscribe(host);
  if (scenario_.workload.questions != 0) machines_[host]->offer(service_of(host));
  if (scenario_.discovery.capabilities != 0) machines_[host]->offer(capability_of(host));
  introduce(host);
}

/// The host is told of its contacts, as far as they have been chosen.
void World::introduce(HostIndex host) {
  if (scenario_.workload.steady_per_second != 0) return introduce_steady(host);
  for (const HostIndex other : contacts_[host]) {
    std::vector<identity::Endpoint> endpoints;
    if (!has_discovery()) endpoints.push_back(Network::endpoint_of(other));
    machines_[host]->add_contact("host" + std::to_string(other), machines_[other]->id(), std::move(endpoints));
  }
}

std::string World::capability_of(HostIndex host) const {
  return "offer/number-" + std::to_string(host % scenario_.discovery.capabilities);
}

const Machine& World::any_contact(const Machine& of) {
  const auto& known = contacts_[of.host()];
  return *machines_[known[rng_.below(known.size())]];
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
    if (machine->is_leaving()) machine->crash(true);
    if (!machine->is_up()) machine->boot();
  }
  const Instant end = schedule_.now() + limit;
  while (ledger_.breaches().empty() && schedule_.now() < end && !owes_nothing()) {
    run_until(std::min(end, schedule_.now() + seconds(1)));
  }
}

std::optional<router::Trace> World::stuck(const Machine& machine) const {
  constexpr std::size_t kLooked = 1000;
  for (const router::Trace& found : machine.node()->outgoing(kLooked)) {
    const bool unsettled =
        found.state == router::MessageState::queued || found.state == router::MessageState::in_flight;
    if (!unsettled || found.delivery != router::DeliveryClass::durable) continue;
    // To a machine that wants none of it: that ends with its expiry.
    if (ledger_.is_blocked(hosts_.at(found.peer), machine.host())) continue;
    return machine.node()->trace(found.id);
  }
  return std::nullopt;
}

bool World::owes_nothing() {
  const std::uint64_t searches =
      searches_.under_way() + searches_of_owners_.under_way() + searches_of_gone_.under_way();
  if (!ledger_.settled(schedule_.now()) || searches != 0 || questions_.under_way() != 0) return false;
  return std::none_of(machines_.begin(), machines_.end(), [this](const auto& machine) {
    return machine->is_up() && (machine->untaken() != 0 || stuck(*machine));
  });
}

Outcome World::run() {
  if (scenario_.app.first_contact) ledger_.expect_strangers();
  boot();
  plan_workload();
  plan_steady();
  plan_searches();
  plan_questions();
  plan_broadcasts();
  plan_registry();
  plan_realm();
  plan_split();
  plan_faults();
  attack_->begin(machines_, scenario_.duration);
  const Instant end = schedule_.now() + scenario_.duration;
  run_until(end - scenario_.duration / 2);
  if (at_half_) at_half_();
  run_until(end);
  end_broadcasts();
  settle(scenario_.expect.settle_max);
  Outcome result;
  check_end(result);
  return result;
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
  result.searches_of_owners = searches_of_owners_.totals();
  result.searches_of_gone = searches_of_gone_.totals();
  result.questions = questions_;
  result.broadcasts = told_;
  result.services = services_.totals();
  if (healed_after_) {
    result.services.healed_ms =
        static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(*healed_after_).count());
  }
  result.split_noticed = split_noticed_;
  result.split_healed = split_healed_;
  result.deeds = count_deeds();
  result.letters = attack_->letters();
  result.first_worked = machines_.front()->worked();
  for (const auto& machine : machines_) {
    result.commits += machine->disk().commits();
    result.delivery_bytes += machine->delivery_bytes();
  }
  result.virtual_time = schedule_.now().time_since_epoch();
  return result;
}

}  // namespace ekiden::sim
