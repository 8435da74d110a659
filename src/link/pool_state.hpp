// The inside of LinkPool: connections, peers, and the rules that join them. One file per idea:
//
//   pool_dial.cpp    wanting peers, dialling their endpoints, back-off
//   pool_accept.cpp  limits before authentication, notices
//   pool_links.cpp   links open and end; which one carries traffic
//   pool_room.cpp    limits of open links and queued bytes, and who gives way
//   pool_read.cpp    who is read now, and what reading has cost
//   pool_end.cpp     the graceful end; invariants
//   pool.cpp         the public face; timers
//
// Which link carries traffic, when two nodes have several: on each side the one that opened last; and of the two nodes,
// the one with the smaller PeerId (the chooser) closes the others as superseded. Why this is right:
//   - two nodes that dial each other at the same moment may see the two links open in different orders; since only one
//     of them closes links, they never close different ones;
//   - a node dials only when it knows of no link, so a new link means that somebody lost the old one (a restart, a
//     vanished network), and "last" leaves the dead one at once instead of waiting for its silence;
//   - nothing is lost: what is queued moves to the new carrier, what was sealed is still read, for a superseded link
//     ends only after both sides said goodbye on it. Until the other side has another link open, it goes on using the
//     superseded one. Messages may overtake each other across the change.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline_map.hpp"
#include "link/gate.hpp"
#include "link/line_limit.hpp"
#include "link/link.hpp"
#include "link/pool.hpp"

namespace ekiden::link {

struct LinkPool::State {
  using Out = Outbox<Effect>;

  struct Conn {
    ConnId id{};
    std::string remote;  ///< For people: "tcp://host:port" or "address:port".
    identity::Endpoint::Transport transport{};
    bool dialled = false;
    bool opened = false;                               ///< The link was open once: it is among its peer's links.
    bool write_said = false;                           ///< WantWrite was said and not yet answered in full.
    Instant since;                                     ///< Of the dial; of the opening, once opened.
    std::optional<identity::PeerId> peer{};            ///< Whom we dial; who it is, once opened.
    std::optional<identity::AddressPrefix> prefix{};   ///< Where it was accepted from.
    bool half_open = false;                            ///< Counted in the limits: accepted and not opened.
    std::size_t counted_queued = 0;                    ///< Its part of `queued`.
    std::unique_ptr<Link> link{};                      ///< None while connecting.
    bool unread = false;                               ///< The driver waits for a Resume, or has not asked since.
    bool probe = false;                                ///< Nobody's dial but that of probe().
    std::optional<crypto::Ed25519PublicKey> key{};     ///< Of a probe.
    std::optional<identity::SocketAddress> address{};  ///< Of the other side, if it is known.
  };

  struct Peer {
    bool wanted = false;
    std::vector<identity::Endpoint> endpoints;
    std::size_t next_endpoint = 0;
    std::optional<crypto::Ed25519PublicKey> public_key;
    std::optional<crypto::X25519PublicKey> noise_key;  ///< Made of public_key when first needed.
    std::optional<ConnId> dialling;
    bool is_awaited = false;
    unsigned failures = 0;                  ///< Rounds in a row that ended without a link that lasted …
    Instant failing_since;                  ///< … and when the first of them did.
    std::optional<Instant> not_before;      ///< It was cut.
    std::vector<ConnId> links;              ///< In the order of their opening; closing ones included.
    std::optional<std::uint64_t> sequence;  ///< Of the newest record seen on these links.
  };

  State(const identity::Identity& self, Config knobs, Rng random);

  // Dialling.
  void want(Now now, const identity::PeerId& id, std::vector<identity::Endpoint> endpoints,
            std::optional<identity::PeerRecord> record, Out& out);
  void unwant(const identity::PeerId& id, bool is_over);
  void set_awaited(const identity::PeerId& id, bool awaited);
  void dial_now(Now now, const identity::PeerId& id, Out& out);
  ConnId probe(Now now, const identity::PeerId& id, const identity::Endpoint& endpoint,
               const std::optional<crypto::Ed25519PublicKey>& key, Out& out);
  ConnId start_dial(Now now, const identity::PeerId& id, const identity::Endpoint& endpoint, Out& out);
  void connected(Now now, ConnId id, const std::optional<identity::SocketAddress>& address, Out& out);
  std::optional<crypto::X25519PublicKey> noise_key_for(const Conn& conn);
  void attempt_failed(Now now, const identity::PeerId& id, Error why, Out& out);
  Instant schedule_redial(Now now, const identity::PeerId& id, Peer& peer);
  void end_round(Now now, const identity::PeerId& id, Peer& peer, Error why, Out& out);
  void stop_dialling(Peer& peer, Out& out);
  void cut(Now now, const identity::PeerId& id, const Error& why, Out& out);
  void forget_if_idle(const identity::PeerId& id);

  // Accepting.
  void accept(Now now, ConnId id, const identity::SocketAddress& from, identity::Endpoint::Transport transport,
              Out& out);
  Status admit(Now now, const identity::AddressPrefix& prefix, Out& out);
  std::size_t handshakes_from(const identity::AddressPrefix& prefix) const;
  bool free_half_open(Now now, std::size_t own, Out& out);
  void release_half_open(Conn& conn);
  void notice(Now now, Error what, const std::string& remote, Out& out);

  // Links.
  void receive(Now now, ConnId id, ByteView bytes, Out& out);
  void on_opened(Now now, ConnId id, RemoteParty remote, Out& out);
  void choose(Now now, const identity::PeerId& id, Out& out);
  Conn* carrier(const identity::PeerId& id);
  const Conn* carrier(const identity::PeerId& id) const;
  void trim(Now now, const identity::PeerId& id, Out& out);
  void settle(Now now, ConnId id, Out& out);
  void hang_up(Now now, ConnId id, Error why, Out& out);
  void remove(Now now, ConnId id, Error why, Out& out);
  void peer_lost_link(Now now, ConnId id, const Conn& conn, Error why, Out& out);

  // Room.
  Status send(Now now, const identity::PeerId& to, wire::Priority priority, ByteView message, Out& out);
  Status make_room(Now now, const Conn& newcomer, bool is_wanted, Out& out);
  bool evict(Now now, const std::optional<identity::AddressPrefix>& from, bool for_wanted, Out& out);
  Status reserve(Now now, const Conn& sender, std::size_t bytes, Out& out);
  void count_opened(Conn& conn);
  void count_queued(Conn& conn);
  void release(Conn& conn);

  // Reading.
  bool may_read(Now now, ConnId id);
  void charge(Now now, const Conn& conn, Duration work);
  void charge_handshake(Now now, ConnId id);
  void charge_read(Now now, ConnId id, std::size_t bytes);
  bool is_ours_to_read(const Conn& conn) const;
  void resume_waiting(Now now, Out& out);
  void stop_waiting(const Conn& conn);

  // The end, and what always holds (pool_end.cpp).
  void shut_down(Now now, Out& out);
  void check_invariants() const;
  void check_conn(const Conn& conn) const;
  void check_counts() const;
  void check_peers() const;

  Conn* find(ConnId id);
  Peer* find(const identity::PeerId& id);

  Config config;
  LocalParty local;
  Rng rng;
  std::map<ConnId, Conn> conns;
  std::map<identity::PeerId, Peer> peers;
  DeadlineMap<ConnId> timers;  ///< Never later than the deadline of the connection.
  SentBytes sent_bytes{};
  DeadlineMap<identity::PeerId> redials;
  using Counts = std::map<identity::AddressPrefix, std::size_t>;
  Counts half_open_by_prefix;
  Counts opened_by_prefix;
  std::size_t half_open = 0;
  std::size_t opened = 0;
  std::size_t queued = 0;  ///< Bytes that wait on all links.
  std::size_t wanted = 0;
  std::uint64_t next_conn = 1;
  bool shutting_down = false;
  Outbox<LinkEvent> events;  ///< Empty between inputs.

  LineLimit notices;

  Gate gate;
  std::function<bool(const identity::PeerId&)> is_ours;
  bool guarded = false;
  std::optional<Instant> gate_at;  ///< No later than somebody's turn.
};

}  // namespace ekiden::link
