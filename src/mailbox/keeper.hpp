// What this node keeps for others until they collect it.
//
// Inputs: deposits, collect and collected from links; links up and down; persisted; bodies fetched from the disk; time.
// Outputs: Transmit, Persist, Fetch, Damaged.
//
// Rules, and why:
//   - a parcel is accepted only over the link of the one that it is from (whoever else filled shares in that name could
//     keep the sender out), and given only over the link of the one that it is for;
//   - "stored" is said, signed, when the row is on disk. What was accepted stays until it is collected or its time is
//     over; a full mailbox refuses with a reason and a time to come back, and drops nothing (mailbox/shares.hpp);
//   - one parcel for each owner, depositor and id: a repetition is answered again and takes no more room; with another
//     payload it takes the place of the first (the sender has sealed its message anew);
//   - an owner that collects is given its parcels highest priority first, at most a window of them at a time, and what
//     comes later while its link lives. What it has confirmed is erased; what it has not is given again after
//     `again_after`, and from the start over its next link: collecting resumes wherever it was cut off;
//   - what was confirmed is dead on the disk with whatever is written next, or after kEraseDelay: many at once, and
//   never
//     while the next ones wait to be read. After a crash before that the owner is given them again, and knows them. Its
//     rows are erased later, together with others (mailbox/segments.hpp);
//   - bodies are on the disk alone, and come from there when they are given: at most max_fetch_bytes of them are on
//   their
//     way at a time, for all owners together, who take turns. What has become of the parcel or its owner meanwhile is
//     looked up when its body is there;
//   - a body that is missing or not what was written is never given: the parcel is dropped, and that is told. Its
//   sender
//     leaves it again, here or elsewhere, while there is no receipt, and other mailboxes have copies.
//
// Timers: repetition for each collecting owner; expiry, by full minutes of the wall clock, looked at once a minute;
// answers to repetitions wait kAnswerDelay, so that repeating is no cheap way to make us sign; what is dead is erased
// after a day.
//
// Bounds: Shares; owners that collect are as many as links; what is in memory of a parcel, see mailbox/shelf.hpp.
// Invariants: memory holds what Table::parcels and Table::bodies hold and Table::dead does not; counts are sums.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "identity/identity.hpp"
#include "mailbox/events.hpp"
#include "mailbox/rows.hpp"
#include "mailbox/segments.hpp"
#include "mailbox/shares.hpp"
#include "mailbox/shelf.hpp"

namespace ekiden::mailbox {

inline constexpr Duration kAnswerDelay = milliseconds(10);
inline constexpr Duration kEraseDelay = milliseconds(500);
inline constexpr std::size_t kMaxBuried = 2'048;  ///< parcels dead in memory alone, about

struct KeeperStatus {
  bool serves = false;
  Use limit;  ///< of all, as are the next
  Use stranger_limit;
  Use sender_limit;
  Use owner_limit;
  Use prefix_limit;
  Use used;
  Use strangers;
  std::size_t owners = 0;      ///< for whom there is something
  std::size_t collecting = 0;  ///< owners that have a link and asked
  std::uint64_t stored = 0;    ///< since start, as are the next
  std::uint64_t collected = 0;
  std::uint64_t expired = 0;
  std::uint64_t refused = 0;
  std::uint64_t damaged = 0;  ///< and dropped
};

class Keeper {
 public:
  /// Whom the owner of this node has named.
  using TierOf = std::function<identity::TrustTier(const identity::PeerId&)>;

  /// `self` and `config` outlive the keeper.
  Keeper(const identity::Identity& self, const Config& config, Rng rng, TierOf tier_of)
      : self_(self), config_(config), tier_of_(std::move(tier_of)), shares_(config), shelf_(std::move(rng)) {}

  /// A row of Table::dead. Errors: storage_corrupt.
  Status load_dead_row(std::uint64_t segment, ByteView value);
  /// A row of Table::parcels, in ascending order, after those and when the contacts are known. Errors: storage_corrupt.
  Status load_row(std::uint64_t number, ByteView value);
  /// Call once after the rows.
  void start(Now now, Effects& out);

  /// Errors are malformed or unauthenticated input. `prefix`: from where the link comes.
  Status on_deposit(Now now, const identity::PeerId& from, const identity::AddressPrefix& prefix, ByteView body,
                    Effects& out);
  Status on_collect(Now now, const identity::PeerId& owner, ByteView body, Effects& out);
  Status on_collected(Now now, const identity::PeerId& owner, ByteView body, Effects& out);
  void on_link_down(const identity::PeerId& peer);

  void on_persisted(Now now, store::PersistToken token, Effects& out);
  /// The answer to a Fetch.
  void on_fetched(Now now, std::vector<store::FetchedRow> bodies, Effects& out);
  /// While the store cannot commit, nothing is accepted.
  void set_storage(bool works) { storage_works_ = works; }

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Effects& out);

  KeeperStatus status() const;
  void check_invariants() const;

 private:
  /// On its way to its owner, not confirmed.
  struct Given {
    std::size_t bytes = 0;
    bool sent = false;  ///< otherwise its body is on its way from the disk
  };
  struct Owner {
    std::array<Queue, wire::kPriorities> queues{};  ///< what is on disk
    std::size_t queued = 0;                         ///< in all of them
    bool collects = false;
    bool waits = false;  ///< in waiting_owners_
    std::size_t window = 0;
    std::map<std::uint64_t, Given> given{};
    std::size_t given_bytes = 0;
  };
  using Owners = std::map<identity::PeerId, Owner>;

  void insert(std::uint64_t number, const ParcelRow& row);
  Status load_whole_row(std::uint64_t number, ByteView value);
  void queue(Slot slot);
  void erase(Now now, Slot slot);
  void replace(Slot slot, store::Batch& batch);
  void forget(Slot slot);
  /// With what was erased before it.
  void persist(store::Batch batch, std::optional<store::PersistToken> token, Effects& out);
  void forget_if_idle(Owners::iterator owner);
  void refuse(const identity::PeerId& from, const Parcel& parcel, RefusalReason reason, Effects& out);
  void confirm(Now now, Slot slot);
  void give(Now now, const identity::PeerId& id, Owner& owner, Effects& out);
  bool take_next(Owner& owner, Slot slot, store::Fetch& wanted);
  void take_back(Owner& owner);
  void send(const identity::PeerId& id, Owner& owner, Slot slot, const Bytes& body, Effects& out);
  void give_to_waiting(Now now, Effects& out);
  void flush_answers(Now now, Effects& out);
  void expire(Now now, Effects& out);

  const identity::Identity& self_;
  const Config& config_;
  const TierOf tier_of_;
  Shares shares_;
  Shelf shelf_;
  Owners owners_;
  std::map<std::uint64_t, std::size_t> fetching_;  ///< bodies on their way from the disk, and their sizes
  std::size_t fetching_bytes_ = 0;
  std::deque<identity::PeerId> waiting_owners_;  ///< to whom more could be given when less is on its way
  DeadlineMap<identity::PeerId> again_;
  std::optional<Instant> expiry_at_;
  std::map<identity::PeerId, std::vector<StoredItem>> answers_;
  std::optional<Instant> answers_at_;
  std::deque<std::pair<store::PersistToken, std::uint64_t>> waiting_;  ///< tokens never decrease
  Segments segments_;
  std::optional<Instant> erase_at_;  ///< what is dead becomes so on the disk
  std::optional<store::PersistToken> cleaned_at_;
  store::Batch split_;  ///< rows that had their body in them
  std::uint64_t last_token_ = 0;
  std::uint64_t next_number_ = 1;
  bool storage_works_ = true;
  std::uint64_t stored_ = 0;
  std::uint64_t collected_ = 0;
  std::uint64_t expired_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t damaged_ = 0;
};

}  // namespace ekiden::mailbox
