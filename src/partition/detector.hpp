// Detector: whether the network is whole, as each node sees it (docs/protocol/partition.md).
//
// Inputs: links up and down; heartbeats and statements of neighbours; members, and messages of members, that other
// engines hear of; missing items and differing replicas; what was merged; time. Outputs: Transmit, Changed,
// NeighbourSilent, Abandon, Probe, Misbehaved.
//
//   whole <--> suspected --> split <--> healing --> whole
//
// Neighbours watch each other by heartbeats. Whoever finds one silent says so in a signed statement, which all members
// hand on (the suspicion of SWIM: Das, Gupta, Motivala, DSN 2002; its incarnation numbers are the sequences of
// statements). Who is accused wrongly says that it is there. So each node knows within seconds which share of the
// members is out of reach, also one that had no neighbour among them. When the share is large and has vanished at once,
// the network is split; then all call out, and whoever is not heard is on the other side. Members of the other side
// are probed from time to time. The first that is heard makes both sides call out again: so each knows who is back.
//
// Rules, and the attack that each stops, are with the parts: partition/neighbours.hpp, partition/members.hpp. Here:
//   - statements count and are handed on only if they come over a link that works in both directions: across a split
//     that lets one direction through, nothing is said of the members by those who do not hear them;
//   - a statement is taken once, by its sequence, and costs a signature check only if it is new and of a member;
//   - when this node itself was asleep, nobody was silent, and it says that it is here.
//
// Who has a neighbour says that it is there: soon, so that it counts, and again as long as it has one. Without
// neighbours, in a whole network, nothing is said, and no time is needed.
//
// Timers: the tick, at which everything is looked at; the next statement of ours. Bounds: those of the configuration.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/lru_map.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "identity/identity.hpp"
#include "partition/anomalies.hpp"
#include "partition/config.hpp"
#include "partition/events.hpp"
#include "partition/members.hpp"
#include "partition/neighbours.hpp"

namespace ekiden::partition {

struct DetectorStatus {
  Changed last;             ///< the state, since when and why
  std::size_t members = 0;  ///< known, on both sides
  std::size_t missing = 0;  ///< lately, and not (yet) on the other side
  std::size_t away = 0;     ///< on the other side
  std::size_t neighbours = 0;
  std::size_t well = 0;       ///< neighbours that hear us and are heard
  std::uint64_t said = 0;     ///< statements of ours, since start
  std::uint64_t taken = 0;    ///< of others
  std::uint64_t checked = 0;  ///< signatures
  std::uint64_t dropped = 0;  ///< heartbeats and statements that did not count, those repeated aside
  std::uint64_t probes = 0;
};

class Detector {
 public:
  /// `self` and `config` outlive this. `begun`: since when the network is whole, as far as this node knows.
  Detector(const identity::Identity& self, const Config& config, Rng rng, Now begun);
  Detector(const Detector&) = delete;
  Detector& operator=(const Detector&) = delete;

  /// With kPartitionFeature, the first link to it.
  void on_neighbour_up(Now now, const identity::PeerId& peer, Effects& out);
  /// Its last link. `broken`: nobody has closed it on purpose.
  void on_neighbour_down(Now now, const identity::PeerId& peer, bool broken);
  /// The bodies of link messages. Errors: malformed input, a signature that does not hold.
  Status on_heartbeat(Now now, const identity::PeerId& from, ByteView body, Effects& out);
  Status on_statement(Now now, const identity::PeerId& from, ByteView body, Effects& out);

  /// It belongs to the network; say so again as long as it does, within Config::member_for.
  void on_member(Now now, const identity::PeerId& peer);
  /// Something that it has signed, at `signed_at` by its clock, has come over this neighbour: an item, an entry.
  void on_heard(Now now, const identity::PeerId& peer, const identity::PeerId& via, WallTime signed_at, Effects& out);
  /// Items of this publisher are missing.
  void on_gap(Now now, const identity::PeerId& publisher) { gaps_.seen(now.mono, publisher); }
  void on_compared(Now now, const identity::PeerId& peer, Replicas found);
  /// An entry that this member has written was not here before. `conflict`: others hold against it.
  void on_taken(const identity::PeerId& author, WallTime written, bool conflict);
  /// This node is going. Send what it says before closing links.
  void leave(Now now, Effects& out);

  std::optional<Instant> deadline() const { return is_dormant() ? say_at_ : earlier(next_tick_, say_at_); }
  void on_deadline(Now now, Effects& out);

  State state() const { return history_.back().state; }
  /// The oldest first, the last being the state; at most Config::max_history.
  const std::deque<Changed>& history() const { return history_; }
  DetectorStatus status(Now now) const;
  std::vector<identity::PeerId> away() const { return members_.away(config_.max_listed); }
  /// Whether a split, in which this node is or was until now, has taken it away.
  bool is_of_other_side(const identity::PeerId& peer) const { return members_.is_of_other_side(peer); }
  void check_invariants() const;

 private:
  struct Silent {
    Instant since;
    Instant tell_at;
    bool told = false;
    bool abandoned = false;
  };
  struct Judgement {
    Members::Counts counts;
    std::size_t threshold = 0;  ///< so many are a share
    std::size_t remains = 0;    ///< fewer than so many on the other side are none
    bool is_doubted = false;    ///< of twice a share somebody says that they are silent, and several do so
    bool is_cut = false;        ///< most of our own neighbours are silent
  };

  // detector.cpp: what comes in.
  bool is_dormant() const { return neighbours_.size() == 0 && silent_.empty() && state() == State::whole; }
  void awake(Instant now);
  void introduce(Instant now);
  void beat(const identity::PeerId& peer, Effects& out);
  void proven(Now now, const identity::PeerId& peer, Effects& out);
  void hand_on(Now now, const identity::PeerId& from, ByteView statement, Effects& out);
  void say_in(Instant now, Duration delay);
  void say_present(Instant now);
  void say_awake(Instant now);
  void say(Now now, bool leaving, Effects& out);
  void note_silent(Instant now, const identity::PeerId& peer, Duration grace);
  void look_at_neighbours(Now now, Effects& out);

  // states.cpp: what follows.
  Judgement weigh(Instant now) const;
  void judge(Now now, Effects& out);
  void judge_whole(Now now, const Judgement& judgement, Effects& out);
  void judge_healing(Now now, const Judgement& judgement, Effects& out);
  bool judge_return(Now now, const Judgement& judgement, Effects& out);
  void part(Now now, Reason reason, Effects& out);
  void heal(Now now, Effects& out);
  void become_whole(Now now, Effects& out);
  void change(Now now, State state, Reason reason, Effects& out, std::optional<Healed> healed = {});
  void say_again(Instant now);
  void call_roll(Instant now);
  void end_roll_call(Instant now);
  void probe(Instant now, Effects& out);
  void probe_soon(Instant now);

  const identity::Identity& self_;
  const Config& config_;
  Rng rng_;
  Neighbours neighbours_;
  Members members_;
  std::map<identity::PeerId, Silent> silent_;          ///< neighbours, in our own eyes
  LruMap<identity::PeerId, std::uint64_t> sequences_;  ///< of the last statements, also of those who are no members
  Anomalies gaps_;
  Anomalies diverged_;  ///< replicas that differed where they should not
  Anomalies unequal_;   ///< replicas that differ still
  Instant next_tick_;
  Instant next_beat_;
  std::optional<Instant> say_at_;
  std::optional<Instant> said_at_;
  Instant awake_at_{};                   ///< neighbours hear this node again, after it was asleep
  std::optional<Instant> introduce_at_;  ///< say next that we are here; while there are neighbours
  Duration introduce_wait_{};
  std::uint64_t sequence_ = 0;

  std::deque<Changed> history_;
  std::optional<Instant> lost_since_;  ///< a share of the members
  Instant doubted_at_{};               ///< the last reason for suspicion
  std::optional<Instant> roll_until_;
  Instant roll_since_{};
  Instant split_at_{};
  WallTime split_wall_{};
  Instant healing_at_{};
  WallTime healing_wall_{};
  bool are_back_ = false;  ///< while healing: all members that will be, and only replicas are waited for
  std::optional<Instant> healed_at_;
  Instant back_at_{};  ///< the last one came back
  std::optional<Instant> probe_at_;
  Duration probe_wait_{};
  Healed report_;
  DetectorStatus counts_;
};

}  // namespace ekiden::partition
