// The backend over a real node: each call goes straight to the Host.
#include <utility>

#include "api/backend.hpp"

namespace ekiden::api {

void HostBackend::send(router::Draft draft, SendDone done) { host_.send(std::move(draft), std::move(done)); }

void HostBackend::place(router::Draft draft, std::string capability, PlaceDone done) {
  host_.place(std::move(draft), std::move(capability), std::move(done));
}

void HostBackend::ask(router::Question question, AskDone done) { host_.ask(std::move(question), std::move(done)); }

void HostBackend::answer(std::uint64_t number, router::Response response, SendDone done) {
  host_.answer(number, std::move(response), std::move(done));
}

void HostBackend::take(std::vector<std::uint64_t> numbers, Done done) {
  host_.take(std::move(numbers), std::move(done));
}

void HostBackend::put_contact(identity::Contact contact, bool replace, Done done) {
  host_.put_contact(std::move(contact), replace, std::move(done));
}

void HostBackend::remove_contact(const identity::PeerId& id, Done done) { host_.remove_contact(id, std::move(done)); }

void HostBackend::block(const identity::PeerId& id, bool blocked, Done done) {
  host_.block(id, blocked, std::move(done));
}

void HostBackend::retry_now(const identity::PeerId& peer, Done done) { host_.retry_now(peer, std::move(done)); }
void HostBackend::probe_bootstrap(Done done) { host_.probe_bootstrap(std::move(done)); }

void HostBackend::find_peer(const identity::PeerId& peer, FindDone done) { host_.find_peer(peer, std::move(done)); }

void HostBackend::find_capability(std::string capability, std::size_t limit, OwnersDone done) {
  host_.find_capability(std::move(capability), limit, std::move(done));
}

void HostBackend::offer_capability(std::string capability, Done done) {
  host_.offer_capability(std::move(capability), std::move(done));
}

void HostBackend::withdraw_capability(std::string capability, Done done) {
  host_.withdraw_capability(std::move(capability), std::move(done));
}

void HostBackend::switch_relay(bool on, Done done) { host_.switch_relay(on, std::move(done)); }

std::vector<node::Offer> HostBackend::offers() const { return host_.node().offers(); }

void HostBackend::probe_peer(node::ProbePeer probe, ProbeDone done) {
  host_.probe_peer(std::move(probe), std::move(done));
}

std::optional<identity::SignedRecord> HostBackend::peer_record(const identity::PeerId& peer) const {
  return host_.node().peer_record(peer);
}

std::vector<bootstrap::NodeStatus> HostBackend::bootstrap_status() const { return host_.node().bootstrap_status(); }

std::vector<node::LanPeer> HostBackend::lan_peers() const { return host_.node().lan_peers(); }
std::vector<identity::NodeInfo> HostBackend::known_nodes(std::size_t count) const {
  return host_.node().known_nodes(count);
}
std::vector<datagram::SessionStatus> HostBackend::datagram_sessions(std::size_t count) const {
  return host_.node().datagram_sessions(count);
}

void HostBackend::subscribe_topic(std::string topic, std::string realm, Done done) {
  host_.subscribe_topic(std::move(topic), std::move(realm), std::move(done));
}

void HostBackend::unsubscribe_topic(std::string topic, std::string realm, Done done) {
  host_.unsubscribe_topic(std::move(topic), std::move(realm), std::move(done));
}

void HostBackend::publish(std::string topic, std::string realm, Bytes payload, PublishDone done) {
  host_.publish(std::move(topic), std::move(realm), std::move(payload), std::move(done));
}

void HostBackend::put_entry(registry::Draft draft, std::string realm, Done done) {
  host_.put_entry(std::move(draft), std::move(realm), std::move(done));
}

void HostBackend::remove_entry(const identity::PeerId& owner, std::string name, std::string realm, Done done) {
  host_.remove_entry(owner, std::move(name), std::move(realm), std::move(done));
}

void HostBackend::enter_realm(node::EnterRealm realm, Done done) {
  host_.enter_realm(std::move(realm), std::move(done));
}

void HostBackend::leave_realm(std::string name, Done done) { host_.leave_realm(std::move(name), std::move(done)); }

void HostBackend::read_registry() { host_.read_registry(); }

const registry::Registry* HostBackend::registry(const std::string& realm) const {
  return host_.node().registry_of(realm);
}

std::vector<node::RealmStatus> HostBackend::realms() const { return host_.node().realms(); }

node::NetworkStatus HostBackend::network() const { return host_.node().network(host_.now()); }

node::NodeStatus HostBackend::status() const { return host_.node().status(); }

identity::PeerId HostBackend::id() const { return host_.node().self().id(); }

crypto::Ed25519PublicKey HostBackend::public_key() const { return host_.node().self().public_key(); }

Bytes HostBackend::own_record() const { return to_bytes(host_.node().own_record()); }

std::optional<router::Trace> HostBackend::trace(const router::MessageId& id) const { return host_.node().trace(id); }

std::vector<router::Trace> HostBackend::outgoing(std::size_t limit, const router::OutgoingFilter& filter) const {
  return host_.node().outgoing(limit, filter);
}

std::vector<router::ArrivedPtr> HostBackend::inbox(std::uint64_t after, std::size_t limit,
                                                   const router::InboxFilter& filter) const {
  return host_.node().inbox(after, limit, filter);
}

std::vector<router::ArrivedPtr> HostBackend::requests(const std::string& capability, std::uint64_t after,
                                                      std::size_t limit) const {
  return host_.node().requests(capability, after, limit);
}

const identity::ContactBook& HostBackend::contacts() const { return host_.node().contacts(); }

std::vector<router::Waiting> HostBackend::contact_requests() const { return host_.node().contact_requests(); }

std::vector<router::Blocked> HostBackend::blocked() const { return host_.node().blocked(); }

std::vector<identity::Endpoint> HostBackend::listening() const { return host_.listening(); }

std::string HostBackend::data_dir() const { return host_.data_dir().string(); }

Now HostBackend::now() const { return host_.now(); }

std::uint64_t HostBackend::uptime_ms() const { return host_.uptime_ms(); }

std::optional<WallTime> HostBackend::certificate_end() const { return host_.certificate_end(); }

void HostBackend::subscribe(std::weak_ptr<runtime::Listener> listener) { host_.subscribe(std::move(listener)); }

}  // namespace ekiden::api
