// One topic at one member: the membership (view.hpp), the broadcast over it (plumtree.hpp), and the items.
//
// Inputs: what the engine (gossip.hpp) hands on to it. Outputs: effects of the engine; a Want of this topic is one of
// several for a peer. Timers: those of its parts; gaps that are asked for; publications that wait for a neighbour.
//
// Rules, and the attack that each stops:
//   - an item is looked at in the order of costs: whether it is known, its form, whether its number is new, the rates,
//     its signature. Nothing changes before the signature is verified (forged items of others);
//   - what does not verify is never handed on, so whoever brings it has made it, and is blamed;
//   - what neighbours pull again is within a rate (a small graft asks for a large history).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flow/token_bucket.hpp"
#include "gossip/config.hpp"
#include "gossip/events.hpp"
#include "gossip/history.hpp"
#include "gossip/plumtree.hpp"
#include "gossip/publishers.hpp"
#include "gossip/view.hpp"
#include "identity/identity.hpp"

namespace ekiden::gossip {

/// For status pages and metrics.
struct TopicStatus {
  std::string name;
  std::string realm = {};  ///< empty: in none
  std::size_t subscribers = 0;
  std::size_t neighbours = 0;
  std::size_t eager = 0;
  std::size_t passive = 0;
  std::size_t history = 0;
  std::uint64_t published = 0;
  std::uint64_t delivered = 0;
  std::uint64_t copies = 0;         ///< items that came, the first of each included
  std::uint64_t announcements = 0;  ///< ids that came, those of histories aside
  std::uint64_t refused = 0;        ///< replays, equivocations, floods
  std::uint32_t last_hops = 0;      ///< of the last delivery
};

struct TopicName {
  std::string name;
  std::string realm;  ///< empty: in none
  TopicId id;         ///< follows from both
};

class Topic {
 public:
  /// `self`, `config` and `around` outlive this.
  Topic(const identity::Identity& self, TopicName name, const Config& config, const Surroundings& around, Rng rng);

  const TopicId& id() const { return id_; }
  const std::string& name() const { return name_; }
  const std::string& realm() const { return realm_; }
  View& view() { return view_; }

  void start(Now now, std::uint64_t run, Effects& out);
  /// `why`: what waits for a neighbour has failed; without, it was published and nobody is there.
  void leave(Effects& out, const Error* why = nullptr);

  std::size_t subscribers = 0;
  std::optional<Instant> leave_at;  ///< while nobody has subscribed

  /// What is kept of others, for a first subscriber of a topic that was joined before.
  void replay(Now now, Effects& out);
  void publish(Now now, PublishId id, ByteView payload, Effects& out);
  void on_contacts(Now now, const std::vector<identity::PeerId>& peers, Effects& out);
  void on_link_up(Now now, const identity::PeerId& peer, Effects& out);
  void on_link_down(Now now, const identity::PeerId& peer, Effects& out);
  void on_unreachable(Now now, const identity::PeerId& peer, Effects& out);
  void reunite(Now now, Effects& out);
  /// The body of a link message of this topic. Errors are malformed or unauthenticated input.
  Status on_message(Now now, const identity::PeerId& from, wire::MessageType type, ByteView body, Effects& out);

  /// Set by the view since it was asked last: members are to be told.
  bool wants_contacts() { return std::exchange(wants_contacts_, false); }

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Effects& out);

  TopicStatus status() const;
  void check_invariants() const;

 private:
  struct Rates {
    flow::TokenBucket items;
    flow::TokenBucket pulls;
  };
  struct Waiting {
    PublishId id;
    std::uint64_t sequence = 0;
  };

  bool is_of_neighbour(Now now, const identity::PeerId& from, wire::MessageType type, Effects& out);
  /// It takes us for a neighbour, which we are not.
  void correct(Now now, const identity::PeerId& peer, Effects& out);
  Status on_view_message(Now now, const identity::PeerId& from, wire::MessageType type, ByteView body, Effects& out);
  Status on_gossip(Now now, const identity::PeerId& from, const Gossiped& message, Effects& out);
  void deliver(const Item& item, std::uint32_t round, std::shared_ptr<const Bytes> bytes, Effects& out);
  void on_graft(Now now, const identity::PeerId& from, const Graft& message, Effects& out);
  void tell_history(Now now, const identity::PeerId& to, Effects& out);
  void ask_for_gaps(Now now, Effects& out);
  void push(const identity::PeerId& to, const ItemId& id, std::uint32_t round, Effects& out);
  void end_waiting(Effects& out, const Error* why = nullptr);
  /// Runs the effects of the parts.
  void settle(Now now, Effects& out);
  void on_view_effect(Now now, ViewEffect effect, Effects& out);
  void on_tree_effect(Now now, TreeEffect effect, Effects& out);

  const identity::Identity& self_;
  const std::string name_;
  const std::string realm_;
  const TopicId id_;
  const Config& config_;
  View view_;
  Plumtree tree_;
  Publishers publishers_;
  History history_;
  ViewEffects view_out_;
  TreeEffects tree_out_;
  std::map<identity::PeerId, Rates> rates_;  ///< of neighbours
  flow::TokenBucket corrections_{{.per_second = 8, .burst = 32}};
  std::vector<Waiting> waiting_;  ///< published before there was a neighbour
  std::optional<Instant> waiting_until_;
  std::uint64_t run_ = 0;
  std::uint64_t sequence_ = 0;
  std::optional<Instant> gap_at_;
  std::size_t gap_attempts_ = 0;
  bool wants_contacts_ = false;
  TopicStatus counts_;
};

}  // namespace ekiden::gossip
