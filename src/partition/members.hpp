// Members: who belongs to the network, as far as this node has heard, who of them is missing, and who is on the other
// side of a split.
//
// Inputs: who was heard of, who accuses whom of silence, what this node sees itself. Outputs: counts and lists.
//
// A member *counts* once it has been heard: of whom one has merely heard nobody knows whether it is there.
// It is *missing* if this node sees so itself (a neighbour that fell silent), or two others say so, and it has
// said nothing since. Once missing it stays so until it is heard. A missing member is *away* if it vanished in a split.
//
// Rules, and the attack that each stops:
//   - one accuser counts for nothing, and only members accuse: a liar splits no network;
//   - whoever is accused has the last word, signed: what was said of it before does not count any more;
//   - a member whose accusations turn out wrong too often is not heard for a while.
//
// Bounds: max_members, of each kMaxAccusers accusers and kMaxSilent accused. Who was not heard of for member_for is no
// member any more, one away not for away_for.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "flow/token_bucket.hpp"
#include "identity/peer_id.hpp"
#include "partition/config.hpp"
#include "partition/messages.hpp"

namespace ekiden::partition {

class Members {
 public:
  static constexpr std::size_t kMaxAccusers = 4;
  static constexpr std::size_t kAccusersNeeded = 2;
  static constexpr std::size_t kAccusersOfMany = 3;  ///< for what many are accused of by one each

  /// `config` outlives it.
  explicit Members(const Config& config) : config_(config) {}

  /// Heard of from somewhere: it belongs to us, and what it says is taken. It counts once it was heard. False if there
  /// are too many.
  bool know(Instant now, const identity::PeerId& peer);
  /// It has gone, politely.
  void forget(const identity::PeerId& peer);

  struct Back {
    bool is_known = false;
    bool was_missing = false;
    std::optional<Instant> away_since;
    std::vector<identity::PeerId> wrongly;  ///< have accused it, and do so too often
  };
  /// It has proven to be there now.
  Back heard(Instant now, const identity::PeerId& peer);
  /// This node sees that it is not.
  void missed(Instant now, const identity::PeerId& peer);
  /// All that `by` says is silent; takes the place of what it has said before.
  void accuse(Instant now, const identity::PeerId& by, const std::vector<identity::PeerId>& silent);
  /// The sequence of its last statement; 0: none, or it is no member. (Attack: strangers who come and go until what a
  /// member has said is forgotten and can be played again.)
  std::uint64_t said(const identity::PeerId& peer) const;
  void note_said(const identity::PeerId& peer, std::uint64_t sequence);
  /// Counts a statement of a member. False: unknown, shunned, or too many.
  bool spend_statement(Instant now, const identity::PeerId& peer);

  struct Counts {
    std::size_t here = 0;     ///< all but those that are away
    std::size_t missing = 0;  ///< of them, since shortly
    std::size_t away = 0;
    std::size_t accused = 0;   ///< neither away nor heard since, by at least one member, lately
    std::size_t accusers = 0;  ///< who have accused them; not counted beyond kAccusersOfMany
  };
  Counts counts(Instant now) const;
  /// Whoever is missing since shortly is on the other side.
  void part(Instant now);
  /// So is whoever has not been heard since `then`, or since it was missed, those aside in whom `is_well` believes.
  template <class IsWell>
  void part_silent(Instant now, Instant then, IsWell is_well) {
    for (auto& [peer, member] : members_) {
      const bool was_heard = member.heard >= then && !member.missing;
      if (!member.counts || member.away || was_heard || is_well(peer)) continue;
      member.away = now;
      member.missing = member.missing.value_or(now);
    }
  }
  /// Of those that were away and have come back: how many have not been heard since `then`.
  std::size_t quiet_again(Instant then) const;
  /// They are away again.
  void part_again(Instant now, Instant then);
  /// The split is over for them too: they are merely missing.
  void rejoin(Instant now);
  /// Forgets who is over.
  void expire(Instant now);

  bool contains(const identity::PeerId& peer) const { return members_.contains(peer); }
  bool is_missing(const identity::PeerId& peer) const;
  bool is_away(const identity::PeerId& peer) const;
  /// It is away, or was in this split.
  bool is_of_other_side(const identity::PeerId& peer) const;
  std::vector<identity::PeerId> away(std::size_t max) const;
  /// The one of those away that comes `index`th, in the order of ids. REQUIRES: there are so many.
  const identity::PeerId& away_at(std::size_t index) const;
  std::size_t size() const { return members_.size(); }
  void check_invariants() const;

 private:
  struct Accusation {
    identity::PeerId by;
    Instant at;
  };
  struct Member {
    explicit Member(Instant now, const Config& config)
        : known(now), heard(now), statements(config.statements), accusations(config.accusations) {}
    Instant known;
    Instant heard;
    std::optional<Instant> missing;
    std::optional<Instant> away;
    bool counts = false;
    bool has_returned = false;  ///< was away in this split
    std::optional<Instant> shunned;
    std::uint64_t said = 0;
    std::vector<Accusation> accusers;
    std::vector<identity::PeerId> accuses;
    flow::TokenBucket statements;
    flow::TokenBucket accusations;  ///< of its own that were wrong
  };

  bool is_recent(const Member& member, Instant now) const;

  const Config& config_;
  std::map<identity::PeerId, Member> members_;
};

}  // namespace ekiden::partition
