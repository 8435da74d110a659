// What this node keeps for others until they collect it.
//
// Inputs: deposits, collect and collected from links; links up and down; persisted; time. Outputs: Transmit, Persist.
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
//     `again_after`, and from the start over its next link: collecting resumes wherever it was cut off.
//
// Timers: repetition for each collecting owner; expiry, by the wall clock, looked at once a minute; answers to
// repetitions wait kAnswerDelay, so that repeating is no cheap way to make us sign.
//
// Bounds: Shares; owners that collect are as many as links. Invariants: memory and Table::parcels hold the same; counts
// are sums. All payloads are in memory: max_bytes bounds that, too.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/result.hpp"
#include "identity/identity.hpp"
#include "mailbox/events.hpp"
#include "mailbox/rows.hpp"
#include "mailbox/shares.hpp"

namespace ekiden::mailbox {

inline constexpr Duration kAnswerDelay = milliseconds(10);

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
};

class Keeper {
 public:
  /// Whom the owner of this node has named.
  using TierOf = std::function<identity::TrustTier(const identity::PeerId&)>;

  /// `self` and `config` outlive the keeper.
  Keeper(const identity::Identity& self, const Config& config, TierOf tier_of)
      : self_(self), config_(config), tier_of_(std::move(tier_of)), shares_(config) {}

  /// A row of Table::parcels, in ascending order, after the contacts are known. Errors: storage_corrupt.
  Status load_row(std::uint64_t number, ByteView value);
  /// Call once after the rows.
  void start(Now now);

  /// Errors are malformed or unauthenticated input. `prefix`: from where the link comes.
  Status on_deposit(Now now, const identity::PeerId& from, const identity::AddressPrefix& prefix, ByteView body,
                    Effects& out);
  Status on_collect(Now now, const identity::PeerId& owner, ByteView body, Effects& out);
  Status on_collected(Now now, const identity::PeerId& owner, ByteView body, Effects& out);
  void on_link_down(const identity::PeerId& peer);

  void on_persisted(Now now, store::PersistToken token, Effects& out);
  /// While the store cannot commit, nothing is accepted.
  void set_storage(bool works) { storage_works_ = works; }

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Effects& out);

  KeeperStatus status() const;
  void check_invariants() const;

 private:
  using Name = std::tuple<identity::PeerId, identity::PeerId, Uuid>;  ///< owner, depositor, id
  struct Held {
    Name name;
    Claim claim;
    WallTime until{};
    wire::Priority priority{};
    ParcelKind kind{};
    std::shared_ptr<const Bytes> parcel;
    bool persisted = false;
  };
  struct Owner {
    std::set<std::pair<wire::Priority, std::uint64_t>> queue{};  ///< persisted
    bool collects = false;
    std::size_t window = 0;
    std::map<std::uint64_t, std::size_t> given{};  ///< not confirmed; their sizes
    std::size_t given_bytes = 0;
  };

  Held& insert(std::uint64_t number, Held held);
  void erase(std::uint64_t number, store::Batch& batch);
  void refuse(const identity::PeerId& from, const Parcel& parcel, RefusalReason reason, Effects& out);
  void confirm(Now now, std::uint64_t number);
  void give(Now now, const identity::PeerId& id, Owner& owner, Effects& out);
  void flush_answers(Now now, Effects& out);
  void expire(Now now, Effects& out);

  const identity::Identity& self_;
  const Config& config_;
  const TierOf tier_of_;
  Shares shares_;
  std::map<std::uint64_t, Held> held_;
  std::map<Name, std::uint64_t> numbers_;
  std::map<identity::PeerId, Owner> owners_;
  std::set<std::pair<WallTime, std::uint64_t>> by_until_;
  DeadlineMap<identity::PeerId> again_;
  std::optional<Instant> expiry_at_;
  std::map<identity::PeerId, std::vector<StoredItem>> answers_;
  std::optional<Instant> answers_at_;
  std::deque<std::pair<store::PersistToken, std::uint64_t>> waiting_;  ///< tokens never decrease
  std::uint64_t last_token_ = 0;
  std::uint64_t next_number_ = 1;
  bool storage_works_ = true;
  std::uint64_t stored_ = 0;
  std::uint64_t collected_ = 0;
  std::uint64_t expired_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace ekiden::mailbox
