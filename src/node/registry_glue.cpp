// The registry: links carry its messages, and the neighbours with whom a node compares its replica come from the
// overlay of a topic in which nothing is published. A node takes part once it has something, or somebody here asks;
// until then it has no replica, and just knows which neighbours hold one.
#include <string>
#include <utility>

#include "node/impl.hpp"

namespace ekiden::node {
namespace {

/// Whose members hold the registry of the open realm. No application can name it.
const std::string kMembers = "registry:open";
/// Members that are dialled at a time, or searched: each for at least eight seconds.
constexpr std::size_t kMaxSeeks = 4;

partition::Replicas shown_by(const registry::Compared& compared) {
  if (compared.differs) return partition::Replicas::differ;
  return compared.was_behind ? partition::Replicas::caught_up : partition::Replicas::same;
}

}  // namespace

registry::Registry& Node::Impl::made_registry() {
  if (!registry) {
    registry =
        std::make_unique<registry::Registry>(self, config.registry, std::move(registry_rng), registry_neighbours());
  }
  return *registry;
}

std::vector<identity::PeerId> Node::Impl::registry_neighbours() const {
  std::vector<identity::PeerId> found;
  for (const auto& [peer, neighbour] : neighbours) {
    if (neighbour.compares_registry) found.push_back(peer);
  }
  return found;
}

registry::RegistryStatus Node::Impl::registry_status() const {
  if (registry) return registry->status();
  return {.neighbours = registry_neighbours().size()};
}

Status Node::Impl::load_registry_row(ByteView name, ByteView value) {
  if (!config.hold_registry) return {};
  return made_registry().load_row(name, value);
}

void Node::Impl::start_registry(Now now) {
  if (!registry) return;
  registry->start(now, registry_out);
  if (registry->replica().size() > 0) become_member(now);
}

void Node::Impl::on_registry_effect(Now now, registry::Effect effect) {
  std::visit(Overloaded{
                 [&](const registry::Transmit& transmit) {
                   // What a link does not take, the next comparison finds.
                   static_cast<void>(links.send(now, transmit.to, transmit.priority, *transmit.message, link_out));
                 },
                 [&](registry::Persist& persist) {
                   batch.append(std::move(persist.batch));
                   if (persist.token) waiting.registry = persist.token;
                   persist_wanted = true;
                 },
                 [&](const registry::Written& written) {
                   const auto request = entries_pending.extract(written.token);
                   if (!request.empty()) reply(request.mapped(), {});
                 },
                 [&](registry::Changed& changed) {
                   become_member(now);
                   out->push(std::move(changed));
                 },
                 [&](const registry::Taken& taken) {
                   if (!watch.detector) return;
                   watch.detector->on_taken(taken.author, taken.written, taken.opened_conflict);
                   watch.detector->on_heard(now, taken.author, taken.from, taken.written, watch.out);
                 },
                 [&](const registry::Compared& compared) {
                   if (watch.detector) watch.detector->on_compared(now, compared.peer, shown_by(compared));
                 },
                 [&](const registry::Equivocated& seen) {
                   log_limited(now, message_lines, LogLevel::warning, "registry",
                               seen.author.text() + " has signed two entries \"" + seen.name +
                                   "\" with one stamp: see `ekiden registry conflicts`");
                 },
                 [&](const registry::KeepLink& request) {
                   if (request.wanted) {
                     want(now, request.peer, by_registry);
                   } else {
                     unwant(now, request.peer, by_registry);
                   }
                 },
                 [&](const registry::Seek& seek) { seek_member(now, seek.peer); },
                 [&](const registry::Misbehaved& neighbour) {
                   log_limited(now, message_lines, LogLevel::warning, "registry",
                               neighbour.peer.text() + ": " + neighbour.what + "; it is not heard for ten minutes");
                 },
             },
             effect);
}

Status Node::Impl::on_registry_message(Now now, const link::Message& message) {
  // What is taken waits for the disk, and would wait in memory; the next comparison brings it again.
  if (storage) return {};
  const ByteView body = message.bytes.subspan(1);
  switch (static_cast<wire::MessageType>(message.bytes[0])) {
    case wire::MessageType::registry_ask:
      return made_registry().on_ask(now, message.from, body, registry_out);
    case wire::MessageType::registry_places:
      return made_registry().on_places(now, message.from, body, registry_out);
    case wire::MessageType::registry_want:
      return made_registry().on_want(now, message.from, body, registry_out);
    default:
      return made_registry().on_entries(now, message.from, body, registry_out);
  }
}

Status Node::Impl::check_registry() const {
  if (!config.hold_registry) {
    return fail(Errc::unsupported,
                "this node holds no replica of the registry: `hold = \"on\"` under [registry] in ekiden.toml");
  }
  if (storage) return std::unexpected(*storage);
  return {};
}

void Node::Impl::put_entry(Now now, const PutEntry& request) {
  if (auto status = check_registry(); !status) return reply(request.request, std::move(status));
  end_entry(request.request, made_registry().put(now, request.draft, registry_out));
}

void Node::Impl::remove_entry(Now now, const RemoveEntry& request) {
  if (auto status = check_registry(); !status) return reply(request.request, std::move(status));
  end_entry(request.request, made_registry().remove(now, request.owner, request.name, registry_out));
}

void Node::Impl::end_entry(RequestId request, Result<store::PersistToken> token) {
  if (!token) return reply(request, std::unexpected(std::move(token).error()));
  entries_pending.emplace(*token, request);
}

/// Of a member without addresses a dial never ends. (Attack: identities without any, who come and vanish until no room
/// is left for the links that somebody needs.)
void Node::Impl::seek_member(Now now, const identity::PeerId& peer) {
  end_seek(now, peer);
  if (registry_seeks.size() == kMaxSeeks) {
    const identity::PeerId oldest = registry_seeks.front();
    end_seek(now, oldest);
  }
  registry_seeks.push_back(peer);
  want(now, peer, by_registry);
  links.retry_now(now, peer, link_out);
}

bool Node::Impl::end_seek(Now now, const identity::PeerId& peer) {
  if (std::erase(registry_seeks, peer) == 0) return false;
  unwant(now, peer, by_registry);
  return true;
}

void Node::Impl::become_member(Now now) {
  if (is_member || ending || !config.hold_registry) return;
  is_member = true;
  gossip.accompany(now, kMembers, gossip_out);
}

}  // namespace ekiden::node
