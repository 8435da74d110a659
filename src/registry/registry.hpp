// Registry: a directory of services of which every member holds a full replica (design in docs/protocol/registry.md).
//
// Inputs: rows of the store; puts and removals of our user; links up and down; messages of neighbours; what is durable;
// time. Outputs: Transmit, Persist, Written, Changed, Taken, Compared, Equivocated, Misbehaved, KeepLink, Seek.
//
// Whoever asks is answered from the replica, at once, also while the network is split. What is new goes to neighbours
// at once, who hand it on. Now and then, and when a link comes up, the replica is compared with that of a neighbour,
// which finds what got lost and what happened on the other side of a split.
//
// Rules, and why:
//   - an entry is taken if its signatures hold, its time is right and it is newer than what is there: so it does not
//     matter from whom, how often and in which order it comes. What is older or known costs no signature check;
//   - a neighbour that sends an entry with a wrong signature, or answers what was not asked, is heard no more for a
//     while: no honest node hands on what it has not checked;
//   - an author is taken at a rate: the rest of what it floods comes when replicas are compared, or never;
//   - a neighbour with whom comparing finds differences and brings nothing is compared with less and less often: one of
//     both does not take what the other has, for want of room or because a clock is wrong. What it can take from us, it
//     gets when it compares;
//   - who holds nothing compares nothing: whoever has something asks, and a network without entries is silent;
//   - what we write is told to others once it is on our disk, with the last stamp of our clock: after a crash we write
//     nothing that is older than what they have of us;
//   - members to which links were lost are tried for days (registry/rejoin.hpp): a split ends when somebody finds the
//     other side.
//
// Timers: the next comparison with each neighbour and its end, news to tell, the next entry that expires or ends, the
// next of ours that is to be renewed, the next attempt to reach a member that was lost.
//
// Bounds: those of the configuration, for each neighbour one comparison. Invariant: what is in the replica is on disk
// or on its way there.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/lru_map.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "flow/token_bucket.hpp"
#include "identity/identity.hpp"
#include "registry/comparison.hpp"
#include "registry/config.hpp"
#include "registry/conflicts.hpp"
#include "registry/events.hpp"
#include "registry/rejoin.hpp"
#include "registry/renewals.hpp"
#include "registry/replica.hpp"
#include "registry/writing.hpp"

namespace ekiden::registry {

struct RegistryStatus {
  std::size_t entries = 0;  ///< held, those included that were removed or expired
  std::size_t shown = 0;
  std::size_t bytes = 0;
  std::size_t neighbours = 0;
  std::size_t conflicts = 0;      ///< that are open
  std::uint64_t taken = 0;        ///< entries of others, since start
  std::uint64_t refused = 0;      ///< for want of room, rate or a right clock, since start
  std::size_t renewals = 0;       ///< entries of ours that this node renews
  std::uint64_t comparisons = 0;  ///< that came to their end, since start
  std::uint64_t differed = 0;     ///< of them
};

class Registry {
 public:
  /// `self` outlives this. `neighbours`: those of on_link_up() from before this was made.
  Registry(const identity::Identity& self, Config config, Rng rng, std::vector<identity::PeerId> neighbours = {},
           Domain domain = {});
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// A row of Table::registry. Errors: storage_corrupt.
  Status load_row(ByteView name, ByteView value);
  /// Call once, after the rows.
  void start(Now now, Effects& out);

  /// Ends with Written{token}, and then others are told: after a crash an entry of ours is newer than what they have.
  /// Errors: those of write_entry, limit_exceeded.
  Result<store::PersistToken> put(Now now, const Draft& draft, Effects& out);
  /// Ends with Written{token}. Errors: those of write_removal.
  Result<store::PersistToken> remove(Now now, const identity::PeerId& owner, std::string_view name, Effects& out);
  void on_persisted(Now now, store::PersistToken token, Effects& out);
  /// The end of a replica: everything that it has in the store goes. Nothing may follow.
  void erase_rows(store::Batch& batch) const;

  /// Nothing if there is no such name.
  std::optional<View> get(Now now, const identity::PeerId& owner, std::string_view name) const {
    return view_of(replica_, owner, name, now.wall);
  }
  /// Entries that are shown, those of a shared name one for each value. At most `max`; `from` is 0, or what `next` was.
  struct Page {
    std::vector<Entry> entries;
    std::optional<Slot> next;
  };
  Page find(Now now, const Query& query, Slot from, std::size_t max) const;
  /// The same without a query, in the order of ids, those after `from`.
  std::vector<Entry> list(Now now, std::optional<EntryId> from, std::size_t max) const;
  /// Our entry under this name of ours; nothing if it says nothing now.
  std::optional<Entry> own(Now now, std::string_view name) const;
  /// Of all that we hold of ourselves, removed or not. Looks at everything that is held.
  std::vector<std::string> own_names() const;
  std::vector<Conflict> conflicts() const { return conflicts_.all(); }

  /// Of a neighbour with kRegistryFeature.
  void on_link_up(Now now, const identity::PeerId& peer, Effects& out);
  /// `lost`: nobody has ended it.
  void on_link_down(Now now, const identity::PeerId& peer, bool lost, Effects& out);
  /// It is no member any more: it is not sought, however its link ended.
  void forget_lost(const identity::PeerId& peer) { rejoin_.forget(peer); }
  /// The bodies of link messages. Errors: malformed input; what is worse also gives Misbehaved.
  Status on_ask(Now now, const identity::PeerId& from, ByteView body, Effects& out);
  Status on_places(Now now, const identity::PeerId& from, ByteView body, Effects& out);
  Status on_want(Now now, const identity::PeerId& from, ByteView body, Effects& out);
  Status on_entries(Now now, const identity::PeerId& from, ByteView body, Effects& out);

  /// Entries end by the wall clock: `now` says how long that is from here.
  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Effects& out);

  const Replica& replica() const { return replica_; }
  RegistryStatus status() const;
  void check_invariants() const;

 private:
  struct Neighbour {
    explicit Neighbour(flow::Rate rate) : answers(rate) {}
    flow::TokenBucket answers;
    std::unique_ptr<Comparison> comparison;  ///< seldom
    Instant give_up{};                       ///< the comparison
    Duration interval{};
    bool has_gained = false;  ///< we took an entry, since the comparison began …
    bool was_behind = false;  ///< … and one that others have had for long
  };
  using Neighbours = std::map<identity::PeerId, Neighbour>;
  struct News {
    EntryId id;
    identity::PeerId from;
  };
  struct Arrivals {
    store::Batch rows;
    std::size_t taken = 0;
    bool has_late = false;
  };

  Neighbour& attend(Now now, const identity::PeerId& peer);
  Neighbour* heard(Now now, const identity::PeerId& peer);
  Status misbehaved(Now now, const identity::PeerId& peer, Error why, Effects& out);
  void send(const identity::PeerId& to, wire::Priority priority, const Messages& messages, Effects& out) const;
  /// `renew`: for how long, from now on.
  Result<store::PersistToken> keep_own(Now now, Own own, std::optional<milliseconds> renew, Effects& out);
  /// Those that are due, a part of them at a time.
  void renew(Now now, Effects& out);
  Status renew_one(Now now, const Renewals::Item& item, Effects& out);
  /// False if its author cannot have signed it.
  bool take(Now now, const identity::PeerId& from, ByteView signed_bytes, Arrivals& arrivals, Effects& out);
  bool has_rate(Now now, const identity::PeerId& author);
  void note_news(Now now, const EntryId& id, const identity::PeerId& from);
  void note(Now now, const Entry& entry, const Applied& applied, const identity::PeerId& from, Effects& out);
  void note_equivocation(Now now, const Entry& entry, const Applied& applied, Effects& out);
  void look_for_conflict(Now now, const identity::PeerId& owner, const std::string& name);
  void begin(Now now, const identity::PeerId& peer, Neighbour& neighbour, Effects& out);
  void go_on(Now now, const identity::PeerId& peer, Neighbour& neighbour, const Messages& messages, Effects& out);
  void end(Now now, const identity::PeerId& peer, Neighbour& neighbour, Effects& out);
  void compare_soon(Now now);
  void tell(Effects& out);
  void expire(Now now, Effects& out);
  void set_expiry(Now now);
  bool is_shown(const Entry& entry, WallTime wall) const;

  const identity::Identity& self_;
  const Config config_;
  Rng rng_;
  Replica replica_;
  Conflicts conflicts_;
  std::set<std::pair<identity::PeerId, std::string>> loaded_;  ///< shared names, until the start
  HybridClock clock_;
  Renewals renewals_;
  std::optional<WallTime> looked_at_;  ///< the wall clock, last
  Neighbours neighbours_;
  Rejoin rejoin_;
  LruMap<identity::PeerId, Instant> shunned_;
  LruMap<identity::PeerId, flow::TokenBucket> rates_;
  DeadlineMap<identity::PeerId> compare_;
  std::vector<News> news_;
  std::optional<Instant> tell_at_;
  std::optional<Instant> expire_at_;
  std::uint64_t last_token_ = 0;
  std::uint64_t last_written_ = 0;
  std::vector<EntryId> unwritten_;  ///< of the tokens between these
  std::uint32_t last_round_ = 0;
  RegistryStatus counts_;
  /// Neighbours that have said nothing while there is nothing to compare: nodes have many links, and most never do.
  std::vector<identity::PeerId> silent_;
};

}  // namespace ekiden::registry
