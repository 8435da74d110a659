// The traitors of a simulation, and what must have become of their lies.
#include <algorithm>
#include <string_view>
#include <variant>

#include "sim/world.hpp"

namespace ekiden::sim {
namespace {

std::size_t count_entries(const registry::Replica& replica, const identity::PeerId& author) {
  std::size_t count = 0;
  registry::EntryId at{};
  for (const registry::Held* held = replica.after(at); held != nullptr; held = replica.after(at)) {
    at = held->id;
    count += held->author->first == author ? 1 : 0;
  }
  return count;
}

/// What logs say of a member with this vice, if it can be proven against it.
std::string_view charge_for(MemberVice vice) {
  switch (vice) {
    case MemberVice::floods:
      return "publishes more";
    case MemberVice::equivocates:
      return "has signed two entries";
    case MemberVice::exaggerates:
      return "announces items";
    case MemberVice::garbles:
      return "is not heard for ten minutes";
    default:
      return "";
  }
}

}  // namespace

void World::add_traitors() {
  const AttackModel& attack = scenario_.attack;
  std::vector<VicePlan> plans;
  for (std::uint32_t i = 0; i < attack.bad_relays_of_each_kind * kRelayVices; ++i) {
    plans.emplace_back(static_cast<RelayVice>(i % kRelayVices));
  }
  for (std::uint32_t i = 0; i < attack.bad_mailboxes_of_each_kind * kMailboxVices; ++i) {
    plans.emplace_back(static_cast<MailboxVice>(i % kMailboxVices));
  }
  for (std::uint32_t i = 0; i < attack.bad_members_of_each_kind * kMemberVices; ++i) {
    plans.emplace_back(static_cast<MemberVice>(i % kMemberVices));
  }
  plans.insert(plans.end(), attack.black_holes, RelayVice::swallows);
  const std::uint32_t closed = scenario_.faults.closed_hosts;
  const std::size_t victims = closed == 0 ? machines_.size() : std::min<std::size_t>(closed, machines_.size());
  for (std::size_t i = 0; i < plans.size(); ++i) {
    // Near the last machines, which are the closed ones where there are any: who is near an id keeps mail for it.
    const Machine& victim = *machines_[machines_.size() - 1 - i % victims];
    const crypto::Ed25519Seed seed = seed_near(victim.id(), rng_);
    traitors_.push_back(std::make_unique<Traitor>(shared_, plans[i], seed, rng_.split()));
    shared_.traitors.insert(traitors_.back()->self().id());
  }
  if (traitors_.empty()) return;
  for (const auto& machine : machines_) company_.push_back({machine->seed(), machine.get()});
  for (const auto& traitor : traitors_) company_.push_back({traitor->self().seed()});
  for (auto& traitor : traitors_) traitor->join(company_, config_of(traitor->host(), {}));
}

void World::boot_traitors() {
  bootstrap::Source source{.name = "scenario"};
  for (HostIndex seed = 0; seed < std::min<std::size_t>(scenario_.discovery.bootstrap, machines_.size()); ++seed) {
    source.seeds.push_back({.id = machines_[seed]->id(), .public_key = {}, .endpoints = {Network::endpoint_of(seed)}});
  }
  for (auto& traitor : traitors_) {
    traitor->set_sources(source);
    traitor->boot();
    if (std::holds_alternative<MemberVice>(traitor->plan())) traitor->take_part(kBroadcastTopic);
  }
}

/// How often each vice was indulged in.
std::map<std::string_view, std::uint64_t> World::count_deeds() const {
  std::map<std::string_view, std::uint64_t> deeds;
  for (const auto& traitor : traitors_) deeds[traitor->vice_name()] += traitor->vice().deeds();
  return deeds;
}

void World::check_traitors() {
  for (const auto& [vice, deeds] : count_deeds()) {
    if (deeds == 0) ledger_.breach("no traitor " + std::string(vice) + ": the scenario proves nothing");
  }
  for (const auto& traitor : traitors_) {
    if (!traitor->node().failure().empty()) ledger_.breach(traitor->node().failure());
  }
  check_swallowed();
  check_members();
}

/// What can be proven against a member is said in a log, by its name; and what it wrote has not taken more room than
/// that of one author.
void World::check_members() {
  const registry::Config bounds;
  for (const auto& traitor : traitors_) {
    const auto plan = traitor->plan();
    const auto* vice = std::get_if<MemberVice>(&plan);
    if (vice == nullptr) continue;
    const std::string_view charge = charge_for(*vice);
    const auto accused = shared_.accused.find(traitor->self().id());
    const bool is_charged = accused != shared_.accused.end() &&
                            std::ranges::any_of(accused->second, [&](auto& line) { return line.contains(charge); });
    if (!charge.empty() && !is_charged) {
      ledger_.breach("no log says that the member who " + std::string(traitor->vice_name()) + " " +
                     std::string(charge));
    }
    for (const auto& machine : machines_) {
      if (!machine->is_up()) continue;
      const std::size_t entries = count_entries(machine->node()->registry().replica(), traitor->self().id());
      if (entries > bounds.max_entries_per_author) ledger_.breach("a member has more entries than one may have");
    }
  }
}

void World::check_swallowed() {
  std::size_t all = 0;
  std::size_t late = 0;
  for (const auto& traitor : traitors_) {
    for (const Instant at : traitor->vice().swallowed()) {
      ++all;
      if (at >= Instant{} + scenario_.duration / 2) ++late;
    }
  }
  if (late * 100 <= all * scenario_.expect.swallowed_late_percent_max) return;
  ledger_.breach(std::to_string(late) + " of " + std::to_string(all) +
                 " packets that were swallowed were given away in the second half");
}

}  // namespace ekiden::sim
