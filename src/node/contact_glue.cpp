// The contact book, and how its peers are reached.
#include <algorithm>
#include <utility>

#include "node/impl.hpp"

namespace ekiden::node {

Status Node::Impl::load_contact_row(const store::Row& row) {
  auto contact = wire::decode<identity::Contact>(row.value);
  if (!contact) return fail(Errc::storage_corrupt, "table contacts: " + contact.error().message);
  const identity::PeerId id = contact->id;
  if (auto status = contacts.add(std::move(*contact)); !status) {
    return fail(Errc::storage_corrupt, "table contacts: " + status.error().message);
  }
  show_tier(id);
  return {};
}

void Node::Impl::put_contact(Now now, const PutContact& request) {
  identity::Contact contact = request.contact;
  const identity::Contact* existing = contacts.find(contact.id);
  if (contact.id == self.id()) {
    reply(request.request, fail(Errc::invalid_argument, "this is the node's own id"));
    return;
  }
  if (existing != nullptr) {
    contact.added_at = existing->added_at;
    contact.public_key = existing->public_key;
    contact.record = existing->record;
  } else {
    contact.added_at = now.wall;
    if (const auto* known = records.find(contact.id)) {
      contact.public_key = known->record.public_key;
      contact.record = known->signed_bytes;
    }
  }
  if (existing == nullptr && router.is_blocked(contact.id)) {
    return reply(request.request,
                 fail(Errc::refused, contact.id.text() + " is blocked: `ekiden contact unblock` first"));
  }
  auto status = existing != nullptr && request.replace ? contacts.update(contact) : contacts.add(contact);
  if (!status) {
    reply(request.request, std::move(status));
    return;
  }
  batch.put(store::Table::contacts, contact.id.view(), wire::encode(*contacts.find(contact.id)));
  show_tier(contact.id);
  waiting.answers.push_back(request.request);
  if (wanted.contains(contact.id)) reach(now, contact.id);
}

void Node::Impl::remove_contact(Now now, const RemoveContact& request) {
  if (auto removed = contacts.remove(request.id); !removed) {
    reply(request.request, std::unexpected(removed.error()));
    return;
  }
  batch.erase(store::Table::contacts, request.id.view());
  show_tier(request.id);
  waiting.answers.push_back(request.request);
  if (wanted.contains(request.id)) reach(now, request.id);
}

void Node::Impl::block(Now now, const BlockPeer& request) {
  if (request.id == self.id()) return reply(request.request, fail(Errc::invalid_argument, "this is the node's own id"));
  Status done;
  if (request.blocked) {
    auto dropped = router.block(now, request.id, router_out);
    if (dropped) asks.on_taken(*dropped);
    if (!dropped) done = std::unexpected(dropped.error());
  } else {
    done = router.unblock(request.id, router_out);
  }
  if (!done) return reply(request.request, std::move(done));
  note_linked_contact(request.id);
  waiting.answers.push_back(request.request);
}

identity::TrustTier Node::Impl::tier_of(const identity::PeerId& peer) const {
  return router.is_blocked(peer) ? identity::TrustTier::stranger : contacts.tier_of(peer);
}

void Node::Impl::show_tier(const identity::PeerId& peer) {
  router.set_tier(peer, contacts.tier_of(peer), router_out);
  note_linked_contact(peer);
}

std::vector<identity::Endpoint> without_udp(std::vector<identity::Endpoint> endpoints) {
  std::erase_if(endpoints, [](const identity::Endpoint& endpoint) {
    return endpoint.transport == identity::Endpoint::Transport::udp;
  });
  return endpoints;
}

bool Node::Impl::may_dial(const identity::IpAddress& address) const {
  return identity::may_dial(
      address, config.private_network ? identity::LearnedFrom::configuration : identity::LearnedFrom::remote_record);
}

std::vector<identity::Endpoint> Node::Impl::endpoints_of(const identity::PeerId& peer) {
  std::vector<identity::Endpoint> all = lan_dials(peer);
  const auto add = [&](identity::Endpoint& endpoint) {
    if (std::ranges::find(all, endpoint) == all.end()) all.push_back(std::move(endpoint));
  };
  if (const identity::Contact* contact = contacts.find(peer)) {
    for (identity::Endpoint& endpoint : without_udp(contact->endpoints)) add(endpoint);
  }
  if (const identity::PeerRecord* known = record_of(peer)) {
    for (identity::Endpoint& endpoint : without_udp(known->known_endpoints())) {
      // What a name resolves to is judged before it is dialled: dial_source().
      const auto address = endpoint.address();
      if (!address || may_dial(*address)) add(endpoint);
    }
  }
  if (all.empty()) all = bootstrap_dials(peer);
  return all;
}

void Node::Impl::retry_peer(Now now, const RetryNow& in) {
  links.retry_now(now, in.peer, link_out);
  router.retry_now(now, in.peer, router_out);
  reply(in.request, {});
}

}  // namespace ekiden::node
