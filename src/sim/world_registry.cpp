// The registry in a simulation: puts and removals everywhere, a network that is cut in two meanwhile and healed, and
// what all replicas say in the end.
#include <algorithm>
#include <set>
#include <utility>

#include "sim/world.hpp"

namespace ekiden::sim {
namespace {

constexpr Duration kLookAtReplicas = milliseconds(100);
constexpr Duration kBackAfter = seconds(3);
const std::string kContested = "leader";

registry::Draft service(const std::string& name, Rng& rng) {
  registry::Draft draft;
  draft.name = name;
  draft.capability = "work/" + std::to_string(rng.below(8));
  draft.metadata = {{.key = "size", .value = std::to_string(rng.below(4))}};
  draft.value = to_bytes(rng.bytes<24>());
  draft.renew = true;
  return draft;
}

}  // namespace

/// As many puts before the split as during it, a fourth as many removals during it, evenly; at its begin two sides
/// write one shared name.
void World::plan_registry() {
  const RegistryModel& model = scenario_.registry;
  if (model.entries == 0) return;
  const auto each = [&](Duration from, Duration to, std::uint32_t count, auto act) {
    for (std::uint32_t i = 0; i < count; ++i) schedule_.after(from + (to - from) * i / count, act);
  };
  each(model.put_from, model.split_from, model.entries, [this] { put_service(); });
  each(model.split_from, model.split_to, model.entries, [this] { put_service(); });
  each(model.split_from, model.split_to, model.entries / 4, [this] { remove_service(); });
  each(model.split_from, model.split_to - kBackAfter - seconds(2), model.restarts, [this] { restart_any(); });
  schedule_.after(model.put_from, [this] { share_name(); });
  schedule_.after(model.split_from, [this] { split(); });
  schedule_.after(model.split_to, [this] { heal(); });
}

void World::put_service() {
  Machine& machine = any_machine();
  if (!machine.is_up()) return;
  const std::string name = services_.add(machine.host());
  machine.put_entry(service(name, rng_), [this, name](bool done) {
    if (done) services_.acknowledged(name);
  });
}

void World::remove_service() {
  const std::string name = services_.take_any(rng_);
  if (name.empty()) return;
  machines_[services_.owner_of(name)]->remove_entry(name, [this, name](bool done) {
    if (done) services_.removed(name);
  });
}

/// The power goes; what was acknowledged is on the disk. Not of those who write the shared name.
void World::restart_any() {
  if (machines_.size() < 3) return;
  Machine& machine = *machines_[1 + rng_.below(machines_.size() - 2)];
  if (!machine.is_up()) return;
  ++crashes_;
  machine.crash(false);
  schedule_.after(kBackAfter, [&machine] {
    if (!machine.is_up()) machine.boot();
  });
}

/// The first machine's name, which the last one may write, too. And everybody has something to share.
void World::share_name() {
  write_contested(0);
  for (auto& machine : machines_) {
    const std::string name = services_.add(machine->host());
    machine->put_entry(service(name, rng_), [this, name](bool done) {
      if (done) services_.acknowledged(name);
    });
  }
}

void World::write_contested(HostIndex by) {
  registry::Draft draft;
  draft.name = kContested;
  draft.shape = registry::Shape::shared;
  draft.value = {static_cast<Byte>(by)};
  draft.renew = true;
  if (by == 0) {
    draft.writers = {machines_.back()->id()};
  } else {
    draft.owner = machines_.front()->id();
  }
  machines_[by]->put_entry(std::move(draft), [](bool) {});
}

void World::split() {
  if (scenario_.split.to == Duration(0)) {
    draw_order();
    divide(two_sides(scenario_.registry.split_percent));
  }
  // On both sides at once: neither has seen what the other writes.
  schedule_.after(seconds(1), [this] {
    write_contested(0);
    write_contested(static_cast<HostIndex>(machines_.size() - 1));
  });
}

void World::heal() {
  const bool were_equal = are_replicas_equal();
  if (were_equal) ledger_.breach("the replicas did not differ at the end of the split: the scenario proves nothing");
  network_.heal_all();
  look_at_replicas(schedule_.now());
}

/// But for what is of members who write too much: replicas take of it what they have room for.
registry::Digest World::digest_of(const registry::Replica& replica) const {
  std::set<identity::PeerId> excepted;
  for (const auto& traitor : traitors_) {
    if (traitor->plan() == VicePlan(MemberVice::floods)) excepted.insert(traitor->self().id());
  }
  if (excepted.empty()) return replica.trie().digest({});
  Bytes all;
  registry::EntryId at{};
  for (const registry::Held* held = replica.after(at); held != nullptr; held = replica.after(at)) {
    at = held->id;
    if (!excepted.contains(held->author->first)) append(all, held->version().digest);
  }
  return registry::digest_of(all);
}

bool World::are_replicas_equal() const {
  std::optional<registry::Digest> first;
  for (const auto& machine : machines_) {
    if (!machine->is_up()) continue;
    const registry::Digest digest = digest_of(machine->node()->registry().replica());
    if (first && digest != *first) return false;
    first = digest;
  }
  return true;
}

void World::look_at_replicas(Instant healed) {
  const Duration since = schedule_.now() - healed;
  if (are_replicas_equal()) {
    healed_after_ = since;
    return;
  }
  if (since > scenario_.duration) return;
  schedule_.after(kLookAtReplicas, [this, healed] { look_at_replicas(healed); });
}

void World::check_registry(Outcome& outcome) const {
  if (scenario_.registry.entries == 0) return;
  const auto breach = [&](std::string what) { outcome.breaches.push_back(std::move(what)); };
  const Duration most = scenario_.expect.registry_equal_max;
  if (!healed_after_ || *healed_after_ > most) {
    breach("the replicas of the registry were not equal within " +
           std::to_string(std::chrono::duration_cast<seconds>(most).count()) + " s of the end of the split");
  }
  if (outcome.services.put < scenario_.registry.entries || outcome.services.removed == 0) {
    breach("only " + std::to_string(outcome.services.put) + " entries were acknowledged, and " +
           std::to_string(outcome.services.removed) + " removals: the scenario proves nothing");
  }
  std::vector<identity::PeerId> ids;
  for (const auto& machine : machines_) ids.push_back(machine->id());
  for (const auto& machine : machines_) {
    if (!machine->is_up()) continue;
    const registry::Registry& replica = machine->node()->registry();
    const std::string fault = services_.fault_of(replica, machine->time(), ids);
    if (!fault.empty()) breach("host " + std::to_string(machine->host()) + ": " + fault);
    for (const identity::PeerId& id : ids) {
      if (id == machine->id() || machine->node()->peer_record(id)) continue;
      breach("host " + std::to_string(machine->host()) + " has no record of a member that has entries");
      break;
    }
    const auto contested = replica.get(machine->time(), ids.front(), kContested);
    if (!contested || contested->values.size() != 2) {
      breach("host " + std::to_string(machine->host()) + " does not show both values of a shared name");
    }
  }
}

}  // namespace ekiden::sim
