// Realms: which ones this node is in is on its disk, and links carry the messages between their members. Each realm has
// topics and a registry of its own, which meet only the peers that have proven to be in it.
#include <algorithm>
#include <utility>

#include "node/impl.hpp"
#include "wire/link_message.hpp"

namespace ekiden::node {
namespace {

/// A link that had no room for a hello has some by then.
constexpr Duration kHelloAgain = seconds(1);

struct RealmRow {
  static constexpr std::string_view kName = "realm_row";
  ByteArray<realm::RealmKey::kSize> key{};
  realm::RealmTag tag{};
  bool closed = false;
  std::uint32_t generation = 0;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("key", &RealmRow::key), wire::field<2>("tag", &RealmRow::tag),
                   wire::field<3>("closed", &RealmRow::closed), wire::field<4>("generation", &RealmRow::generation));
};

/// A node may be in kMaxRealms of them.
registry::Config bounds_in_realm(registry::Config config) {
  constexpr std::size_t kPart = 8;
  config.max_entries = std::max<std::size_t>(config.max_entries / kPart, 1);
  config.max_bytes = std::max(config.max_bytes / kPart, registry::kMaxEntrySize);
  return config;
}

/// Tables name rows by bytes: those of one realm are together.
Bytes realm_row_name(const realm::Realm& realm, ByteView name) {
  Bytes bytes = to_bytes(realm.domain());
  append(bytes, name);
  return bytes;
}

/// What the registry of a realm writes, in the table of all realms.
store::Batch moved(const store::Batch& batch, const realm::Realm& realm) {
  store::Batch rows;
  for (const store::Operation& operation : batch.operations()) {
    const Bytes name = realm_row_name(realm, operation.key.name);
    if (operation.erase) {
      rows.erase(store::Table::realm_registry, name);
    } else {
      rows.put(store::Table::realm_registry, name, operation.value);
    }
  }
  return rows;
}

void write_realm(const realm::Realm& realm, store::Batch& batch) {
  RealmRow row{.key = take_array<realm::RealmKey::kSize>(realm.key.view()),
               .tag = realm.tag,
               .closed = realm.closed,
               .generation = realm.generation};
  batch.put(store::Table::realms, as_bytes(realm.name), wire::encode(row));
  crypto::erase(row.key);
}

/// REQUIRES: it may be entered so.
realm::Realm realm_asked_for(const EnterRealm& request, Realms& realms) {
  if (request.how == EnterRealm::How::open) return realm::Realm::open(request.name);
  if (request.how == EnterRealm::How::invited) return *request.invitation;
  if (request.how == EnterRealm::How::create_closed) return realm::Realm::make_closed(request.name, realms.rng);
  return realms.held.at(request.name).realm.with_new_key(realms.rng);
}

}  // namespace

// At the start. -------------------------------------------------------------------------------------------------------

Status Node::Impl::load_realm_row(const store::Row& row) {
  const auto corrupt = [&](const std::string& why) {
    return fail(Errc::storage_corrupt, "table realms, row " + std::string(as_text(row.key.name)) + ": " + why);
  };
  auto known = wire::decode<RealmRow>(row.value);
  if (!known) return corrupt(known.error().message);
  const std::string name(as_text(row.key.name));
  if (!realm::is_realm_name(name)) return corrupt("no name of a realm");
  if (realms.held.size() == realm::kMaxRealms) return corrupt("one more realm than a node is in");
  HeldRealm& held = realms.held[name];
  held.realm = {.name = name,
                .key = realm::RealmKey(known->key),
                .tag = known->tag,
                .closed = known->closed,
                .generation = known->generation};
  crypto::erase(known->key);
  begin_stay(held);
  return {};
}

Status Node::Impl::load_realm_entry(ByteView name, ByteView value) {
  using Domain = decltype(realm::Realm().domain());
  if (name.size() < sizeof(Domain)) return fail(Errc::storage_corrupt, "table realm_registry: a short name");
  const auto domain = take_array<sizeof(Domain)>(name);
  for (auto& [realm, held] : realms.held) {
    if (held.realm.domain() != domain) continue;
    if (held.registry.registry) return held.registry.registry->load_row(name.subspan(domain.size()), value);
    held.unread.push_back(to_bytes(name));
    return {};
  }
  realms.orphans.push_back(to_bytes(name));
  return {};
}

void Node::Impl::begin_stay(HeldRealm& held) {
  held.stay = Stay{++realms.last_stay};
  if (!config.hold_registry) return;
  held.registry.registry =
      std::make_unique<registry::Registry>(self, bounds_in_realm(config.registry), realms.rng.split(),
                                           std::vector<identity::PeerId>{}, to_bytes(held.realm.domain()));
}

void Node::Impl::start_realms(Now now) {
  for (const Bytes& name : std::exchange(realms.orphans, {})) batch.erase(store::Table::realm_registry, name);
  for (auto& [name, held] : realms.held) take_part_in(now, held);
}

void Node::Impl::take_part_in(Now now, HeldRealm& held) {
  if (held.registry.registry) {
    held.registry.registry->start(now, held.registry.out);
    for (const std::string& name : held.registry.registry->own_names()) on_own_entry(now, held.registry, name);
  }
  gossip.enter_realm(held.realm.name, held.realm.id().bytes);
  // There is room, as in the table of what is held.
  static_cast<void>(realms.members.enter(held.realm, realms.out));
  become_member(now, held.realm.name, held.registry);
}

// Requests. -----------------------------------------------------------------------------------------------------------

Status Node::Impl::check_entry(const EnterRealm& request) const {
  EKIDEN_TRY(realm::check_realm_name(request.name));
  if (ending) return fail(Errc::closed, "the node ends");
  if (storage) return std::unexpected(*storage);
  const auto known = realms.held.find(request.name);
  const bool is_in = known != realms.held.end();
  if (request.how == EnterRealm::How::change_key) {
    if (is_in && known->second.realm.closed) return {};
    return fail(is_in ? Errc::invalid_argument : Errc::not_found,
                is_in ? "\"" + request.name + "\" is open: whoever knows its name is in it, and it has no key to change"
                      : "this node is in no realm \"" + request.name + "\"");
  }
  if (!is_in && realms.held.size() == realm::kMaxRealms) {
    return fail(Errc::limit_exceeded,
                "a node is in at most " + std::to_string(realm::kMaxRealms) + " realms at a time: leave one first");
  }
  const bool is_invited = request.how == EnterRealm::How::invited;
  if (is_invited != request.invitation.has_value() || (is_invited && request.invitation->name != request.name)) {
    return fail(Errc::invalid_argument, "an invitation is needed to the realm that is named, and to enter by one");
  }
  if (!is_in) return {};
  const realm::Realm& held = known->second.realm;
  const bool is_same = is_invited ? held.closed && held.tag == request.invitation->tag
                                  : !held.closed && request.how == EnterRealm::How::open;
  if (is_same && is_invited && *request.invitation != held && request.invitation->generation <= held.generation) {
    return fail(Errc::already_exists, "this node has a newer key of \"" + request.name +
                                          "\": ask for an invitation of now, or leave the realm first");
  }
  if (is_same) return {};
  return fail(Errc::already_exists, "this node is in another realm \"" + request.name + "\": leave that first");
}

void Node::Impl::enter_realm(Now now, const EnterRealm& request) {
  if (auto status = check_entry(request); !status) return reply(request.request, std::move(status));
  realm::Realm asked = realm_asked_for(request, realms);
  const auto [entry, fresh] = realms.held.try_emplace(request.name);
  HeldRealm& held = entry->second;
  waiting.answers.push_back(request.request);
  persist_wanted = true;
  if (!fresh && held.realm == asked) return;
  held.realm = std::move(asked);
  write_realm(held.realm, batch);
  if (fresh) {
    begin_stay(held);
    return take_part_in(now, held);
  }
  // With another key it is another realm to everybody; what it says stays, and who listens.
  gossip.change_realm(now, request.name, held.realm.id().bytes, gossip_out);
  static_cast<void>(realms.members.enter(held.realm, realms.out));
}

void Node::Impl::leave_realm(Now now, const LeaveRealm& request) {
  const auto known = realms.held.find(request.name);
  if (known == realms.held.end()) {
    return reply(request.request, fail(Errc::not_found, "this node is in no realm of that name"));
  }
  if (storage) return reply(request.request, std::unexpected(*storage));
  // Goodbyes are said while the others know us.
  gossip.leave_realm(now, request.name, gossip_out);
  gossip_out.drain([&](gossip::Effect&& effect) { on_gossip_effect(now, std::move(effect)); });
  realms.members.leave(request.name, realms.out);
  settle_members(now);
  HeldRealm& held = known->second;
  for (const Bytes& name : held.unread) batch.erase(store::Table::realm_registry, name);
  if (held.registry.registry) {
    store::Batch rows;
    held.registry.registry->erase_rows(rows);
    batch.append(moved(rows, held.realm));
  }
  held.registry.out.drain([&](registry::Effect&& effect) {
    // What it still wanted to write is not wanted any more.
    if (std::holds_alternative<registry::Persist>(effect)) return;
    on_registry_effect(now, request.name, held.registry, std::move(effect));
  });
  for (const auto& [token, put] : held.registry.pending) {
    reply(put, fail(Errc::closed, "the node has left the realm \"" + request.name + "\""));
  }
  batch.erase(store::Table::realms, as_bytes(request.name));
  realms.held.erase(known);
  out->push(RealmLeft{request.name});
  waiting.answers.push_back(request.request);
  persist_wanted = true;
}

// Neighbours. ---------------------------------------------------------------------------------------------------------

void Node::Impl::settle_members(Now now) {
  realms.out.drain([&](realm::Effect&& effect) { on_realm_effect(now, std::move(effect)); });
}

void Node::Impl::on_realm_effect(Now now, realm::Effect effect) {
  std::visit(Overloaded{
                 [&](const realm::Transmit& hello) {
                   if (links.send(now, hello.to, wire::Priority::high, *hello.message, link_out)) return;
                   realms.unheard.insert(hello.to);
                   realms.hello_at = earlier(realms.hello_at, now.mono + kHelloAgain);
                 },
                 [&](const realm::MemberUp& up) {
                   gossip.on_member_up(now, up.realm, up.peer, gossip_out);
                   if (registry::Registry* held = registry_shared_with(up.realm, up.peer)) {
                     held->on_link_up(now, up.peer, realms.held.at(up.realm).registry.out);
                   }
                 },
                 [&](const realm::MemberDown& down) {
                   gossip.on_member_down(now, down.realm, down.peer, gossip_out);
                   const auto known = realms.held.find(down.realm);
                   if (known == realms.held.end() || !known->second.registry.registry) return;
                   HeldRegistry& held = known->second.registry;
                   held.registry->on_link_down(now, down.peer, down.lost, held.out);
                 },
             },
             effect);
}

registry::Registry* Node::Impl::registry_shared_with(const std::string& realm, const identity::PeerId& peer) {
  const auto known = realms.held.find(realm);
  const auto neighbour = neighbours.find(peer);
  if (known == realms.held.end() || neighbour == neighbours.end() || !neighbour->second.compares_registry)
    return nullptr;
  return known->second.registry.registry.get();
}

/// Of somebody who is in no such realm of ours, or not yet, it is nothing to us.
Status Node::Impl::on_realm_message(Now now, const identity::PeerId& from, ByteView body) {
  EKIDEN_ASSIGN(const auto carried, wire::decode<realm::Carried>(body));
  const std::string* realm = realms.members.shared_with(from, carried.realm);
  if (realm == nullptr || registry_shared_with(*realm, from) == nullptr) return {};
  return on_registry_message(now, realms.held.at(*realm).registry, from, carried.message);
}

void Node::Impl::send_in_realm(Now now, const std::string& realm, const registry::Transmit& transmit) {
  const realm::Carried carried{.realm = realms.held.at(realm).realm.id(), .message = *transmit.message};
  const auto message = wire::link_message(wire::MessageType::realm_message, carried, transmit.message->size() + 64);
  // What a link does not take, the next comparison finds.
  static_cast<void>(links.send(now, transmit.to, transmit.priority, *message, link_out));
}

void Node::Impl::persist_in_realm(const std::string& realm, const registry::Persist& persist) {
  const HeldRealm& held = realms.held.at(realm);
  batch.append(moved(persist.batch, held.realm));
  if (persist.token) waiting.realm_registries.emplace_back(held.stay, *persist.token);
}

/// Of a realm that was left meanwhile nobody waits for it.
void Node::Impl::on_realm_persisted(Now now, Stay stay, store::PersistToken token) {
  for (auto& [name, held] : realms.held) {
    if (held.stay == stay) held.registry.registry->on_persisted(now, token, held.registry.out);
  }
}

void Node::Impl::tick_realms(Now now) {
  for (auto& [name, held] : realms.held) {
    if (held.registry.registry) held.registry.registry->on_deadline(now, held.registry.out);
  }
  if (!realms.hello_at || now.mono < *realms.hello_at) return;
  realms.hello_at.reset();
  for (const identity::PeerId& peer : std::exchange(realms.unheard, {})) realms.members.say_again(peer, realms.out);
}

// Queries. ------------------------------------------------------------------------------------------------------------

std::vector<RealmStatus> Node::realms() const {
  std::vector<RealmStatus> all;
  for (const auto& [name, held] : impl_->realms.held) {
    const std::size_t members = impl_->realms.members.count(name);
    all.push_back({.realm = held.realm, .members = members, .registry = held.registry.status(members)});
  }
  return all;
}

}  // namespace ekiden::node
