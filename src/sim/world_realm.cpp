// A closed realm in a simulation: members share entries and items, and nobody else has any; those who do not get the
// other key have none of what comes later.
#include <algorithm>
#include <utility>

#include "sim/world.hpp"

namespace ekiden::sim {
namespace {

const std::string kRealmName = "kitchen";
const std::string kOpenName = "hall";
const std::string kOfTheHall = "of-the-hall";
const std::string kRealmTopic = "news";

constexpr Duration kMemberBackAfter = seconds(3);
constexpr std::uint32_t kRestartEvery = 9;  ///< entries

node::EnterRealm by_invitation(const realm::Realm& realm) {
  return {.request = {}, .name = realm.name, .how = node::EnterRealm::How::invited, .invitation = realm};
}

std::size_t count_name(const registry::Registry& registry, const std::string& name) {
  std::size_t count = 0;
  registry::EntryId at{};
  for (const registry::Held* held = registry.replica().after(at); held != nullptr;
       held = registry.replica().after(at)) {
    at = held->id;
    count += held->entry().name == name ? 1 : 0;
  }
  return count;
}

}  // namespace

void World::plan_realm() {
  const RealmModel& model = scenario_.realm;
  if (model.members == 0) return;
  schedule_.after(model.enter_at, [this] { enter_realm(); });
  schedule_.after(model.change_at, [this] { change_realm_key(); });
  // The time after the change is as long as that before it, but for a while in which the members find each other anew.
  const Duration time = model.change_at - model.put_from;
  for (std::uint32_t i = 0; i < model.entries; ++i) {
    const Duration at = time * i / model.entries;
    schedule_.after(model.put_from + at, [this, i] { use_realm(i); });
    schedule_.after(model.change_at + (model.put_from - model.enter_at) + at,
                    [this, i] { use_realm(scenario_.realm.entries + i); });
  }
}

void World::enter_realm() {
  std::vector<HostIndex> order;
  for (HostIndex host = 0; host < machines_.size(); ++host) order.push_back(host);
  rng_.shuffle(order);
  const RealmModel& model = scenario_.realm;
  const auto removed = order.begin() + model.removed;
  const auto members = order.begin() + model.members;
  realm_.removed = {order.begin(), removed};
  realm_.members = {removed, members};
  realm_.intruders = {members, members + model.members};
  // One makes it, and invites the others; intruders know all of the invitation but the key.
  Machine& maker = *machines_[realm_.members.front()];
  maker.enter_realm({.request = {}, .name = kRealmName, .how = node::EnterRealm::How::create_closed});
  const realm::Realm made = maker.node()->realms().front().realm;
  realm::Realm guessed = made;
  guessed.key = realm::RealmKey::draw(rng_);
  const auto enter = [&](const std::vector<HostIndex>& hosts, const realm::Realm& realm) {
    for (const HostIndex host : hosts) {
      machines_[host]->enter_realm(by_invitation(realm));
      machines_[host]->listen_in_realm(kRealmName, kRealmTopic);
    }
  };
  enter(realm_.removed, made);
  enter(realm_.members, made);
  enter(realm_.intruders, guessed);
  // What they say in another realm of theirs, with which they share a few members, stays there.
  realm_.in_hall = {realm_.members.back(), realm_.removed.back(), realm_.intruders.back()};
  for (const HostIndex host : realm_.in_hall) {
    machines_[host]->enter_realm({.request = {}, .name = kOpenName, .how = node::EnterRealm::How::open});
    registry::Draft draft;
    draft.name = kOfTheHall;
    machines_[host]->put_entry(std::move(draft), [](bool) {}, kOpenName);
  }
}

void World::change_realm_key() {
  realm_.is_changed = true;
  Machine& maker = *machines_[realm_.members.front()];
  maker.enter_realm({.request = {}, .name = kRealmName, .how = node::EnterRealm::How::change_key});
  for (const node::RealmStatus& status : maker.node()->realms()) {
    if (status.realm.name != kRealmName) continue;
    for (const HostIndex host : realm_.members) machines_[host]->enter_realm(by_invitation(status.realm));
  }
}

/// The power of a member goes, but of the one who speaks now, or who changes the key.
void World::restart_member(HostIndex but) {
  const HostIndex host = realm_.members[1 + rng_.below(realm_.members.size() - 1)];
  if (host == but || !machines_[host]->is_up()) return;
  ++crashes_;
  machines_[host]->crash(false);
  schedule_.after(kMemberBackAfter, [this, host] {
    if (!machines_[host]->is_up()) machines_[host]->boot();
  });
}

/// Those who were removed go on, and intruders speak as well: nobody who stays may hear them.
void World::use_realm(std::uint32_t number) {
  std::vector<HostIndex> speakers = realm_.members;
  speakers.insert(speakers.end(), realm_.removed.begin(), realm_.removed.end());
  speakers.insert(speakers.end(), realm_.intruders.begin(), realm_.intruders.begin() + 2);
  const HostIndex host = speakers[rng_.below(speakers.size())];
  if (!machines_[host]->is_up()) return;
  if (number % kRestartEvery == kRestartEvery - 1) restart_member(host);
  const std::string name = "entry/" + std::to_string(number);
  const std::size_t place = realm_.entries.size();
  realm_.entries.push_back({.owner = host, .name = name, .is_late = realm_.is_changed});
  registry::Draft draft;
  draft.name = name;
  draft.value = to_bytes(rng_.bytes<24>());
  machines_[host]->put_entry(
      std::move(draft), [this, place](bool done) { realm_.entries[place].is_acknowledged = done; }, kRealmName);
  realm_.items.push_back({.publisher = host, .text = name, .is_late = realm_.is_changed});
  machines_[host]->publish_in_realm(kRealmName, kRealmTopic, name);
}

/// What is owed: to who stays, all that was said before by anybody, and later by who stays; to the removed, what was
/// said before, and they may hear each other later. Nothing else may be there.
void World::check_realm(Outcome& outcome) const {
  if (scenario_.realm.members == 0) return;
  const auto breach = [&](std::string what) { outcome.breaches.push_back(std::move(what)); };
  const auto is_of = [](const std::vector<HostIndex>& hosts, HostIndex host) {
    return std::ranges::find(hosts, host) != hosts.end();
  };
  std::uint64_t late = 0;
  std::uint64_t of_removed = 0;
  for (const auto& machine : machines_) {
    const HostIndex host = machine->host();
    const bool stays = is_of(realm_.members, host);
    const bool was_removed = is_of(realm_.removed, host);
    if (!machine->is_up()) {
      breach("host " + std::to_string(host) + " is not up");
      continue;
    }
    const registry::Registry* registry = machine->node()->registry_of(kRealmName);
    if (registry != nullptr && count_name(*registry, kOfTheHall) != 0) {
      breach("host " + std::to_string(host) + " has in one realm what was said in another");
    }
    const auto expect = [&](HostIndex by, bool is_late, bool is_there, bool is_owed, const std::string& what) {
      const bool is_of_intruder = is_of(realm_.intruders, by);
      const bool among_removed = is_late && was_removed && is_of(realm_.removed, by);
      const bool among_intruders = is_of_intruder && is_of(realm_.intruders, host);
      const bool is_from_inside = is_late ? stays && is_of(realm_.members, by) : stays || was_removed;
      const bool is_for_it = is_from_inside && !is_of_intruder;
      const std::string who = "host " + std::to_string(host);
      if (is_there && !is_for_it && !among_removed && !among_intruders && by != host)
        breach(who + " has " + what + ", which is not for it");
      if (!is_there && is_for_it && is_owed && by != host) breach(who + " lacks " + what);
    };
    if (is_of(realm_.in_hall, host) && count_name(*machine->node()->registry_of(kOpenName), kOfTheHall) != 3) {
      breach("host " + std::to_string(host) + " lacks what was said in the open realm");
    }
    for (const RealmUse::Entry& entry : realm_.entries) {
      const bool is_there =
          registry != nullptr && registry->get(machine->time(), machines_[entry.owner]->id(), entry.name).has_value();
      expect(entry.owner, entry.is_late, is_there, entry.is_acknowledged, entry.name);
      late += entry.is_late && is_there ? 1 : 0;
    }
    for (const RealmUse::Item& item : realm_.items) {
      const bool is_there = machine->heard_in_realm().contains(item.text);
      expect(item.publisher, item.is_late, is_there, /*is_owed=*/true, "the item " + item.text);
      of_removed += item.is_late && is_of(realm_.removed, item.publisher) ? 1 : 0;
    }
  }
  if (late == 0 || (scenario_.realm.removed != 0 && of_removed == 0)) {
    breach("nobody, or nobody who was removed, has said anything after the key was changed: nothing is proven");
  }
}

}  // namespace ekiden::sim
