// What the local API needs of a node, and nothing more: the seam between HTTP and the Host.
//
// Everything here is called on the loop's thread. Commands answer through their callback, on the same thread, before or
// after the call returns; a callback may be dropped unanswered when the node ends.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "identity/contact.hpp"
#include "identity/endpoint.hpp"
#include "node/node.hpp"
#include "router/router.hpp"
#include "runtime/host.hpp"

namespace ekiden::api {

class Backend {
 public:
  using SendDone = std::function<void(Result<router::MessageId>)>;
  using Done = std::function<void(Status)>;

  virtual ~Backend() = default;

  // Commands.

  virtual void send(router::Draft draft, SendDone done) = 0;
  using PlaceDone = std::function<void(const Result<router::Placement>&)>;
  virtual void place(router::Draft draft, std::string capability, PlaceDone done) = 0;
  using AskDone = std::function<void(const node::Answered&)>;
  virtual void ask(router::Question question, AskDone done) = 0;
  virtual void answer(std::uint64_t number, router::Response response, SendDone done) = 0;
  virtual void take(std::vector<std::uint64_t> numbers, Done done) = 0;
  virtual void put_contact(identity::Contact contact, bool replace, Done done) = 0;
  virtual void remove_contact(const identity::PeerId& id, Done done) = 0;
  virtual void block(const identity::PeerId& id, bool blocked, Done done) = 0;
  virtual void retry_now(const identity::PeerId& peer, Done done) = 0;
  virtual void probe_bootstrap(Done done) = 0;
  using FindDone = std::function<void(const node::PeerFound&)>;
  virtual void find_peer(const identity::PeerId& peer, FindDone done) = 0;
  using OwnersDone = std::function<void(const node::CapabilityFound&)>;
  virtual void find_capability(std::string capability, std::size_t limit, OwnersDone done) = 0;
  virtual void offer_capability(std::string capability, Done done) = 0;
  virtual void withdraw_capability(std::string capability, Done done) = 0;
  virtual void switch_relay(bool on, Done done) = 0;

  virtual void subscribe_topic(std::string topic, std::string realm, Done done) = 0;
  virtual void unsubscribe_topic(std::string topic, std::string realm, Done done) = 0;
  using PublishDone = std::function<void(const Result<gossip::Publication>&)>;
  virtual void publish(std::string topic, std::string realm, Bytes payload, PublishDone done) = 0;

  virtual void put_entry(registry::Draft draft, std::string realm, Done done) = 0;
  virtual void remove_entry(const identity::PeerId& owner, std::string name, std::string realm, Done done) = 0;
  /// Somebody reads the registry.
  virtual void read_registry() = 0;
  virtual void enter_realm(node::EnterRealm realm, Done done) = 0;
  virtual void leave_realm(std::string name, Done done) = 0;

  using ProbeDone = std::function<void(const node::PeerProbed&)>;
  virtual void probe_peer(node::ProbePeer probe, ProbeDone done) = 0;

  // Queries, of the moment.

  virtual node::NodeStatus status() const = 0;
  /// Null if the node is not in the realm, or holds no replicas. Without a name: that of no realm, never null.
  virtual const registry::Registry* registry(const std::string& realm) const = 0;
  /// There are secrets in it.
  virtual std::vector<node::RealmStatus> realms() const = 0;
  virtual identity::PeerId id() const = 0;
  virtual crypto::Ed25519PublicKey public_key() const = 0;
  /// Our signed record; empty before it is on disk.
  virtual Bytes own_record() const = 0;
  virtual std::optional<router::Trace> trace(const router::MessageId& id) const = 0;
  virtual std::vector<router::Trace> outgoing(std::size_t limit, const router::OutgoingFilter& filter) const = 0;
  virtual std::vector<router::ArrivedPtr> inbox(std::uint64_t after, std::size_t limit,
                                                const router::InboxFilter& filter) const = 0;
  /// Requests for a capability that this node offers.
  virtual std::vector<router::ArrivedPtr> requests(const std::string& capability, std::uint64_t after,
                                                   std::size_t limit) const = 0;
  virtual const identity::ContactBook& contacts() const = 0;
  /// Strangers whose messages wait; peers that are refused.
  virtual std::vector<router::Waiting> contact_requests() const = 0;
  virtual std::vector<router::Blocked> blocked() const = 0;
  virtual std::vector<identity::Endpoint> listening() const = 0;
  virtual std::vector<identity::NodeInfo> known_nodes(std::size_t count) const = 0;
  /// Of datagrams: those used last first, one for each node.
  virtual std::vector<datagram::SessionStatus> datagram_sessions(std::size_t count) const = 0;
  /// Heard on the local network, in the order of ids.
  virtual std::vector<node::LanPeer> lan_peers() const = 0;
  virtual std::vector<node::Offer> offers() const = 0;
  virtual node::NetworkStatus network() const = 0;
  virtual std::optional<identity::SignedRecord> peer_record(const identity::PeerId& peer) const = 0;
  virtual std::vector<bootstrap::NodeStatus> bootstrap_status() const = 0;
  virtual std::string data_dir() const = 0;
  virtual Now now() const = 0;
  virtual std::uint64_t uptime_ms() const = 0;
  /// Until when the certificate of wss:// is valid; nothing without one.
  virtual std::optional<WallTime> certificate_end() const = 0;

  // Events.

  virtual void subscribe(std::weak_ptr<runtime::Listener> listener) = 0;
};

/// The backend over a real node. The host outlives it.
class HostBackend final : public Backend {
 public:
  explicit HostBackend(runtime::Host& host) : host_(host) {}

  void send(router::Draft draft, SendDone done) override;
  void place(router::Draft draft, std::string capability, PlaceDone done) override;
  void ask(router::Question question, AskDone done) override;
  void answer(std::uint64_t number, router::Response response, SendDone done) override;
  void take(std::vector<std::uint64_t> numbers, Done done) override;
  void put_contact(identity::Contact contact, bool replace, Done done) override;
  void remove_contact(const identity::PeerId& id, Done done) override;
  void block(const identity::PeerId& id, bool blocked, Done done) override;
  void retry_now(const identity::PeerId& peer, Done done) override;
  void probe_bootstrap(Done done) override;
  void find_peer(const identity::PeerId& peer, FindDone done) override;
  void find_capability(std::string capability, std::size_t limit, OwnersDone done) override;
  void offer_capability(std::string capability, Done done) override;
  void withdraw_capability(std::string capability, Done done) override;
  void switch_relay(bool on, Done done) override;
  void subscribe_topic(std::string topic, std::string realm, Done done) override;
  void unsubscribe_topic(std::string topic, std::string realm, Done done) override;
  void publish(std::string topic, std::string realm, Bytes payload, PublishDone done) override;
  void put_entry(registry::Draft draft, std::string realm, Done done) override;
  void remove_entry(const identity::PeerId& owner, std::string name, std::string realm, Done done) override;
  void read_registry() override;
  void enter_realm(node::EnterRealm realm, Done done) override;
  void leave_realm(std::string name, Done done) override;
  const registry::Registry* registry(const std::string& realm) const override;
  std::vector<node::RealmStatus> realms() const override;
  void probe_peer(node::ProbePeer probe, ProbeDone done) override;
  node::NodeStatus status() const override;
  identity::PeerId id() const override;
  crypto::Ed25519PublicKey public_key() const override;
  Bytes own_record() const override;
  std::optional<router::Trace> trace(const router::MessageId& id) const override;
  std::vector<router::Trace> outgoing(std::size_t limit, const router::OutgoingFilter& filter) const override;
  std::vector<router::ArrivedPtr> inbox(std::uint64_t after, std::size_t limit,
                                        const router::InboxFilter& filter) const override;
  std::vector<router::ArrivedPtr> requests(const std::string& capability, std::uint64_t after,
                                           std::size_t limit) const override;
  const identity::ContactBook& contacts() const override;
  std::vector<router::Waiting> contact_requests() const override;
  std::vector<router::Blocked> blocked() const override;
  std::vector<identity::Endpoint> listening() const override;
  std::vector<identity::NodeInfo> known_nodes(std::size_t count) const override;
  std::vector<datagram::SessionStatus> datagram_sessions(std::size_t count) const override;
  std::vector<node::LanPeer> lan_peers() const override;
  std::vector<node::Offer> offers() const override;
  node::NetworkStatus network() const override;
  std::optional<identity::SignedRecord> peer_record(const identity::PeerId& peer) const override;
  std::vector<bootstrap::NodeStatus> bootstrap_status() const override;
  std::string data_dir() const override;
  Now now() const override;
  std::uint64_t uptime_ms() const override;
  std::optional<WallTime> certificate_end() const override;
  void subscribe(std::weak_ptr<runtime::Listener> listener) override;

 private:
  runtime::Host& host_;
};

}  // namespace ekiden::api
