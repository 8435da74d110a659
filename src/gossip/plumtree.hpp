// How what is published reaches all members of a topic: Plumtree, over the active view of HyParView.
//
// Items are sent at once to *eager* neighbours, whose links form a tree, and only announced to *lazy* ones. A copy that
// comes a second time prunes the link that brought it; an announced item that does not come is asked for, which grafts
// that link into the tree again. What is announced by a way that is shorter by `optimise_hops` changes the tree.
//
// Each publisher has a tree of its own, for the shortest ways from one are long ways round from another. The tree of a
// new one begins as that of the publisher with the smallest id, which all members know alike.
//
// Inputs: neighbours that come and go; items that came or were published here; announcements, grafts, prunes; time.
// Outputs: Push (send this item), Announced lists, Graft, Prune, GiveUp. Timers: announcements that wait for others to
// join them; grafts of what was announced and has not come; last items that not all neighbours were told of.
//
// Bounds: max_trees, of which the least recently used goes; kMaxNeighbours; max_known ids, max_missing of which
// max_missing_per_neighbour were announced first by one neighbour, max_queued_ids announcements waiting for each
// neighbour, kMaxSources who announced a missing item. Invariants: only neighbours are eager; what is missing is not
// known.
//
// Rules, and the attack that each stops:
//   - an id is only an announcement: ids of items that nobody has cost their announcer its place, after
//     max_unanswered grafts more than items that it brought;
//   - rounds are clamped, and only compared; a neighbour that understates them moves the tree towards itself, and
//     loses it again with the first item that others announce and it does not bring;
//   - a neighbour that prunes everybody gets announcements, and whatever it then asks for.
//
// Source: Leitao, Pereira, Rodrigues, "Epidemic Broadcast Trees", SRDS 2007, sections 3.4 to 3.8. Two things differ.
// Of two lazy neighbours the one of the larger id announces first; the other waits, and drops what it would have
// announced when it hears that it is there, which halves the announcements, but not where the other has it by a longer
// way and had better come to us; and of all items each pair of lazy neighbours announces a part, chosen by their ids
// and that of the item: others announce the others, and a number that is missing is asked for (topic.hpp). Only to
// those whom the tree has just left all are announced, and to all the last item of a publisher, when none has followed
// it for announce_last: no later number would show that it is missing. And a shorter way is grafted before the longer
// one is pruned, when both have brought an item: pruning at once would lose what is on its way. Of two ways that which
// takes fewer hops stays.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/lru_map.hpp"
#include "base/outbox.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "gossip/config.hpp"
#include "gossip/messages.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::gossip {

/// Send this item to the neighbour.
struct Push {
  identity::PeerId to;
  ItemId id;
  std::uint32_t round = 0;
};
struct AnnounceTo {
  identity::PeerId to;
  std::vector<Announced> items;
};
struct GraftFrom {
  identity::PeerId from;
  bool tree = false;
  std::vector<ItemId> ids = {};
  std::optional<identity::PeerId> publisher = {};
};
struct PruneAt {
  identity::PeerId at;
  identity::PeerId publisher;
};
/// This neighbour announces what it does not have.
struct GiveUp {
  identity::PeerId peer;
};

using TreeEffect = std::variant<Push, AnnounceTo, GraftFrom, PruneAt, GiveUp>;
using TreeEffects = Outbox<TreeEffect>;

class Plumtree {
 public:
  static constexpr std::size_t kMaxSources = 8;
  static constexpr std::size_t kMaxNeighbours = 32;

  /// `config` outlives this. REQUIRES: max_active and spare_active together are at most kMaxNeighbours.
  Plumtree(const identity::PeerId& self, const Config& config, Rng rng);

  void on_neighbour_up(const identity::PeerId& peer);
  void on_neighbour_down(const identity::PeerId& peer);

  bool knows(const ItemId& id) const { return known_.peek(id) != nullptr; }
  /// An item that is not known: of ourselves, or verified and brought by `from` in this round.
  void accept(Now now, const ItemId& id, const identity::PeerId& publisher, const std::optional<identity::PeerId>& from,
              std::uint32_t round, TreeEffects& out);
  /// One that is not to be handed on; it is not asked for again.
  void refuse(const ItemId& id);
  /// A known one came again.
  void on_copy(const identity::PeerId& from, const ItemId& id, std::uint32_t round, TreeEffects& out);

  // Messages of neighbours. What others send is ignored.

  void on_announce(Now now, const identity::PeerId& from, const Announce& message, TreeEffects& out);
  void on_graft(const identity::PeerId& from, const Graft& message);
  void on_prune(Now now, const identity::PeerId& from, const identity::PeerId& publisher);

  std::optional<Instant> deadline() const {
    return earlier(earlier(announce_due_.earliest(), missing_due_.earliest()), last_due_);
  }
  void on_deadline(Now now, TreeEffects& out);

  /// In the tree that others begin as.
  std::size_t eager_size() const;
  std::size_t missing_size() const { return missing_.size(); }
  void check_invariants() const;

 private:
  /// Bit i: the neighbour of slot i.
  using Slots = std::uint32_t;
  struct Tree {
    Slots eager = 0;  ///< the others are lazy
    Slots left = 0;   ///< of those, who pruned us not long ago: all items are announced to them …
    std::optional<Instant> left_until = {};  ///< … until this
    std::optional<Instant> optimised = {};   ///< when a shorter way was tried last
    Announced last = {};                     ///< item, as it is announced
    Slots told = 0;                          ///< of that
    std::optional<Instant> tell_at = {};     ///< to the others
  };
  struct Known {
    std::uint32_t round = 0;
    std::optional<identity::PeerId> from = {};
    std::optional<identity::PeerId> publisher = {};  ///< nothing: it was refused
  };
  struct Source {
    identity::PeerId peer;
    std::uint32_t round = 0;
  };
  struct Missing {
    std::vector<Source> sources;
    std::optional<identity::PeerId> announcer;   ///< the first, while it is a neighbour
    std::optional<identity::PeerId> asked = {};  ///< last
    bool history = false;                        ///< asked for beside the tree
  };
  struct Neighbour {
    Slots bit = 0;
    std::vector<Announced> queue = {};  ///< to be announced
    std::size_t missing = 0;            ///< of which it is the announcer
    std::uint32_t unanswered = 0;       ///< grafts, less what came

    void note_brought() {
      if (unanswered > 0) --unanswered;
    }
  };

  Tree& tree_of(const identity::PeerId& publisher);
  Slots first_tree() const;
  bool is_announced_to(Now now, const identity::PeerId& peer, const Tree& tree, const ItemId& id) const;
  bool note_missing(Now now, const identity::PeerId& from, const Announced& item, bool history);
  void forget_missing(std::map<ItemId, Missing>::iterator entry);
  void optimise(Now now, const identity::PeerId& from, const Announced& item, const Known& known, TreeEffects& out);
  void note_told(const identity::PeerId& publisher, const ItemId& id, Slots neighbour);
  void tell_last(Now now);
  void queue_for(Now now, const identity::PeerId& peer, const Announced& item);
  void unqueue(const identity::PeerId& peer, const ItemId& id);
  void graft_missing(Now now, TreeEffects& out);
  void count_unanswered(const identity::PeerId& peer, TreeEffects& out);

  const identity::PeerId self_;
  const Config& config_;
  Rng rng_;
  std::map<identity::PeerId, Neighbour> neighbours_;
  LruMap<identity::PeerId, Tree> trees_;  ///< by publisher
  LruMap<ItemId, Known> known_;
  std::map<ItemId, Missing> missing_;
  DeadlineMap<ItemId> missing_due_;
  DeadlineMap<identity::PeerId> announce_due_;
  std::optional<Instant> last_due_;  ///< the earliest Tree::tell_at, or before
};

}  // namespace ekiden::gossip
