// Everything that can happen to a node, and everything it can ask for: the seam between the pure code and its two
// drivers, the runtime (real sockets, disk, clock) and the simulator. A driver feeds one Input at a time with the time,
// then runs the Effects in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "datagram/datagrams.hpp"
#include "dht/dht.hpp"
#include "gossip/events.hpp"
#include "identity/address.hpp"
#include "identity/contact.hpp"
#include "identity/node_info.hpp"
#include "identity/peer_id.hpp"
#include "link/pool.hpp"
#include "partition/events.hpp"
#include "realm/realm.hpp"
#include "registry/events.hpp"
#include "registry/writing.hpp"
#include "router/question.hpp"
#include "router/router.hpp"
#include "store/batch.hpp"
#include "store/reading.hpp"

namespace ekiden::node {

using link::ConnId;
using router::RequestId;

// Inputs from the network. The driver numbers accepted connections from link::kFirstAccepted upwards, never twice.

struct ConnAccepted {
  ConnId conn;
  identity::IpAddress from;
  std::uint16_t port = 0;
  identity::Endpoint::Transport transport = identity::Endpoint::Transport::tcp;
};
struct ConnConnected {
  ConnId conn;
  std::optional<identity::SocketAddress> address = {};  ///< where it goes, unless a proxy knows that alone
};
struct ConnFailed {
  ConnId conn;
  Error why;
};
struct ConnBytes {
  ConnId conn;
  ByteView bytes;  ///< borrowed for the call
};
struct ConnClosed {
  ConnId conn;
  Error why;
};

struct DatagramArrived {
  identity::SocketAddress from;
  ByteView bytes;  ///< borrowed for the call
};

/// What somebody said to all of the local network.
struct BeaconHeard {
  identity::SocketAddress from;
  ByteView bytes;  ///< borrowed for the call
};

// Inputs from the store.

/// This batch and all before it are on disk.
struct Persisted {
  store::PersistToken up_to;
};
/// Commits fail for now (disk full, locked); the driver keeps the batches and tries again. Nothing more is accepted.
struct StorageStalled {
  Error why;
};
struct StorageResumed {};
/// The answer to a Fetch. Rows that cannot be read for another reason than that they are not there end the node.
using store::Fetched;

// Inputs from the application. Each is answered by one Reply with its request.

struct SendMessage {
  RequestId request;
  router::Draft draft;
};
/// To the best of those who offer the capability, whom the draft need not name. Answered by Placed instead of Reply.
struct PlaceMessage {
  RequestId request;
  router::Draft draft;
  std::string capability;
};
/// Answered by Answered instead of Reply, within the time that the question has.
struct AskQuestion {
  RequestId request;
  router::Question question;
};
/// To a request that waits in the inbox under this number. Answered once the reply is accepted and the request taken,
/// with the id of the reply.
struct AnswerQuestion {
  RequestId request;
  std::uint64_t number = 0;
  router::Response response;
};
struct TakeMessages {
  RequestId request;
  std::vector<std::uint64_t> numbers;
};
/// Adds a contact; with `replace`, changes the one of the same id.
struct PutContact {
  RequestId request;
  identity::Contact contact;
  bool replace = false;
};
struct RemoveContact {
  RequestId request;
  identity::PeerId id;
};
/// Refuse whatever this peer sends from now on, and drop what it has in the inbox; or no longer. Errors:
/// invalid_argument (ourselves), limit_exceeded; not_found (it is not blocked).
struct BlockPeer {
  RequestId request;
  identity::PeerId id;
  bool blocked = true;
};
/// Dial and retransmit now what is backing off.
struct RetryNow {
  RequestId request;
  identity::PeerId peer;
};

/// Probe now the bootstrap nodes that were not probed yet. Errors: unsupported (discovery is off).
struct ProbeBootstrap {
  RequestId request;
};

/// Search the newest record of a peer. Answered by PeerFound instead of Reply.
struct FindPeer {
  RequestId request;
  identity::PeerId peer;
};

/// Search agents that offer a capability, or one below it. Answered by CapabilityFound instead of Reply.
struct FindCapability {
  RequestId request;
  std::string capability;
  std::size_t limit = 0;
};
/// Offer a capability from now on, across restarts. Answered once that is on disk; an offer that stands already is
/// fine. Errors: invalid_argument (not a capability), limit_exceeded.
struct OfferCapability {
  RequestId request;
  std::string capability;
};
/// Errors: not_found.
struct WithdrawCapability {
  RequestId request;
  std::string capability;
};
/// Whether this node hands on packets of others, from now on and across restarts.
struct SwitchRelay {
  RequestId request;
  bool on = false;
};
/// Try one endpoint of a peer once, whatever else there is to it. Answered by PeerProbed instead of Reply.
struct ProbePeer {
  RequestId request;
  identity::PeerId peer;
  std::optional<crypto::Ed25519PublicKey> public_key = {};  ///< otherwise that of the record we hold; udp needs one
  identity::Endpoint endpoint;
  identity::LearnedFrom learned_from{};
};

/// Hear what is published in a topic from now on, and what members still have of the last minutes: TopicMessage. As
/// often as there are subscribers. Errors: invalid_argument (not a topic), limit_exceeded.
struct SubscribeTopic {
  RequestId request;
  std::string topic;
  std::string realm = {};  ///< empty: in none; likewise below
};
/// One subscriber less. Errors: not_found.
struct UnsubscribeTopic {
  RequestId request;
  std::string topic;
  std::string realm = {};
};
/// Answered by TopicPublished instead of Reply.
struct PublishInTopic {
  RequestId request;
  std::string topic;
  Bytes payload;
  std::string realm = {};
};

/// Write an entry of the registry. Answered once it is on disk. Errors: those of registry::write_entry, limit_exceeded,
/// unsupported (this node holds no replica), not_found (it is not in the realm), those of the store while it does not
/// commit.
struct PutEntry {
  RequestId request;
  registry::Draft draft;
  std::string realm = {};
};
/// Errors: those of registry::write_removal, and as above.
struct RemoveEntry {
  RequestId request;
  identity::PeerId owner;
  std::string name;
  std::string realm = {};
};
/// Somebody reads the registry: be a member from now on, and hear what there is. Not answered.
struct ReadRegistry {};

/// Be in a realm from now on, across restarts. Answered once that is on disk; being in it already is fine. Errors:
/// invalid_argument (no name; no key to change; no invitation), already_exists (another realm of that name; an older
/// key), limit_exceeded, not_found (to change the key of), closed, those of the store while it does not commit.
struct EnterRealm {
  enum class How : std::uint8_t {
    open,           ///< whoever knows the name is in
    invited,        ///< with the key of an invitation, also in the place of an older one of the same realm
    create_closed,  ///< with a new key
    change_key,     ///< a new key for a closed one that we are in: the others need another invitation
  };
  RequestId request;
  std::string name;
  How how = How::open;
  std::optional<realm::Realm> invitation = {};  ///< with `invited`, of that name
};
/// What this node holds of its registry is dropped; its topics end, and RealmLeft says so. Errors: not_found, those of
/// the store while it does not commit.
struct LeaveRealm {
  RequestId request;
  std::string name;
};

// Inputs from the driver about the router.

/// A router forwards what it gets at this endpoint to this node.
struct EndpointMapped {
  identity::Endpoint endpoint;
};
/// It does so no longer.
struct MappingLost {
  identity::Endpoint endpoint;
};

/// The deadline() has come. Harmless when it has not.
struct Tick {};
/// Say goodbye to neighbours, and withdraw what is published. The driver then pulls what is to be written, waits for
/// the last Persist and until Node::is_leaving() is over, and ends.
struct ShutDown {};

using Input =
    std::variant<ConnAccepted, ConnConnected, ConnFailed, ConnBytes, ConnClosed, DatagramArrived, Persisted,
                 StorageStalled, StorageResumed, SendMessage, TakeMessages, PutContact, RemoveContact, RetryNow,
                 FindPeer, FindCapability, OfferCapability, WithdrawCapability, ProbePeer, EndpointMapped, MappingLost,
                 Tick, ShutDown, BeaconHeard, PlaceMessage, AskQuestion, AnswerQuestion, SwitchRelay, BlockPeer,
                 Fetched, ProbeBootstrap, SubscribeTopic, UnsubscribeTopic, PublishInTopic, PutEntry, RemoveEntry,
                 ReadRegistry, EnterRealm, LeaveRealm>;

// Effects.

/// Connect; answer with ConnConnected or ConnFailed. A name may resolve to anything: ask identity::check_dial() about
/// each address before connecting to it.
struct Dial {
  ConnId conn;
  identity::Endpoint endpoint;
  identity::LearnedFrom learned_from{};
  /// Where a name may lead; empty: anywhere. ConnFailed with not_found if it leads to none of these.
  std::vector<identity::IpAddress> only = {};
};
/// Say this to all of the local network; whether it arrives is nobody's promise.
struct SayBeacon {
  Bytes bytes;
};
using link::Hangup;
using link::Resume;
using link::WantWrite;
using router::Answered;
using router::Arrival;
using router::Placed;
using router::StateChanged;

/// Make this durable, all or nothing, after all earlier ones; answer with Persisted. Several may be gathered into one
/// commit.
struct Persist {
  store::PersistToken token;
  store::Batch batch;
};
/// Read these rows; answer with Fetched, in the order of what was asked.
using store::Fetch;
/// The answer to a request; the id of the message when one was sent.
struct Reply {
  RequestId request;
  Result<router::MessageId> result;  ///< a nil id for requests that are not SendMessage
};
/// The answer to FindPeer.
struct PeerFound {
  RequestId request;
  identity::PeerId peer;
  /// Errors: not_found, unreachable (no node of the DHT is known or answers), limit_exceeded, timed_out, unsupported
  /// (discovery is off).
  Result<identity::SignedRecord> record;
  dht::Trail trail;
};
/// The answer to FindCapability.
struct CapabilityFound {
  RequestId request;
  std::string capability;
  /// An owner once; ourselves not among them. Errors: as of PeerFound, and invalid_argument.
  Result<std::vector<identity::SignedAnnouncement>> owners;
  dht::Trail trail;
};
/// A peer that has proven its key at an endpoint.
struct Reachable {
  Duration round_trip{};
  std::optional<identity::SignedRecord> record = {};  ///< over links: the one that it showed
  std::uint16_t version = 0;                          ///< of links: the lower of both
  std::optional<identity::SocketAddress> address = {};
};
/// The answer to ProbePeer.
struct PeerProbed {
  RequestId request;
  identity::PeerId peer;
  identity::Endpoint endpoint;
  Result<Reachable> result;  ///< errors name endpoint and step
};
/// Something that was published in a topic that somebody here subscribes to; once.
using TopicMessage = gossip::Delivered;
/// The answer to PublishInTopic. Errors: those of SubscribeTopic, too_large, busy (the node is starting).
struct TopicPublished {
  RequestId request;
  Result<gossip::Publication> result;
};
/// What the registry says under this name may have changed.
struct EntryChanged {
  std::string realm;  ///< empty: in none
  identity::PeerId owner;
  std::string name;
};
/// Whoever listened in this realm hears nothing more of it.
struct RealmLeft {
  std::string realm;
};
/// Whether the network is whole: a change of that.
using NetworkChanged = partition::Changed;
struct PeerUp {
  identity::PeerId peer;
  bool initiated_by_us = false;
};
struct PeerDown {
  identity::PeerId peer;
  Error why;
};
enum class LogLevel { debug, info, warning, error };
struct Log {
  LogLevel level;
  std::string_view component;  ///< static text
  std::string text;
};

using SendDatagram = datagram::Send;
using Effect = std::variant<Dial, Hangup, WantWrite, Resume, SendDatagram, Persist, Reply, PeerFound, CapabilityFound,
                            PeerProbed, Arrival, StateChanged, PeerUp, PeerDown, Log, SayBeacon, Placed, Answered,
                            Fetch, TopicMessage, TopicPublished, EntryChanged, RealmLeft, NetworkChanged>;

}  // namespace ekiden::node
