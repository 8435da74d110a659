// What a node shows of itself: queries of the moment.
#include "node/impl.hpp"

namespace ekiden::node {

const identity::Identity& Node::self() const { return impl_->self; }

NodeStatus Node::status() const {
  return {.id = impl_->self.id(),
          .links = impl_->links.links(),
          .half_open = impl_->links.half_open(),
          .sessions = impl_->sessions.status(),
          .router = impl_->router.status(),
          .questions = impl_->asks.questions(),
          .requests = impl_->asks.waiting_requests(),
          .contacts = impl_->contacts.size(),
          .datagrams = impl_->datagrams.status(),
          .dht = impl_->dht.status(),
          .lan = impl_->lan.status(),
          .mailbox = impl_->keeper.status(),
          .deposits = impl_->depositor.status(),
          .own_mailboxes = impl_->collector.status(),
          .relay = impl_->relay.status(),
          .topics = impl_->gossip.topics(),
          .topic_totals = impl_->gossip.totals(),
          .registry = impl_->open_registry.status(impl_->registry_neighbours().size()),
          .registry_member = impl_->open_registry.is_member,
          .discovery = impl_->config.discovery,
          .endpoints = impl_->endpoint_status(),
          .storage = impl_->storage,
          .ready = !impl_->record.empty()};
}

const link::SentBytes& Node::sent_bytes() const { return impl_->links.sent_bytes(); }
std::optional<router::Trace> Node::trace(const router::MessageId& id) const { return impl_->router.trace(id); }
std::vector<router::Trace> Node::outgoing(std::size_t limit, const router::OutgoingFilter& filter) const {
  return impl_->router.outgoing(limit, filter);
}
std::vector<router::ArrivedPtr> Node::inbox(std::uint64_t after, std::size_t limit,
                                            const router::InboxFilter& filter) const {
  return impl_->router.inbox(after, limit, filter);
}
std::vector<router::ArrivedPtr> Node::requests(std::string_view capability, std::uint64_t after,
                                               std::size_t limit) const {
  return impl_->asks.requests(capability, after, limit);
}
const identity::ContactBook& Node::contacts() const { return impl_->contacts; }
std::vector<router::Waiting> Node::contact_requests() const { return impl_->router.waiting(); }
std::vector<router::Blocked> Node::blocked() const { return impl_->router.blocked(); }
bool Node::is_blocked(const identity::PeerId& peer) const { return impl_->router.is_blocked(peer); }
std::vector<identity::NodeInfo> Node::known_nodes(std::size_t count) const {
  return impl_->dht.closest(impl_->self.id(), count);
}
std::vector<datagram::SessionStatus> Node::datagram_sessions(std::size_t count) const {
  return impl_->datagrams.sessions(count);
}
std::optional<identity::SignedRecord> Node::peer_record(const identity::PeerId& peer) const {
  const identity::SignedRecord* newest = impl_->newest_of(peer);
  return newest == nullptr ? std::nullopt : std::optional(*newest);
}
std::vector<bootstrap::NodeStatus> Node::bootstrap_status() const { return impl_->bootstrap.status(); }
ByteView Node::own_record() const { return impl_->record; }
store::PersistToken Node::last_persist() const { return store::PersistToken{impl_->last_token}; }

std::vector<Offer> Node::offers() const {
  using Reason = OwnCapabilities::Reason;
  const OwnCapabilities& own = impl_->capabilities;
  std::vector<Offer> all;
  for (std::string& name : own.with(Reason::offered)) all.push_back({name, false, own.holders(name)});
  for (std::string& name : own.with(Reason::entry)) {
    if (!own.has(name, Reason::offered)) all.push_back({name, true, own.holders(name)});
  }
  return all;
}

const registry::Registry& Node::registry() const { return impl_->made_registry(); }
const registry::Registry* Node::registry_of(const std::string& realm) const {
  if (realm.empty()) return &registry();
  const auto held = impl_->realms.held.find(realm);
  return held == impl_->realms.held.end() ? nullptr : held->second.registry.registry.get();
}

bool Node::is_leaving() const { return impl_->leave_by.has_value(); }

}  // namespace ekiden::node
