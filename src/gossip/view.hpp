// The membership of one topic as one member sees it: HyParView.
//
// A small symmetric *active* view, over whose links everything is sent, and a larger *passive* view of members that may
// take the place of a neighbour that fails. Joining sends a random walk through the overlay, so that neighbours are
// spread over it; shuffles keep the passive views fresh.
//
// Inputs: contacts (members that a search or a link has told of); links that come up, end or cannot be made; the
// messages of neighbours; time. Outputs: Transmit, Want, Met as of the engine; NeighbourUp, NeighbourDown for the
// broadcast; NeedContacts. Timers: answers that do not come, filling the active view, shuffling, searching contacts.
//
// Bounds: max_active and spare_active together, max_passive; kMaxAttempts peers under way; kMaxContacts; kMaxWalks
// walks whose way back is known. Invariants: the views are disjoint, and do not hold this node; who is active has a
// link.
//
// Rules, and the attack that each stops:
//   - a passive entry is the signed record of its owner: nobody can make members dial a third party;
//   - joins are granted within a rate, for each costs a neighbour its place (a flood of joins would empty the view of
//     honest ones); forwarded joins and shuffles within a rate for each neighbour;
//   - hops are clamped to what this node would have sent itself: no walk lives longer for what it claims;
//   - a shuffle reply counts only for a walk that went out this way, once (poisoning of the passive view).
//
// Source: Leitao, Pereira, Rodrigues, "HyParView: A Membership Protocol for Reliable Gossip-Based Broadcast", DSN 2007,
// section 4. Four things differ. A shuffle reply goes back hop by hop by the way of its walk, for a link of its own
// would cost more than the few hops. And whoever joins becomes a neighbour when the other side says so, for messages
// can be lost where links are full. And who has fewer than min_active neighbours asks urgently for others, not only
// whoever has none: it would stay far from everybody, and soon be alone. And a member that has as many neighbours as it
// wants takes one more that asks: where all have just enough, who lacks one finds none, and every way becomes longer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/lru_map.hpp"
#include "base/rng.hpp"
#include "flow/token_bucket.hpp"
#include "gossip/config.hpp"
#include "gossip/events.hpp"
#include "gossip/messages.hpp"

namespace ekiden::gossip {

struct NeighbourUp {
  identity::PeerId peer;
};
struct NeighbourDown {
  identity::PeerId peer;
};
/// Tell members of the topic, if there are any: on_contacts().
struct NeedContacts {};

using ViewEffect = std::variant<Transmit, Want, Met, NeighbourUp, NeighbourDown, NeedContacts>;
using ViewEffects = Outbox<ViewEffect>;

/// What a view sees of the node that it is in.
struct Surroundings {
  std::function<bool(const identity::PeerId&)> is_linked;
  /// The signed record of a peer, or of this node; empty if there is none. Valid until the next call.
  std::function<ByteView(const identity::PeerId&)> record_of;
  /// Whether a split, in which this node is or was until now, has taken it away.
  std::function<bool(const identity::PeerId&)> is_of_other_side;
};

class View {
 public:
  static constexpr std::size_t kMaxAttempts = 3;
  static constexpr std::size_t kMaxContacts = 32;
  static constexpr std::size_t kMaxWalks = 256;

  /// `config` and `around` outlive this.
  View(const identity::PeerId& self, const TopicId& topic, const Config& config, const Surroundings& around, Rng rng);

  /// Call once, before any other input.
  void start(Now now);
  /// Says goodbye to all neighbours. Nothing may follow.
  void leave(ViewEffects& out);

  /// Peers that may be members; those that are known to be linked come first, for they cost no dial.
  void on_contacts(Now now, const std::vector<identity::PeerId>& peers, ViewEffects& out);
  void on_link_up(Now now, const identity::PeerId& peer, ViewEffects& out);
  void on_link_down(Now now, const identity::PeerId& peer, ViewEffects& out);
  void on_unreachable(Now now, const identity::PeerId& peer, ViewEffects& out);
  /// A split heals: what came to be two overlays becomes one, although no member lacks a neighbour.
  void reunite(Now now, ViewEffects& out);

  // Messages of linked peers. Errors: what no honest member sends.

  void on_join(Now now, const identity::PeerId& from, ViewEffects& out);
  Status on_forward_join(Now now, const identity::PeerId& from, const ForwardJoin& message, ViewEffects& out);
  void on_neighbour(Now now, const identity::PeerId& from, bool urgent, ViewEffects& out);
  void on_answer(Now now, const identity::PeerId& from, Verdict verdict, ViewEffects& out);
  void on_disconnect(Now now, const identity::PeerId& from, bool leaving, ViewEffects& out);
  Status on_shuffle(Now now, const identity::PeerId& from, const Shuffle& message, ViewEffects& out);
  void on_shuffle_reply(Now now, const identity::PeerId& from, const ShuffleReply& message, ViewEffects& out);

  /// A neighbour that is of no use: it does not come back as a neighbour for `attempt_pause`.
  void expel(Now now, const identity::PeerId& peer, ViewEffects& out);

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, ViewEffects& out);

  bool is_active(const identity::PeerId& peer) const { return active_.contains(peer); }
  /// It is no neighbour, and is not asked to be one.
  bool has_nothing_with(const identity::PeerId& peer) const { return !is_active(peer) && !attempts_.contains(peer); }
  std::vector<identity::PeerId> active() const;
  std::size_t active_size() const { return active_.size(); }
  std::size_t passive_size() const { return passive_.size(); }
  /// One at random, if there is one.
  std::optional<identity::PeerId> any_active();
  void check_invariants() const;

 private:
  struct Passive {
    Bytes record;                ///< signed
    std::uint64_t sequence = 0;  ///< of the record
  };
  enum class Purpose : std::uint8_t { join, neighbour, urgent_neighbour };
  struct Attempt {
    Purpose purpose;
    bool sent = false;  ///< the link is there, and the answer is awaited
  };

  std::size_t most_active() const { return config_.max_active + config_.spare_active; }
  void add_active(Now now, const identity::PeerId& peer, ViewEffects& out);
  void remove_active(const identity::PeerId& peer, ViewEffects& out);
  void evict(Now now, ViewEffects& out);
  void add_passive(Now now, const identity::SignedRecord& record);
  /// Somebody who was a neighbour.
  void keep_passive(const identity::PeerId& peer);
  void make_passive_room();
  /// Takes those that are new and verify. Of others nobody knows who made them: walks are not verified at each hop.
  void take_records(Now now, const std::vector<ByteView>& records);
  std::vector<ByteView> sample(std::size_t count, const identity::PeerId& without);
  void fill(Now now, ViewEffects& out);
  void begin(Now now, const identity::PeerId& peer, Purpose purpose, ViewEffects& out);
  void ask(const identity::PeerId& peer, Attempt& attempt, ViewEffects& out);
  void end_attempt(const identity::PeerId& peer, ViewEffects& out);
  /// It answered no, or not at all.
  void fail_attempt(Now now, const identity::PeerId& peer, bool forget, ViewEffects& out);
  bool may_ask(Now now, const identity::PeerId& peer) const;
  std::optional<identity::PeerId> next_candidate(Now now);
  std::optional<identity::PeerId> stranger_among_contacts(Now now) const;
  std::optional<identity::PeerId> any_active_but(const identity::PeerId& other);
  void shuffle(Now now, ViewEffects& out);
  void seek_contacts(Now now, ViewEffects& out);
  Duration jittered(Duration interval);
  template <wire::Described T>
  void send(const identity::PeerId& to, wire::MessageType type, const T& message, ViewEffects& out);

  const identity::PeerId self_;
  const TopicId topic_;
  const Config& config_;
  const Surroundings& around_;
  Rng rng_;
  std::map<identity::PeerId, flow::TokenBucket> active_;  ///< and what is left of its rate
  std::map<identity::PeerId, Passive> passive_;
  std::map<identity::PeerId, Attempt> attempts_;
  DeadlineMap<identity::PeerId> attempt_due_;
  std::vector<identity::PeerId> contacts_;
  LruMap<identity::PeerId, Instant> not_before_{1024};  ///< asked again after this
  LruMap<identity::PeerId, Instant> full_{1024};        ///< when it had no room for us
  Instant lost_at_{};                                   ///< a neighbour, the last time: others may have room now
  LruMap<WalkId, identity::PeerId> walks_{kMaxWalks};   ///< of others: whence they came
  std::optional<WalkId> own_walk_;
  std::vector<identity::PeerId> shuffled_;  ///< who went with it: the first to make room for others
  flow::TokenBucket joins_;
  std::optional<Instant> shuffle_at_;
  std::optional<Instant> contact_at_;
  std::optional<Instant> fill_at_;
  std::optional<Instant> refresh_at_;
  Duration contact_wait_{};
  Duration refresh_wait_{};
  bool refreshing_ = false;  ///< the next contact is joined although no neighbour is missing
};

}  // namespace ekiden::gossip
