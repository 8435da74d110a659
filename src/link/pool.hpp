// The links of a node: who we are connected to, and how connections come to be.
//
// A connection is a byte stream that the driver owns (TCP; later WebSocket and others); it is known here by its ConnId.
// A link is a connection on which the Noise handshake has finished and the first transport record of the other side has
// been verified. A peer may have up to `max_links_per_peer` links (both sides dialled at once); one of them, the same
// on both sides, carries traffic, and the others drain and close.
//
// Inputs: want / unwant a peer; probe an endpoint; a connection was accepted, made, failed, brought bytes, was closed;
// a message to send. Outputs: Dial, Hangup, WantWrite for the driver; Up, Down, Message, DialFailed, Probed for the
// node. Pulled: the bytes to write, per connection (to_send / mark_sent). Back-pressure lives there: frames wait in
// per-link priority queues and are sealed into records only when the driver asks for bytes, so that a critical frame
// never waits behind more than one record. And so it is asked before it reads (may_read), for strangers wait while
// somebody of ours wants something (link/gate.hpp). Timers: the turns of those who wait, connect, handshake, keepalive,
// idle, rekey, redial with exponential back-off and jitter.
//
// Bounds and the attacks they stop: half-open handshakes in total and per address prefix (/24, IPv6 /56), each with a
// deadline (slowloris); a connection that has not proven itself holds a fixed small buffer; queued bytes per link and
// over all links (slow readers); links in total and per address prefix, where peers that are wanted here take the place
// of others (one host that takes all); nothing received before authentication changes any state but the connection's
// own. A responder acts on nothing before the initiator's first transport record (design section 7: replayed or
// key-compromised first flights bring no state).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/outbox.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "identity/address.hpp"
#include "identity/endpoint.hpp"
#include "identity/identity.hpp"
#include "identity/node_info.hpp"
#include "identity/peer_id.hpp"
#include "identity/peer_record.hpp"
#include "link/config.hpp"
#include "link/events.hpp"
#include "wire/priority.hpp"

namespace ekiden::link {

struct LinkStatus {
  identity::PeerId peer;
  ConnId conn;
  std::string remote;
  identity::Endpoint::Transport transport{};
  bool initiated_by_us = false;
  bool carries_traffic = false;
  Instant since;
  std::optional<Duration> round_trip;  ///< smoothed, from keepalive pings
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::size_t queued_bytes = 0;
};

/// Where a peer is, as one of its open links shows.
struct PeerAddress {
  identity::IpAddress ip;
  bool initiated_by_us = false;
};

/// Bytes of the messages that were given to links, since start, by type: frame headers are counted, records,
/// repetitions of the transport and what is below it are not.
inline constexpr std::size_t kCountedTypes = 64;
using SentBytes = std::array<std::uint64_t, kCountedTypes>;

class LinkPool {
 public:
  using Effect = std::variant<Dial, Hangup, WantWrite, Resume, Up, Down, Message, DialFailed, Probed, Notice>;

  /// `self` outlives the pool.
  LinkPool(const identity::Identity& self, Config config, Rng rng);
  ~LinkPool();

  /// Our signed record, sent in handshakes from now on. REQUIRED before the first connection.
  void set_own_record(Bytes signed_record);

  // Inputs.

  /// Keep a link to this peer: dial the endpoints in order, until unwant(). With a known record the handshake is IK,
  /// otherwise XX and the identity that answers must be `peer`. Again for a wanted peer: replaces endpoints and record.
  void want(Now now, const identity::PeerId& peer, std::vector<identity::Endpoint> endpoints,
            std::optional<identity::PeerRecord> record, Outbox<Effect>& out);
  /// Whether somebody waits for this wanted peer, and for no other in its place: one that has been away for less than
  /// `redial_soon_for` is dialled at least every `redial_soon`, for most absences are restarts.
  void set_awaited(const identity::PeerId& peer, bool awaited);
  /// No longer dial it; an existing link ends by idling. `is_over`: what it was wanted for will hardly come again, and
  /// it ends after Config::brief_idle_timeout.
  void unwant(Now now, const identity::PeerId& peer, bool is_over = false);
  /// Dial now what is backing off (the network came back, the user asks).
  void retry_now(Now now, const identity::PeerId& peer, Outbox<Effect>& out);

  /// Dials one endpoint once, whatever other links and dials to the peer there are. Ends with Probed, which comes with
  /// the connection that is returned. A link that it opens is one like others: the peer is Up, and the link idles out
  /// unless it is wanted, after Config::brief_idle_timeout. With a key the handshake is IK. REQUIRES: `peer` is not
  /// this node.
  ConnId probe(Now now, const identity::PeerId& peer, const identity::Endpoint& endpoint,
               const std::optional<crypto::Ed25519PublicKey>& key, Outbox<Effect>& out);

  /// `transport` is for people: all are used alike.
  void on_accepted(Now now, ConnId conn, const identity::IpAddress& from, std::uint16_t port, Outbox<Effect>& out,
                   identity::Endpoint::Transport transport = identity::Endpoint::Transport::tcp);
  /// `address`: where the connection goes, if the driver knows (not behind a proxy).
  void on_connected(Now now, ConnId conn, const std::optional<identity::SocketAddress>& address, Outbox<Effect>& out);
  void on_connect_failed(Now now, ConnId conn, const Error& why, Outbox<Effect>& out);
  void on_bytes(Now now, ConnId conn, ByteView bytes, Outbox<Effect>& out);
  void on_closed(Now now, ConnId conn, const Error& why, Outbox<Effect>& out);

  /// Queues one message (type byte and body) on the link that carries traffic. Errors: unreachable (no link),
  /// limit_exceeded (this queue or all of them are full: the caller keeps the message and tries again later),
  /// too_large.
  Status send(Now now, const identity::PeerId& to, wire::Priority priority, ByteView message, Outbox<Effect>& out);

  /// Cuts all links of a peer that misbehaves; not dialled again before `redial_max` unless wanted anew.
  void cut(Now now, const identity::PeerId& peer, const Error& why, Outbox<Effect>& out);

  /// From now on the links of others than these wait while somebody of ours wants something, as long as set_guarded()
  /// says so. Without, everybody is read at once.
  void guard(std::function<bool(const identity::PeerId&)> is_ours);
  /// Whether somebody of ours is there, for whom others have to wait.
  void set_guarded(bool guarded);
  /// Somebody of ours wants something now.
  void occupy(Now now);
  /// What this peer sent has cost so much work, at most.
  void charge(Now now, const identity::PeerId& from, Duration work);
  /// So much of what was charged to this peer was done for somebody of ours.
  void forgive(Now now, const identity::PeerId& from, Duration work);

  /// Says goodbye on every link; connections close once that is written. For a graceful end.
  void shut_down(Now now, Outbox<Effect>& out);

  // Pulled by the driver.

  /// Seals what is queued into at most one more record and returns the bytes to write; empty if there are none. Valid
  /// until the next call for this connection.
  ByteView to_send(Now now, ConnId conn);
  void mark_sent(Now now, ConnId conn, std::size_t bytes, Outbox<Effect>& out);

  /// Asked before each read of a connection that has something to read. False: it is not read, its end neither, before
  /// a Resume names it. A driver that does not ask reads everybody at once.
  bool may_read(Now now, ConnId conn);

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Outbox<Effect>& out);

  // Queries.

  bool is_up(const identity::PeerId& peer) const;
  /// Of the link that carries traffic, once a ping was answered on it.
  std::optional<Duration> round_trip(const identity::PeerId& peer) const;
  /// Bytes queued towards a peer and not yet pulled.
  std::size_t queued_bytes(const identity::PeerId& peer) const;
  std::vector<LinkStatus> links() const;
  /// Of each open link to the peer whose address is known: that to which we connected, or from which it came. The link
  /// that opened last comes first.
  std::vector<PeerAddress> addresses(const identity::PeerId& peer) const;
  std::size_t half_open() const;
  /// Connections that wait to be read.
  std::size_t unread() const;
  const SentBytes& sent_bytes() const;

  void check_invariants() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ekiden::link
