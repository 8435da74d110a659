// One node: the engines, and how they meet.
//
// A Node owns the link pool, the sessions, the router, discovery and the contact book, and translates their effects
// into each other's inputs; it decides nothing itself. It is pure: the same inputs at the same times from the same seed
// give the same effects. Not thread-safe: one driver, one thread.
//
// Life: construct, load() and load_row() what the store holds, start(); then handle() inputs as they come, pull bytes
// with to_send() after a WantWrite, ask may_read() before reading from a connection, and come back with a Tick at
// deadline(). Links are made only once the node's own record is on disk.
//
// Bounds: the queue between engines is drained within each handle(); each engine bounds its own state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/outbox.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "bootstrap/bootstrap.hpp"
#include "gossip/gossip.hpp"
#include "identity/contact.hpp"
#include "identity/endpoint.hpp"
#include "identity/identity.hpp"
#include "lan/lan.hpp"
#include "link/pool.hpp"
#include "mailbox/collector.hpp"
#include "mailbox/depositor.hpp"
#include "mailbox/keeper.hpp"
#include "node/input.hpp"
#include "partition/detector.hpp"
#include "reachability/config.hpp"
#include "reachability/events.hpp"
#include "realm/realm.hpp"
#include "registry/registry.hpp"
#include "relay/relay.hpp"
#include "router/router.hpp"
#include "session/sessions.hpp"
#include "store/batch.hpp"

namespace ekiden::node {

struct Config {
  link::Config link;
  session::Config session;
  router::Config router;
  datagram::Config datagram;
  dht::Config dht;
  relay::Config relay;
  gossip::Config gossip;
  registry::Config registry;
  bool hold_registry = true;  ///< a replica of it
  partition::Config partition;
  bool watch_network = true;  ///< for splits: heartbeats go over links
  mailbox::Config mailbox;    ///< without discovery we collect only from those that are pinned
  lan::Config lan;            ///< its `special_sources` follows from private_network
  bool discovery = false;     ///< take part in the DHT: the driver carries datagrams
  /// This network lives on private or loopback addresses: those of records and of other nodes are believed.
  bool private_network = false;
  /// With discovery: join the DHT and answer its queries. Otherwise datagrams are there for ProbePeer alone.
  bool take_part = true;
  /// With discovery: what is said on the local network, and that what is said there is heard. Nothing: neither.
  std::optional<lan::Ports> lan_ports = {};
  bootstrap::Source sources;            ///< nodes and lists to join through
  bootstrap::Config bootstrap;          ///< its `listed_as` follows from private_network
  Duration search_min = seconds(5);     ///< between two searches for a peer that messages wait for …
  Duration search_spare = seconds(30);  ///< … or that is a mailbox or relay, of which there are others …
  Duration search_max = minutes(5);     ///< … doubling up to this
  Duration join_min = seconds(20);      ///< between two attempts while no node of the DHT is known …
  Duration join_max = minutes(5);       ///< … doubling up to this
  Duration list_wait = seconds(5);      ///< for the bootstrap list of a node that was reached
  Duration list_pause = seconds(10);    ///< between two requests of one link for ours; more are bad messages
  Duration list_interval = minutes(1);  ///< between two versions of ours, at least
  Duration list_ttl = days(7);
  reachability::Config reachability;  ///< its private_network follows from the one above
  std::size_t max_dial_backs = 64;    ///< for others, under way
  std::size_t dial_backs_per_minute = 240;
  std::size_t dial_backs_per_peer = 20;          ///< in a minute
  std::size_t named_dial_backs_per_minute = 12;  ///< of those, to names
  std::size_t named_dial_backs_per_peer = 4;
  Duration publish_gather = milliseconds(500);  ///< after an endpoint of ours was verified or lost, for others to join
  Duration publish_pause = seconds(10);         ///< between two records for that reason
  /// Our endpoints, as others may dial them; at most 8. In the DHT they are published once a peer has reached them.
  std::vector<identity::Endpoint> advertised;
  std::vector<identity::Endpoint> listening;  ///< where the driver listens, with the real ports
  Duration record_ttl = days(7);
  Duration record_refresh = hours(24);       ///< by the wall clock; a record from the future is renewed at once
  Duration announcement_refresh = hours(8);  ///< of capabilities, likewise; they live for a day
  Duration leave_max = seconds(3);           ///< at the end, for those who keep what we publish to hear that it is over
  std::size_t max_contacts = 10'000;
  std::size_t max_peer_records = 4096;           ///< in memory; of peers with a link or waiting messages in any case
  std::size_t max_probes = 64;                   ///< ProbePeer, under way
  std::size_t max_bad_messages = 16;             ///< malformed messages after which a link is cut
  std::uint64_t max_peer_lines_per_second = 16;  ///< of the log, caused by peers: of links, and of their messages
};

/// A capability that the node offers.
struct Offer {
  std::string capability;
  bool of_entry = false;    ///< said by an entry of it in the registry of all, and not by its owner
  std::size_t holders = 0;  ///< nodes of the DHT that keep its announcement, as of the last round
};

/// Heard on the local network.
struct LanPeer {
  identity::PeerId peer;
  std::vector<identity::Endpoint> endpoints;  ///< the place heard last first
};

/// What `ekiden status` shows of the pure node.
struct NodeStatus {
  identity::PeerId id;
  std::vector<link::LinkStatus> links;
  std::size_t half_open = 0;
  std::vector<session::SessionStatus> sessions;
  router::RouterStatus router;
  std::size_t questions = 0;  ///< of ours, under way
  std::size_t requests = 0;   ///< of others, that wait for an answer
  std::size_t contacts = 0;
  datagram::DatagramStatus datagrams;
  dht::DhtStatus dht;
  lan::LanStatus lan;
  mailbox::KeeperStatus mailbox = {};            ///< what we keep for others
  mailbox::DepositorStatus deposits = {};        ///< what we are leaving with others
  mailbox::CollectorStatus own_mailboxes = {};   ///< where others leave what is for us
  relay::RelayStatus relay = {};                 ///< what we hand on for others
  std::vector<gossip::TopicStatus> topics = {};  ///< that we are members of, by name
  gossip::TopicStatus topic_totals = {};         ///< counts of all, since the start
  registry::RegistryStatus registry = {};
  bool registry_member = false;  ///< this node looks for others that hold it
  bool discovery = false;
  std::vector<reachability::EndpointStatus> endpoints = {};  ///< ours, and whether they are published
  std::optional<Error> storage;                              ///< why nothing is accepted now
  bool ready = false;                                        ///< our record is on disk; links may be made
};

/// A realm that this node is in.
struct RealmStatus {
  realm::Realm realm;
  std::size_t members = 0;  ///< linked peers that are in it, too
  registry::RegistryStatus registry = {};
};

/// Whether the network is whole, as this node sees it.
struct NetworkStatus {
  bool is_watched = false;  ///< otherwise there is nothing else here
  partition::DetectorStatus counts = {};
  std::vector<identity::PeerId> away = {};  ///< on the other side of a split; at most partition::Config::max_listed
  std::vector<partition::Changed> history = {};  ///< the oldest first; the last is the state
};

class Node {
 public:
  Node(const crypto::Ed25519Seed& seed, Config config, Rng rng);
  ~Node();

  /// The rows of the tables that are gathered (store/reading.hpp), in the order of their keys. Errors: storage_corrupt,
  /// naming table and row.
  Status load(const std::vector<store::Row>& rows);
  /// After load(), each row of the tables that are streamed, in ascending order. Errors: storage_corrupt.
  Status load_row(const store::Key& key, ByteView value);
  /// Our endpoints as others may dial them, at most 8, in place of those of the configuration. Before start().
  void set_advertised(std::vector<identity::Endpoint> endpoints);
  /// Where the driver listens, in place of what the configuration says. Before start().
  void set_listening(std::vector<identity::Endpoint> endpoints);
  /// In place of those of the configuration. Before start().
  void set_lan_ports(std::optional<lan::Ports> ports);
  /// Call once, after load().
  void start(Now now, Outbox<Effect>& out);

  void handle(Now now, Input input, Outbox<Effect>& out);

  /// See LinkPool::may_read.
  bool may_read(Now now, ConnId conn);
  /// See LinkPool::to_send.
  ByteView to_send(Now now, ConnId conn);
  void mark_sent(Now now, ConnId conn, std::size_t bytes, Outbox<Effect>& out);

  std::optional<Instant> deadline() const;

  // Queries: of the moment, free of side effects.

  const identity::Identity& self() const;
  NodeStatus status() const;
  const link::SentBytes& sent_bytes() const;  ///< by message type
  std::optional<router::Trace> trace(const router::MessageId& id) const;
  std::vector<router::Trace> outgoing(std::size_t limit, const router::OutgoingFilter& filter = {}) const;
  std::vector<router::ArrivedPtr> inbox(std::uint64_t after, std::size_t limit,
                                        const router::InboxFilter& filter = {}) const;
  /// Requests for this capability that we offer, in the order of their arrival, from `after` (exclusive).
  std::vector<router::ArrivedPtr> requests(std::string_view capability, std::uint64_t after, std::size_t limit) const;
  const identity::ContactBook& contacts() const;
  /// Strangers whose messages wait for the owner, and who is refused; in the order of their ids.
  std::vector<router::Waiting> contact_requests() const;
  std::vector<router::Blocked> blocked() const;
  bool is_blocked(const identity::PeerId& peer) const;
  /// Up to `count` nodes of the DHT that we know, those closest to us first.
  std::vector<identity::NodeInfo> known_nodes(std::size_t count) const;
  /// Up to `count` sessions of datagrams, those used last first, one for each node.
  std::vector<datagram::SessionStatus> datagram_sessions(std::size_t count) const;
  /// Who was heard on the local network lately, in the order of ids.
  std::vector<LanPeer> lan_peers() const;
  /// Where this peer was, by what it said on the local network; the place heard last first.
  std::vector<identity::Endpoint> lan_endpoints(const identity::PeerId& peer) const;
  /// The record of a peer that we hold, newest known; nobody is asked.
  std::optional<identity::SignedRecord> peer_record(const identity::PeerId& peer) const;
  /// Every node that discovery knows of, in the order of ids.
  std::vector<bootstrap::NodeStatus> bootstrap_status() const;
  /// Our signed record; empty before it is on disk.
  ByteView own_record() const;
  /// Tokens persisted and asked for; equal when nothing is under way.
  store::PersistToken last_persist() const;
  /// In the order of names.
  std::vector<Offer> offers() const;
  /// The replica that this node holds, made at the first call; `now` of its queries is that of the driver.
  const registry::Registry& registry() const;
  /// That of a realm; null if this node is not in it, or holds no replicas. Without a name: as above.
  const registry::Registry* registry_of(const std::string& realm) const;
  /// In the order of names. There are secrets in it.
  std::vector<RealmStatus> realms() const;
  NetworkStatus network(Now now) const;
  /// After ShutDown: what we published is being withdrawn. Over after Config::leave_max at the latest.
  bool is_leaving() const;

  void check_invariants() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ekiden::node
