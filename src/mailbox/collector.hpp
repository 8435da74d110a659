// Where others leave what is for us: the mailboxes that our record names, and collecting from them.
//
// Inputs: rows and candidates; links up and down; parcels; what became of each; time. Outputs: Want, FindMailboxes,
// Transmit, Arrived, OwnChanged, Persist.
//
// Rules, and why:
//   - our record names `own` mailboxes of our choice, and we keep a link to each: what is left there reaches us at
//     once, also when nobody can dial us, and a mailbox that is gone is noticed and replaced;
//   - every neighbour that keeps mail is asked for ours when its link comes up (it may have been chosen by a sender
//     that found the others gone, or be one that we named before); at the start of a run, and now and then, so are
//     nodes near our id: that is where senders look when the mailboxes of our record are gone;
//   - before we have first named mailboxes nobody has left anything: we visit no more nodes than we need, for when
//     thousands start together each visit is a lookup and a link;
//   - a parcel is confirmed when whoever is above has said that it is on our disk, or worth nothing. Until then each
//     mailbox keeps its copy: no crash of ours loses one.
//
// Timers: the next look, the end of each visit, the replacement of each mailbox that is gone, confirmations (gathered
// for kConfirmDelay), and OwnChanged (gathered for kAnnounceDelay).
//
// Bounds: own + max_visits + kMaxFormer wanted links; max_open parcels that wait for our disk; over that they are
// dropped, and given again later. Invariant: own() has no peer twice.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/result.hpp"
#include "mailbox/config.hpp"
#include "mailbox/events.hpp"
#include "mailbox/rows.hpp"

namespace ekiden::mailbox {

inline constexpr Duration kConfirmDelay = milliseconds(10);
inline constexpr Duration kAnnounceDelay = seconds(2);
inline constexpr Duration kFirstLook = seconds(3);

struct OwnMailbox {
  identity::PeerId node;
  bool up = false;
};

struct CollectorStatus {
  std::vector<OwnMailbox> own;
  std::size_t open = 0;         ///< parcels that wait for our disk
  std::uint64_t collected = 0;  ///< copies confirmed, since start
};

class Collector {
 public:
  /// `config` outlives this.
  Collector(const identity::PeerId& self, const Config& config) : self_(self), config_(config) {}

  /// The row of Table::meta. Errors: storage_corrupt.
  Status load_row(ByteView value);
  /// Call once, when links can be made.
  void start(Now now, Effects& out);

  /// The answer to FindMailboxes for ourselves: the nearest first.
  void on_mailboxes(Now now, const std::vector<identity::PeerId>& nodes, Effects& out);
  /// `offers`: by its record it keeps mail, and can be dialled.
  void on_link_up(Now now, const identity::PeerId& peer, bool offers, Effects& out);
  void on_link_down(Now now, const identity::PeerId& peer);
  /// Errors are malformed input.
  Status on_parcel(const identity::PeerId& from, std::shared_ptr<const Bytes> buffer, ByteView body, Effects& out);
  /// What came of a parcel. `done`: it is on our disk or worth nothing; otherwise it is to be given again later.
  void settled(Now now, const identity::PeerId& sender, const Uuid& id, bool done);

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Effects& out);

  /// For our record.
  const std::vector<identity::PeerId>& own() const { return own_; }
  CollectorStatus status() const;
  void check_invariants() const;

 private:
  using Key = std::pair<identity::PeerId, Uuid>;            ///< sender, id
  using Copy = std::pair<identity::PeerId, std::uint64_t>;  ///< mailbox, its number
  static constexpr std::size_t kMaxCopies = 16;

  bool is_own(const identity::PeerId& peer) const;
  bool has_enough() const { return own_.size() >= config_.own; }
  void look(Now now, Effects& out);
  void want(const identity::PeerId& peer, Effects& out);
  void unwant_if_unused(const identity::PeerId& peer, Effects& out);
  void adopt(Now now, const identity::PeerId& peer, Effects& out);
  void replace(Now now, const identity::PeerId& peer, Effects& out);
  void write(Effects& out) const;
  void confirm(Effects& out);

  const identity::PeerId self_;
  const Config& config_;
  std::vector<identity::PeerId> own_;
  std::vector<identity::PeerId> former_;  ///< the last one first
  std::set<identity::PeerId> wanted_;
  std::map<identity::PeerId, bool> links_;  ///< whether they offer
  DeadlineMap<identity::PeerId> visits_;
  DeadlineMap<identity::PeerId> replace_;
  bool is_new_ = true;        ///< our record has never named as many mailboxes as it should
  bool looks_early_ = false;  ///< the next time, for there were too few
  std::optional<Instant> look_at_;
  Duration look_interval_{};
  std::optional<Instant> announce_at_;
  std::map<Key, std::vector<Copy>> open_;
  std::map<identity::PeerId, std::vector<std::uint64_t>> confirmed_;
  std::optional<Instant> confirm_at_;
  std::uint64_t collected_ = 0;
};

}  // namespace ekiden::mailbox
