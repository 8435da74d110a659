// The registry: links carry its messages, and the neighbours with whom a node compares its replica come from the
// overlay of a topic in which nothing is published. A node takes part once it has something, or somebody here asks;
// until then it has no replica, and just knows which neighbours hold one.
#include <string>
#include <string_view>
#include <utility>

#include "node/impl.hpp"
#include "registry/reserved.hpp"

namespace ekiden::node {
namespace {

/// Topics whose members hold the registry: of all, and within a realm. No application can name them.
const std::string kMembers = "registry:open";
const std::string kRealmMembers = "registry:members";
/// Members that are dialled at a time, or searched: each for at least eight seconds.
constexpr std::size_t kMaxSeeks = 4;
/// From a link to what its peer says of realms.
constexpr Duration kTimeForHello = seconds(10);

/// Errors: invalid_argument.
Status check_name(std::string_view name) {
  if (!registry::is_reserved(name)) return {};
  return fail(Errc::invalid_argument, "names that begin with \"" + std::string(registry::kReserved) +
                                          "\" are the node's own: what it offers is changed by `ekiden capability add` "
                                          "and `remove`");
}

partition::Replicas shown_by(const registry::Compared& compared) {
  if (compared.differs) return partition::Replicas::differ;
  return compared.was_behind ? partition::Replicas::caught_up : partition::Replicas::same;
}

}  // namespace

registry::Registry& Node::Impl::made_registry() {
  auto& made = open_registry.registry;
  if (!made) {
    made = std::make_unique<registry::Registry>(self, config.registry, std::move(registry_rng), registry_neighbours());
  }
  return *made;
}

std::vector<identity::PeerId> Node::Impl::registry_neighbours() const {
  std::vector<identity::PeerId> found;
  for (const auto& [peer, neighbour] : neighbours) {
    if (neighbour.compares_registry) found.push_back(peer);
  }
  return found;
}

Status Node::Impl::load_registry_row(ByteView name, ByteView value) {
  if (!config.hold_registry) return {};
  return made_registry().load_row(name, value);
}

void Node::Impl::start_registry(Now now) {
  if (!open_registry.registry) return;
  open_registry.registry->start(now, open_registry.out);
  for (const std::string& name : open_registry.registry->own_names()) on_own_entry(now, open_registry, name);
  if (open_registry.registry->replica().size() > 0) become_member(now, {}, open_registry);
}

void Node::Impl::settle_registries(Now now) {
  settle_members(now);
  open_registry.out.drain(
      [&](registry::Effect&& effect) { on_registry_effect(now, {}, open_registry, std::move(effect)); });
  for (auto& [name, held] : realms.held) {
    held.registry.out.drain(
        [&](registry::Effect&& effect) { on_registry_effect(now, name, held.registry, std::move(effect)); });
  }
  if (!capabilities.take_entries_changed()) return;
  show_offers(now);
  announce_in_time(now);
}

void Node::Impl::on_registry_effect(Now now, const std::string& realm, HeldRegistry& held, registry::Effect effect) {
  std::visit(Overloaded{
                 [&](const registry::Transmit& transmit) {
                   if (!realm.empty()) return send_in_realm(now, realm, transmit);
                   // What a link does not take, the next comparison finds.
                   static_cast<void>(links.send(now, transmit.to, transmit.priority, *transmit.message, link_out));
                 },
                 [&](registry::Persist& persist) {
                   persist_wanted = true;
                   if (!realm.empty()) return persist_in_realm(realm, persist);
                   batch.append(std::move(persist.batch));
                   if (persist.token) waiting.registry = persist.token;
                 },
                 [&](const registry::Written& written) {
                   const auto request = held.pending.extract(written.token);
                   if (!request.empty()) reply(request.mapped(), {});
                 },
                 [&](registry::Changed& changed) {
                   if (changed.owner == self.id()) on_own_entry(now, held, changed.name);
                   become_member(now, realm, held);
                   if (changed.name == registry::kRecordName) return on_listed_record(now, changed.owner);
                   out->push(EntryChanged{realm, changed.owner, std::move(changed.name)});
                 },
                 [&](const registry::Taken& taken) {
                   // What comes in a realm says nothing about the network: its members may be few.
                   if (!watch.detector || !realm.empty()) return;
                   watch.detector->on_taken(taken.author, taken.written, taken.opened_conflict);
                   watch.detector->on_heard(now, taken.author, taken.from, taken.written, watch.out);
                 },
                 [&](const registry::Compared& compared) {
                   if (!watch.detector || !realm.empty()) return;
                   watch.detector->on_compared(now, compared.peer, shown_by(compared));
                 },
                 [&](const registry::Equivocated& seen) {
                   const std::string where = realm.empty() ? "" : " --realm " + realm;
                   log_limited(now, message_lines, LogLevel::warning, "registry",
                               seen.author.text() + " has signed two entries \"" + seen.name +
                                   "\" with one stamp: see `ekiden registry conflicts" + where + "`");
                 },
                 [&](const registry::KeepLink& request) { want_for_registry(now, request.peer, request.wanted); },
                 [&](const registry::Seek& seek) {
                   // Linked for long enough to have proven that it is one, which it has not.
                   const auto linked = neighbours.find(seek.peer);
                   const bool has_left =
                       !realm.empty() && linked != neighbours.end() &&
                       (realms.members.has_heard(seek.peer) || now.mono - linked->second.since > kTimeForHello);
                   has_left ? held.registry->forget_lost(seek.peer) : seek_member(now, seek.peer);
                 },
                 [&](const registry::Misbehaved& neighbour) {
                   log_limited(now, message_lines, LogLevel::warning, "registry",
                               neighbour.peer.text() + ": " + neighbour.what + "; it is not heard for ten minutes");
                 },
             },
             effect);
}

Status Node::Impl::on_registry_message(Now now, HeldRegistry& held, const identity::PeerId& from, ByteView message) {
  // What is taken waits for the disk, and would wait in memory; the next comparison brings it again.
  if (storage) return {};
  if (message.empty()) return fail(Errc::malformed, "an empty message");
  const ByteView body = message.subspan(1);
  switch (static_cast<wire::MessageType>(message[0])) {
    case wire::MessageType::registry_ask:
      return held.registry->on_ask(now, from, body, held.out);
    case wire::MessageType::registry_places:
      return held.registry->on_places(now, from, body, held.out);
    case wire::MessageType::registry_want:
      return held.registry->on_want(now, from, body, held.out);
    case wire::MessageType::registry_entries:
      return held.registry->on_entries(now, from, body, held.out);
    default:
      return fail(Errc::unsupported, "no message of a registry");
  }
}

/// Errors: unsupported (this node holds no replica), not_found, those of the store while it does not commit.
Result<HeldRegistry*> Node::Impl::writable_registry(const std::string& realm) {
  if (!config.hold_registry) {
    return fail(Errc::unsupported,
                "this node holds no replica of the registry: `hold = \"on\"` under [registry] in ekiden.toml");
  }
  if (storage) return std::unexpected(*storage);
  if (realm.empty()) {
    made_registry();
    return &open_registry;
  }
  const auto held = realms.held.find(realm);
  if (held == realms.held.end()) return fail(Errc::not_found, "this node is not in the realm of that entry");
  return &held->second.registry;
}

void Node::Impl::put_entry(Now now, const PutEntry& request) {
  if (auto status = check_name(request.draft.name); !status) return reply(request.request, std::move(status));
  const auto held = writable_registry(request.realm);
  if (!held) return reply(request.request, std::unexpected(held.error()));
  auto token = (*held)->registry->put(now, request.draft, (*held)->out);
  if (!token) return reply(request.request, std::unexpected(std::move(token).error()));
  (*held)->pending.emplace(*token, request.request);
}

void Node::Impl::remove_entry(Now now, const RemoveEntry& request) {
  if (auto status = check_name(request.name); !status) return reply(request.request, std::move(status));
  const auto held = writable_registry(request.realm);
  if (!held) return reply(request.request, std::unexpected(held.error()));
  auto token = (*held)->registry->remove(now, request.owner, request.name, (*held)->out);
  if (!token) return reply(request.request, std::unexpected(std::move(token).error()));
  (*held)->pending.emplace(*token, request.request);
}

void Node::Impl::want_for_registry(Now now, const identity::PeerId& peer, bool is_wanted) {
  if (is_wanted) {
    if (++registry_links.wants[peer] == 1) want(now, peer, by_registry);
    return;
  }
  const auto count = registry_links.wants.find(peer);
  if (count == registry_links.wants.end() || --count->second != 0) return;
  registry_links.wants.erase(count);
  unwant(now, peer, by_registry);
}

/// Of a member without addresses a dial never ends. (Attack: identities without any, who come and vanish until no room
/// is left for the links that somebody needs.)
void Node::Impl::seek_member(Now now, const identity::PeerId& peer) {
  end_seek(now, peer);
  if (registry_links.seeks.size() == kMaxSeeks) {
    const identity::PeerId oldest = registry_links.seeks.front();
    end_seek(now, oldest);
  }
  registry_links.seeks.push_back(peer);
  want_for_registry(now, peer, true);
  links.retry_now(now, peer, link_out);
}

bool Node::Impl::end_seek(Now now, const identity::PeerId& peer) {
  if (std::erase(registry_links.seeks, peer) == 0) return false;
  want_for_registry(now, peer, false);
  return true;
}

void Node::Impl::become_member(Now now, const std::string& realm, HeldRegistry& held) {
  if (held.is_member || ending || !config.hold_registry) return;
  if (realm.empty()) made_registry();
  held.is_member = true;
  gossip.accompany(now, realm.empty() ? kMembers : kRealmMembers, gossip_out, realm);
  list_offers(now, held);
}

}  // namespace ekiden::node
