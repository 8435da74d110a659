// The inside of a Node: its engines, their outboxes, and the glue between them, one file per meeting.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>

#include "base/deadline_map.hpp"
#include "base/lru_map.hpp"
#include "base/recent_set.hpp"
#include "bootstrap/bootstrap.hpp"
#include "link/line_limit.hpp"
#include "mailbox/collector.hpp"
#include "mailbox/depositor.hpp"
#include "mailbox/keeper.hpp"
#include "node/attempt.hpp"
#include "node/in_flight.hpp"
#include "node/lookup_for.hpp"
#include "node/messages.hpp"
#include "node/minute_count.hpp"
#include "node/neighbour.hpp"
#include "node/network_watch.hpp"
#include "node/node.hpp"
#include "node/own_capabilities.hpp"
#include "node/own_endpoints.hpp"
#include "node/own_list.hpp"
#include "node/own_sequence.hpp"
#include "node/peer_records.hpp"
#include "node/realms.hpp"
#include "node/signed_times.hpp"
#include "node/wanted_by.hpp"
#include "node/without_udp.hpp"
#include "reachability/reachability.hpp"
#include "relay/relay.hpp"
#include "router/asks.hpp"
#include "wire/message_type.hpp"

namespace ekiden::node {

struct Node::Impl {
  Impl(const crypto::Ed25519Seed& seed, Config cfg, Rng rng);

  // node.cpp: inputs and the queue between engines.
  void handle(Now now, Input input);
  void on_persisted(Now now, store::PersistToken up_to);
  void set_storage(Now now, std::optional<Error> fault);
  void shut_down(Now now);
  void tick(Now now);
  /// Runs the effects of all engines until none is left, then asks the driver to persist what they wrote.
  void settle(Now now);
  void log(LogLevel level, std::string_view component, std::string text);
  /// A line that a peer can cause at will.
  void log_limited(Now now, link::LineLimit& limit, LogLevel level, std::string_view component, std::string text);
  void reply(RequestId request, Status status);

  // own_record.cpp: the record that we publish.
  Status load_meta_row(const store::Row& row);
  void renew_record(Now now);
  /// If the wall clock says that it is due.
  void renew_record_in_time(Now now);
  void publish_record(Now now, Bytes persisted);
  /// Others hold this one, which we have signed.
  void on_own_record(Now now, const identity::PeerRecord& held, ByteView signed_bytes);
  /// A node of the DHT keeps a newer one.
  void seek_own_record(Now now);
  /// Signs anew what others would take for older than what they hold.
  void catch_up(Now now);
  /// A number that no record or announcement of ours has carried; in the batch.
  std::uint64_t next_sequence(Now now);
  /// The end: what is published is over, and whoever keeps it hears so.
  void leave(Now now);
  void end_leaving();

  // capabilities.cpp: what we offer, and the announcements of it.
  Status load_capabilities_row(const store::Row& row);
  Status check_offer(const std::string& capability) const;
  void offer(Now now, const OfferCapability& request);
  void withdraw_offer(Now now, const WithdrawCapability& request);
  void write_offers(Now now, RequestId request);
  void announce(Now now, const std::string& capability);
  void end_announcement(Now now, const std::string& capability);
  void sign_announcement(Now now, const std::string& capability, WallTime issued_at, seconds ttl);
  void announce_in_time(Now now);
  /// Announcements whose sequence is on disk.
  void publish_announcements(Now now, std::vector<Bytes> announcements);
  void on_published(Now now, const dht::Published& published);
  void find_capability(Now now, FindCapability& request);

  // link_glue.cpp: neighbours meet router, sessions and contacts.
  void on_link_effect(Now now, link::LinkPool::Effect effect);
  void on_link_up(Now now, link::Up& up);
  void dial_for_link(link::Dial dial);
  void on_message(Now now, const link::Message& message);
  Status on_error_message(Now now, const identity::PeerId& from, ByteView body);
  Status dispatch(Now now, const link::Message& message);
  Status dispatch_shared(Now now, const link::Message& message);
  Status on_session_reset(Now now, const identity::PeerId& from, ByteView body);
  /// The peer cannot open what we seal in it.
  void drop_session(Now now, const identity::PeerId& peer, const session::SessionId& id);
  void send_message(Now now, const identity::PeerId& to, wire::Priority priority, wire::MessageType type,
                    ByteView body);
  void on_bad_message(Now now, const identity::PeerId& from, std::uint8_t type, const Error& why);
  /// Without an answer. False if that was one too many, and the link is cut.
  bool count_bad_message(Now now, const identity::PeerId& from, std::uint8_t type, const Error& why);
  // precedence_glue.cpp: strangers wait for contacts.
  bool comes_first(const identity::PeerId& peer) const;
  void note_linked_contact(const identity::PeerId& peer);
  void weigh(Now now, const link::Message& message, bool brought_envelope);
  void weigh_routed(Now now, const relay::Arrived& packet);

  // session_glue.cpp: the router's messages are sealed and opened.
  void on_session_effect(Now now, session::Sessions::Effect effect);
  void seal(Now now, router::Seal&& request);
  void seal_waiting(Now now);
  void seal_now(Now now, const router::Seal& request, session::Durability durability);
  void open(Now now, const router::Open& request);
  void refuse_session(Now now, const router::Envelope& envelope, session::OpenFailure why);

  // router_glue.cpp: the router's effects reach links, store and application.
  void on_router_effect(Now now, router::Router::Effect effect);
  void connect(Now now, const router::Connect& request);
  void want(Now now, const identity::PeerId& peer, WantedBy by);
  void unwant(Now now, const identity::PeerId& peer, WantedBy by);
  /// Nobody else does in its place, as one mailbox does for another of those that a peer names.
  bool is_awaited(const identity::PeerId& peer) const;
  /// With what is known of it now. REQUIRES: it is wanted.
  void reach(Now now, const identity::PeerId& peer);
  void dial(Now now, const identity::PeerId& peer);

  // mailbox_glue.cpp: what others keep for us and we for them.
  void on_mailbox_effect(Now now, mailbox::Effect effect);
  Status on_mailbox_message(Now now, const link::Message& message);
  /// A neighbour's record: of its link, or a newer one.
  void show_neighbour(Now now, const identity::PeerRecord& peer);
  void leave_message(Now now, const router::Deposit& deposit);
  void leave_receipt(Now now, const router::DepositReceipt& deposit);
  void on_parcel(Now now, mailbox::Arrived parcel);
  /// Errors: what makes the parcel worthless.
  Status take_receipt(Now now, const mailbox::Arrived& parcel);
  void find_mailboxes(Now now, const mailbox::FindMailboxes& request);
  void tell_mailboxes(Now now, const identity::PeerId& owner, const std::vector<identity::PeerId>& nearest);

  // relay_glue.cpp: messages and receipts go through relays where there is no link, and packets of others through us.
  Status load_packets(const std::vector<store::Row>& rows);
  Status load_relay_row(const store::Row& row);
  void on_relay_effect(Now now, relay::Effect effect);
  void forward_message(Now now, const router::Forward& forward);
  void forward_receipt(Now now, const router::ForwardReceipt& forward);
  void on_packet_arrived(Now now, relay::Arrived packet);
  void switch_relay(Now now, const SwitchRelay& request);
  std::vector<identity::PeerId> own_relays();

  // gossip_glue.cpp: links carry the messages of topics, whose members the DHT finds.
  void on_gossip_effect(Now now, gossip::Effect effect);
  void show_member(Now now, const gossip::ShowMember& show);
  void find_members(Now now, const gossip::TopicId& topic);
  void on_members_found(Now now, const gossip::TopicId& topic, const dht::LookupDone& done);
  ByteView signed_record_of(const identity::PeerId& peer);

  // registry_glue.cpp: replicas of the registry are compared over links, and members found as those of a topic are.
  Status load_registry_row(ByteView name, ByteView value);
  registry::Registry& made_registry();
  void start_registry(Now now);
  std::vector<identity::PeerId> registry_neighbours() const;
  void settle_registries(Now now);
  void on_registry_effect(Now now, const std::string& realm, HeldRegistry& held, registry::Effect effect);
  Status on_registry_message(Now now, HeldRegistry& held, const identity::PeerId& from, ByteView message);
  Result<HeldRegistry*> writable_registry(const std::string& realm);
  void put_entry(Now now, const PutEntry& request);
  void remove_entry(Now now, const RemoveEntry& request);
  void become_member(Now now, const std::string& realm, HeldRegistry& held);  ///< if this node may be one and is none
  void want_for_registry(Now now, const identity::PeerId& peer, bool wanted);
  void seek_member(Now now, const identity::PeerId& peer);  ///< dials it for a while, and few others at that time
  bool end_seek(Now now, const identity::PeerId& peer);     ///< true if it was sought

  // services_glue.cpp: registries tell what is announced in the DHT, and the reverse.
  void on_own_entry(Now now, HeldRegistry& held, const std::string& name);
  void list_in_all(Now now);
  void list_offers(Now now, HeldRegistry& held);
  void list_record(Now now, HeldRegistry& held);
  void on_listed_record(Now now, const identity::PeerId& owner);
  std::optional<identity::SignedRecord> listed_record(const identity::PeerId& peer);
  void add_listed(Now now, const std::string& capability, bool with_realms, std::vector<router::Candidate>& candidates);

  // realm_glue.cpp: realms, whose members share topics and a registry.
  Status load_realm_row(const store::Row& row);
  Status load_realm_entry(ByteView name, ByteView value);
  void begin_stay(HeldRealm& held);
  void start_realms(Now now);
  void take_part_in(Now now, HeldRealm& held);
  Status check_entry(const EnterRealm& request) const;
  void enter_realm(Now now, const EnterRealm& request);
  void leave_realm(Now now, const LeaveRealm& request);
  void on_realm_effect(Now now, realm::Effect effect);
  void settle_members(Now now);
  void tick_realms(Now now);
  void on_realm_persisted(Now now, Stay stay, store::PersistToken token);
  registry::Registry* registry_shared_with(const std::string& realm, const identity::PeerId& peer);
  Status on_realm_message(Now now, const identity::PeerId& from, ByteView body);
  void send_in_realm(Now now, const std::string& realm, const registry::Transmit& transmit);
  void persist_in_realm(const std::string& realm, const registry::Persist& persist);

  // partition_glue.cpp: neighbours watch each other, and members that a split has taken away are dialled.
  void on_partition_effect(Now now, partition::Effect effect);
  void watch_neighbour(Now now, const identity::PeerId& peer);
  void tell_change(Now now, partition::Changed changed);
  void probe_away(Now now, const identity::PeerId& peer);
  /// Heard of: whether it is there now is another question.
  void show_to_watch(Now now, const identity::PeerRecord& peer);

  // ask_glue.cpp: questions go out and come in as messages, to peers that searches and neighbours tell of.
  void on_ask_effect(Now now, router::AskEffect effect);
  void place(Now now, PlaceMessage& request);
  void answer(Now now, AnswerQuestion& request);
  void show_offers(Now now);
  router::Candidate candidate_of(const identity::PeerId& peer, std::string capability) const;
  /// Linked peers whose records offer it, and owners of entries in registries.
  std::vector<router::Candidate> known_to_offer(Now now, const std::string& capability, bool with_realms);
  void find_owners(Now now, const router::FindOwners& request);
  void on_ask_owners(Now now, router::AskId ask, dht::LookupDone done);

  // dht_glue.cpp: datagrams carry the queries of the DHT, which finds the peers that messages wait for.
  void on_datagram_effect(Now now, datagram::Datagrams::Effect effect);
  void on_dht_effect(Now now, dht::Dht::Effect effect);
  /// Nodes that a record tells of may join the DHT.
  void propose_nodes(Now now, const identity::PeerRecord& peer);
  void find_for_request(Now now, const FindPeer& request);
  void on_lookup_done(Now now, dht::LookupDone done);
  void on_owners_found(LookupFor purpose, dht::LookupDone done);

  // search.cpp: peers that messages wait for and that cannot be reached.
  /// Unless one is under way or was a moment ago.
  void search(Now now, const identity::PeerId& peer);
  void on_searched(Now now, const identity::PeerId& peer, const dht::LookupDone& done);
  void end_search(const identity::PeerId& peer);
  void search_again(Now now);

  // probe_glue.cpp: one endpoint of one peer, tried once.
  void probe_for_request(Now now, const ProbePeer& request);
  void attempt(Now now, Attempt attempt, const std::optional<crypto::Ed25519PublicKey>& key);
  void ping(Now now, Attempt attempt, const identity::NodeInfo& to);
  void end_attempt(Now now, const Attempt& attempt, Result<Reachable> result);
  void on_probed(Now now, link::Probed probed);
  /// Whether the answer belongs to a ping of ours, which is then over.
  bool end_ping(Now now, datagram::QueryId query, Status status);
  identity::LearnedFrom dial_source(const link::Dial& dial) const;

  // bootstrap_glue.cpp: discovery probes nodes, asks them for lists, and offers those through which one can join.
  bool takes_part() const { return config.discovery && config.take_part; }
  void start_bootstrap(Now now);
  void on_bootstrap_effect(Now now, bootstrap::Bootstrap::Effect effect);
  void on_bootstrap_notice(Now now, const bootstrap::Notice& notice);
  void begin_probe(Now now, bootstrap::Probe probe);
  void probe_next(Now now, bootstrap::ProbeId id);
  void on_probe_answer(Now now, bootstrap::ProbeId id, const identity::Endpoint& endpoint, Result<Reachable> result);
  void end_probe(Now now, bootstrap::ProbeId id, std::optional<Bytes> list);
  void survey_bootstrap(Now now, const ProbeBootstrap& in);
  void end_list_waits(Now now, const identity::PeerId& peer, std::optional<Bytes> list);
  bool waits_for_list(const identity::PeerId& peer) const;
  void propose_candidate(Now now, const bootstrap::Candidate& candidate);
  void join_again(Now now);
  std::vector<identity::Endpoint> bootstrap_dials(const identity::PeerId& peer) const;

  // reachability_glue.cpp: which of our endpoints peers can reach, and the same for them.
  void start_reachability(Now now);
  void on_reachability_effect(Now now, reachability::Reachability::Effect effect);
  /// Of a peer whose link has come up: it may be asked, and hears from where it comes.
  void greet(Now now, const identity::PeerId& peer, const link::Up& up);
  Status on_observed(Now now, const identity::PeerId& from, ByteView body);
  Status on_dial_back(Now now, const identity::PeerId& from, ByteView body);
  Status on_dial_back_answer(Now now, const identity::PeerId& from, ByteView body);
  /// Errors: refused, limit_exceeded, malformed.
  Result<Attempt> check_dial_back(Now now, const identity::PeerId& from, const DialBack& asked);
  /// Where links of the peer come from, as far as strangers may dial there.
  std::vector<identity::IpAddress> own_addresses(const identity::PeerId& peer) const;
  bool spend_dial_back(Instant now, const identity::PeerId& peer, bool is_name);
  void end_dial_back(Now now, const ForPeer& asked, const identity::Endpoint& endpoint,
                     const Result<Reachable>& result);
  void answer_dial_back(Now now, const ForPeer& asked, reachability::Verdict verdict, std::string_view detail);
  /// Dials somebody who may tell whether we can be reached.
  void meet_somebody(Now now);
  void meet_found(Now now, const LookupFor& purpose, const dht::LookupDone& done);
  bool meet(Now now, const identity::PeerId& peer, const std::optional<crypto::Ed25519PublicKey>& key,
            const std::vector<identity::Endpoint>& endpoints, identity::LearnedFrom learned_from);
  void plan_publishing(Now now);
  void publish_endpoints(Now now);
  /// What the record shows.
  std::vector<identity::Endpoint> public_endpoints() const;
  std::vector<reachability::EndpointStatus> endpoint_status() const;

  // own_list.cpp: the bootstrap list that we sign, for those who ask.
  Status on_list_request(Now now, const identity::PeerId& from);
  bool list_is_current(Now now, const std::vector<bootstrap::ListedNode>& nodes) const;
  void renew_list(Now now, std::vector<bootstrap::ListedNode> nodes);
  void publish_list(Now now, Bytes persisted);
  void send_list(Now now, const identity::PeerId& to);

  // lan_glue.cpp: peers on the local network are candidates for the DHT, and can be dialled there.
  void start_lan(Now now);
  void on_lan_effect(Now now, lan::Lan::Effect effect);
  void on_heard(Now now, const lan::Heard& heard);
  /// Where links to this peer can be dialled by what it said.
  std::vector<identity::Endpoint> lan_dials(const identity::PeerId& peer) const;
  /// Where queries to it can go.
  std::optional<identity::NodeInfo> lan_node(const identity::PeerId& peer) const;

  // record_glue.cpp: the records of peers, of which the newest holds, whoever brings it.
  Status load_peer_record_row(const store::Row& row);
  Status on_record_message(Now now, const identity::PeerId& from, ByteView body);
  Status on_own_record_message(Now now, const identity::PeerId& from, const identity::PeerRecord& held, ByteView body);
  void learn(Now now, identity::SignedRecord record, Heard from);
  const identity::SignedRecord* newest_of(const identity::PeerId& peer);    ///< that we heard of
  const identity::SignedRecord* newest_held(const identity::PeerId& peer);  ///< registries aside
  /// The one to deal with it by: the newest, or what it shows over its link.
  const identity::PeerRecord* record_of(const identity::PeerId& peer);

  // contact_glue.cpp: the contact book.
  Status load_contact_row(const store::Row& row);
  void put_contact(Now now, const PutContact& request);
  void retry_peer(Now now, const RetryNow& in);
  void remove_contact(Now now, const RemoveContact& request);
  void block(Now now, const BlockPeer& request);
  /// A blocked contact has the room of a stranger.
  identity::TrustTier tier_of(const identity::PeerId& peer) const;
  /// Tells the router how much room this peer has, and the links whether it has to wait.
  void show_tier(const identity::PeerId& peer);
  std::vector<identity::Endpoint> endpoints_of(const identity::PeerId& peer);
  bool may_dial(const identity::IpAddress& address) const;

  identity::Identity self;
  Config config;
  link::LinkPool links;
  session::Sessions sessions;
  router::Router router;
  router::Asks asks;
  datagram::Datagrams datagrams;
  dht::Dht dht;
  bootstrap::Bootstrap bootstrap;
  reachability::Reachability reachability;
  lan::Lan lan;
  mailbox::Keeper keeper;
  mailbox::Depositor depositor;
  mailbox::Collector collector;
  relay::Relay relay;
  gossip::Gossip gossip;
  HeldRegistry open_registry;  ///< that of no realm
  Rng registry_rng;            ///< until it is made
  RegistryLinks registry_links;
  NetworkWatch watch;
  Realms realms;
  identity::ContactBook contacts;
  PeerRecords records;                               ///< of peers that are not contacts, and verified ones of those
  std::map<identity::PeerId, std::uint8_t> wanted;   ///< bits of WantedBy, never none
  std::map<identity::PeerId, Neighbour> neighbours;  ///< peers with a link
  std::set<identity::PeerId> linked_contacts;        ///< of those
  link::LineLimit link_lines;
  link::LineLimit message_lines;
  Searches searches;
  Lookups lookups;
  Joining joining;
  Attempts attempts;
  std::map<bootstrap::ProbeId, Probing> probes;  ///< of discovery
  DeadlineMap<bootstrap::ProbeId> list_due;      ///< of those that wait for a list
  DialBacks dial_backs;
  RecentSet<identity::IpAddress> datagram_hosts{4096};  ///< to which we have sent datagrams
  std::size_t meetings = 0;                             ///< whom to dial comes from here: somebody else each time
  OwnEndpoints own_endpoints;
  OwnList own_list;
  OwnCapabilities capabilities;
  OwnSequence own_sequence;
  Bytes record;                           ///< published; empty until it is on disk
  std::optional<WallTime> record_issued;  ///< of the one made last, published or not
  Sealing sealing;
  std::optional<Instant> relay_flush_at;  ///< set while packets wait to be signed, in groups, over several inputs
  std::optional<Instant> record_look;     ///< when to look at the clock again
  std::optional<Error> storage;
  bool ending = false;
  std::optional<Instant> leave_by;  ///< until then others may hear that what we published is over
  Outbox<link::LinkPool::Effect> link_out;
  Outbox<session::Sessions::Effect> session_out;
  Outbox<router::Router::Effect> router_out;
  router::AskEffects ask_out{OutboxUse::seldom};
  Outbox<datagram::Datagrams::Effect> datagram_out;
  Outbox<dht::Dht::Effect> dht_out;
  Outbox<bootstrap::Bootstrap::Effect> bootstrap_out{OutboxUse::seldom};
  Outbox<reachability::Reachability::Effect> reachability_out{OutboxUse::seldom};
  Outbox<lan::Lan::Effect> lan_out{OutboxUse::seldom};
  Outbox<mailbox::Effect> mailbox_out{OutboxUse::seldom};
  relay::Effects relay_out{OutboxUse::seldom};
  gossip::Effects gossip_out{OutboxUse::seldom};
  Outbox<Effect>* out = nullptr;  ///< the driver's, during a call
  store::Batch batch;             ///< written since the last Persist
  InFlight waiting{};             ///< for `batch`
  bool persist_wanted = false;    ///< even if `batch` is empty: somebody waits
  std::deque<InFlight> in_flight;
  std::uint64_t last_token = 0;
};

}  // namespace ekiden::node
