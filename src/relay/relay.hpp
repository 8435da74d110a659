// Relaying: packets go from neighbour to neighbour until they are with somebody who has no link to their origin.
//
// Inputs: routes that are wanted, packets of our own, links up and down, packets and answers of neighbours, persisted,
// time. Outputs: see relay/events.hpp. The node calls flush() soon, when it has taken all that has come: packets that
// leave together are signed together.
//
// Routes are source routes, found on demand (RFC 4728, DSR). A route request goes to at most kBranches neighbours: to
// relays that the record of the peer names, otherwise to those nearest to its id. Each node that gets it hands it to
// the best neighbour that it has not passed, and to the next best when that one refuses; where no neighbour is left,
// nodes near the id are dialled, so that the next request finds them. The peer answers along the way on which it came.
// Both learn the other's record by that, so that a message can be sealed for somebody of whom no DHT
// tells. What comes later along a verified path is a route back as well (relay/routes.hpp).
//
// Rules, and why:
//   - a durable packet goes on at once, and is acknowledged when it is on our disk or the next one has acknowledged it,
//     which takes it off our disk: at each moment somebody has it on disk. (Its origin keeps its own copy until the
//     recipient's receipt.)
//   - it goes the way that its origin chose. When that breaks, we send it by a way of our own, or find one, and try
//     until it expires: the origin may be gone by then;
//   - never to a node that is on its path, never over more than path::kMaxHops hops: no loop, whoever lies;
//   - a durable packet is taken only if all hops on its path verify: what somebody has forged is refused at once, by
//     the neighbour of whoever forged it. Requests, replies and receipts are verified by the one that they are for;
//     that their last hop is the neighbour that brings them is checked everywhere;
//   - nobody answers a receipt. Who sends a message once more has not got the one that we gave before: its way has
//     failed. The origin has to have signed the packet anew: a relay that repeats an old one tells nothing;
//   - packets that are not durable wait for no disk and no signature, and nobody answers them.
//
// Timers: requests for each wanted peer, attempts for each held packet, expiry by the wall clock once a minute.
//
// Bounds: Custody; Routes; kMaxDemands wanted peers; kMaxRequests requests of others that can be tried elsewhere; a
// rate of requests for each neighbour; kMaxArriving durable packets that wait for what is above.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/lru_map.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "flow/token_bucket.hpp"
#include "identity/identity.hpp"
#include "path/path.hpp"
#include "relay/config.hpp"
#include "relay/custody.hpp"
#include "relay/events.hpp"
#include "relay/routes.hpp"

namespace ekiden::relay {

inline constexpr std::size_t kBranches = 2;
inline constexpr std::size_t kMaxTries = 3;  ///< neighbours to which one node hands one request
inline constexpr std::size_t kMaxDemands = 4096;
inline constexpr std::size_t kMaxRequests = 1024;
inline constexpr std::size_t kMaxScouts = 16;      ///< nodes that are dialled because a request found no neighbour …
inline constexpr Duration kScoutFor = minutes(2);  ///< … and for how long
inline constexpr std::size_t kMaxArriving = 4096;
inline constexpr std::size_t kMaxSent = 16'384;

/// A packet of our own. `payload` points into `buffer`.
struct Outbound {
  Uuid id;
  identity::PeerId to;
  WallTime expires{};
  wire::Priority priority = wire::Priority::normal;
  PacketKind kind = PacketKind::envelope;
  bool durable = false;
  std::shared_ptr<const Bytes> buffer;
  ByteView payload;
};

struct RelayStatus {
  bool forwards = false;
  std::size_t packets = 0;  ///< kept for others now, as is the next
  std::size_t bytes = 0;
  std::size_t max_packets = 0;
  std::size_t max_bytes = 0;
  std::size_t relays = 0;  ///< neighbours that hand on what is given to them
  std::size_t routed_peers = 0;
  std::size_t wanted_peers = 0;
  std::uint64_t taken = 0;  ///< durable packets, since start, as are the next
  std::uint64_t handed_on = 0;
  std::uint64_t passed = 0;  ///< packets that are not durable
  std::uint64_t refused = 0;
  std::uint64_t expired = 0;
  std::uint64_t search_bytes = 0;  ///< of route requests and replies that were sent, ours and those of others
};

class Relay {
 public:
  /// What a record says: the relays of that peer.
  using RelaysOf = std::function<std::vector<identity::PeerId>(const identity::PeerId&)>;
  /// Nodes near an id that have answered us lately, and can be dialled.
  using NearOf = RelaysOf;

  /// `self` and `config` outlive this.
  Relay(const identity::Identity& self, const Config& config, Rng rng, Custody::IsContact is_contact,
        RelaysOf relays_of, NearOf near_of);

  /// A row of Table::packets, in ascending order, after the contacts are known. Errors: storage_corrupt.
  Status load_row(std::uint64_t number, ByteView value) { return custody_.load_row(number, value); }
  /// Call once after the rows.
  void start(Now now, Effects& out);
  /// Shown to those to whom we want a route, and who want one to us. Until there is one, neither works.
  void set_own_record(ByteView record) { own_record_ = to_bytes(record); }
  /// Whether we hand on packets of others. What was taken before is handed on all the same.
  void set_forwarding(bool forwards) { forwards_ = forwards; }
  bool forwards() const { return forwards_; }

  // Our own packets.

  /// Answered by RouteChanged when there is a route; looked for after `route_after` without a link.
  void want_route(Now now, const identity::PeerId& to, Effects& out);
  void unwant_route(const identity::PeerId& to, Effects& out);
  /// No link will come of what is being tried: look now.
  void hurry(Now now, const identity::PeerId& to);
  /// False if there is no route, or it is too large for one. The same envelope again goes another way, and the way that
  /// it went before counts as failed.
  bool send(Now now, const Outbound& packet, Effects& out);
  /// What came of a message of ours that was sent.
  void on_settled(Now now, const identity::PeerId& to, const Uuid& id, bool delivered);
  /// What came of an Arrived: `done` if it is on disk, or worth nothing.
  void settled(const identity::PeerId& from, const Uuid& id, bool done);

  // Neighbours. `from` is authenticated by its link.

  void on_link_up(Now now, const identity::PeerId& peer, bool relays, Effects& out);
  void on_link_down(Now now, const identity::PeerId& peer, Effects& out);
  /// The bodies of link messages. Errors are malformed or unauthenticated input.
  Status on_packet(Now now, const identity::PeerId& from, const std::shared_ptr<const Bytes>& buffer, ByteView body,
                   Effects& out);
  Status on_taken(Now now, const identity::PeerId& from, ByteView body, Effects& out);
  Status on_not_taken(Now now, const identity::PeerId& from, ByteView body, Effects& out);

  void on_persisted(store::PersistToken token);
  /// While the store cannot commit, nothing durable is taken.
  void set_storage(bool works) { storage_works_ = works; }

  bool needs_flush() const { return !leaving_.empty() || !taken_.empty(); }
  void flush(Now now, Effects& out);

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Effects& out);

  RelayStatus status() const;
  /// Packets of neighbours with messages of somebody, to us or others, since start.
  std::uint64_t envelopes() const { return envelopes_; }
  void check_invariants() const;

 private:
  struct Neighbour {
    bool relays = false;
    flow::TokenBucket requests;
  };
  /// Somebody to whom a route is wanted.
  struct Demand {
    bool by_router = false;
    std::size_t by_custody = 0;  ///< held packets that have nobody left to try
    bool up = false;             ///< as RouteChanged has said
    bool wants_another = false;  ///< the routes that there are have failed
    bool is_unasked = false;     ///< there was no neighbour to ask
    Duration interval{};
    std::size_t rounds = 0;
    std::set<identity::PeerId> dialled{};  ///< its relays, to which links are wanted
  };
  /// A packet that waits to be signed.
  struct Leaving {
    Packet packet;
    std::shared_ptr<const Bytes> buffer;
    crypto::Digest subject;
    identity::PeerId next;
  };
  /// A durable packet of ours that nobody has answered yet.
  struct Sent {
    identity::PeerId to;
    Uuid id;
    Way way;
  };
  /// A durable message that has come, when last, and when its origin says that it sent it.
  struct Came {
    Instant at;
    WallTime sent;
  };
  /// The last receipt that went to somebody.
  struct Answer {
    Instant at;
    Way way;
  };
  /// A route request, ours or of others, that may be tried elsewhere when it is refused.
  struct Request {
    std::optional<identity::PeerId> giver;  ///< none: ours
    std::shared_ptr<const Bytes> bytes;     ///< what `packet` borrows from
    Packet packet;
    std::set<identity::PeerId> tried{};
  };
  using Key = std::pair<identity::PeerId, Uuid>;

  bool is_neighbour(const identity::PeerId& peer) const { return neighbours_.contains(peer); }
  void transmit(const identity::PeerId& to, const Packet& packet, Effects& out);
  void sign(Packet packet, std::shared_ptr<const Bytes> buffer, const crypto::Digest& subject,
            const identity::PeerId& next);
  void refuse(const identity::PeerId& giver, const crypto::Digest& subject, Refusal reason, Effects& out);

  // arrival.cpp: packets of neighbours.
  Status check_form(const identity::PeerId& from, const Packet& packet) const;
  Status arrive(Now now, const identity::PeerId& from, const std::shared_ptr<const Bytes>& buffer, Packet packet,
                Effects& out);
  void judge_ways(Now now, const Packet& packet);
  void arrive_request(Now now, const Packet& packet, Effects& out);
  void arrive_reply(Now now, const Packet& packet, Effects& out);
  Status hand_on(Now now, const identity::PeerId& from, const std::shared_ptr<const Bytes>& buffer, Packet packet,
                 ByteView encoded, Effects& out);
  void pass(Now now, const std::shared_ptr<const Bytes>& buffer, Packet packet, Effects& out);

  // holding.cpp: packets that we keep.
  Status take(Now now, const identity::PeerId& from, const Packet& packet, ByteView encoded, Effects& out);
  std::optional<Way> way_of(Now now, const Held& held);
  void forward(Now now, Held& held, Effects& out);
  /// It is on a disk: ours, or that of the next one.
  void answer_giver(const Held& held);
  void hold(Now now, Held& held);
  void retry_held(Now now, const identity::PeerId& to, Effects& out);
  void release(Held& held, Effects& out);
  void write(store::Batch batch, Effects& out);
  void expire(Now now, Effects& out);

  // discovery.cpp: routes.
  Demand* demand(const identity::PeerId& to);
  void ask(Now now, const identity::PeerId& to, Demand& demand, Effects& out);
  void dial_relays(const identity::PeerId& to, Demand& demand, Effects& out);
  void scout(Now now, const Request& request, Effects& out);
  void dial(const identity::PeerId& relay, Effects& out);
  void hang_up(const identity::PeerId& relay, Effects& out);
  void refresh(Now now, const identity::PeerId& to, Effects& out);
  void drop_if_unwanted(const identity::PeerId& to, Effects& out);
  void learn_route(Now now, const identity::PeerId& to, Way way, Effects& out);
  std::vector<identity::PeerId> candidates(Now now, const Request& request) const;
  bool send_request(Now now, Request& request, const crypto::Digest& subject);
  Status hand_on_request(Now now, const identity::PeerId& from, Packet packet, ByteView encoded, Effects& out);
  void on_request_refused(Now now, const crypto::Digest& subject, Request& request, Refusal reason, Effects& out);

  const identity::Identity& self_;
  const Config& config_;
  Rng rng_;
  const RelaysOf relays_of_;
  const NearOf near_of_;
  Custody custody_;
  Routes routes_;
  path::Verifier verifier_;
  bool forwards_;
  bool storage_works_ = true;
  Bytes own_record_;

  std::map<identity::PeerId, Neighbour> neighbours_;
  std::map<identity::PeerId, Demand> demands_;
  std::map<identity::PeerId, std::size_t> dialled_;  ///< for how many reasons a link to it is wanted
  DeadlineMap<identity::PeerId> scouts_;             ///< one of these reasons, until then
  DeadlineMap<identity::PeerId> ask_due_;
  LruMap<crypto::Digest, Request> requests_{kMaxRequests};
  LruMap<Uuid, identity::PeerId> asked_{kMaxRequests};          ///< our requests: whom they are for
  LruMap<crypto::Digest, std::size_t> answered_{kMaxRequests};  ///< requests for us: how often
  LruMap<crypto::Digest, Sent> sent_{kMaxSent};
  LruMap<Key, Way> ways_{kMaxSent};  ///< by which messages of ours went

  LruMap<Key, Came> came_{kMaxSent};
  LruMap<identity::PeerId, Answer> answers_{kMaxDemands};

  std::vector<Leaving> leaving_;
  std::map<identity::PeerId, std::vector<crypto::Digest>> taken_;  ///< to be answered
  std::map<Key, std::pair<identity::PeerId, crypto::Digest>> arriving_;
  DeadlineMap<std::uint64_t> held_due_;
  std::deque<std::pair<store::PersistToken, std::uint64_t>> waiting_;  ///< tokens never decrease
  std::uint64_t last_token_ = 0;
  std::optional<Instant> expiry_at_;

  std::uint64_t envelopes_ = 0;
  std::uint64_t taken_count_ = 0;
  std::uint64_t handed_on_ = 0;
  std::uint64_t passed_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t search_bytes_ = 0;
  std::uint64_t expired_ = 0;
};

}  // namespace ekiden::relay
