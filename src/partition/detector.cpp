#include "partition/detector.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "partition/statement.hpp"
#include "wire/message_type.hpp"

namespace ekiden::partition {
namespace {

using identity::PeerId;

/// Neighbours that a statement of somebody else goes to, chosen anew each time. Some nodes have links to all others,
/// above all after a split; of ten at random everybody is one but for one in twenty thousand.
constexpr std::size_t kMostTold = 10;

std::shared_ptr<const Bytes> link_message(wire::MessageType type, ByteView body) {
  Bytes out;
  out.reserve(1 + body.size());
  out.push_back(static_cast<Byte>(type));
  append(out, body);
  return std::make_shared<const Bytes>(std::move(out));
}

}  // namespace

Detector::Detector(const identity::Identity& self, const Config& config, Rng rng, Now begun)
    : self_(self),
      config_(config),
      rng_(std::move(rng)),
      neighbours_(config_, begun.wall),
      members_(config_),
      sequences_(config.max_sequences),
      gaps_(config.max_anomalies, config.gap_for),
      diverged_(config.max_anomalies, config.diverged_for),
      unequal_(config.max_anomalies, config.diverged_for),
      next_tick_(begun.mono + rng_.between(Duration(0), config.tick)),
      next_beat_(next_tick_ + rng_.between(Duration(0), config.heartbeat)) {
  CHECK(config.tick > Duration(0) && config.tick <= config.heartbeat && config.max_history > 0);
  CHECK(config.split_share > 0 && config.split_least > 0 && config.probe_low <= config.probe_high);
  history_.push_back(whole_since(begun));
}

// Neighbours. ---------------------------------------------------------------------------------------------------------

void Detector::on_neighbour_up(Now now, const PeerId& peer, Effects& out) {
  if (peer == self_.id() || neighbours_.contains(peer)) return;
  if (is_dormant()) awake(now.mono);
  if (!neighbours_.add(now.mono, peer)) return;
  members_.know(now.mono, peer);
  beat(peer, out);
}

/// A link that ends because it was idle says nothing about its other end, and whoever goes says so in a statement.
void Detector::on_neighbour_down(Now now, const PeerId& peer, bool broken) {
  const bool was_well = neighbours_.remove(peer);
  if (was_well && broken) note_silent(now.mono, peer, config_.link_grace);
  if (neighbours_.size() == 0) introduce_at_.reset();
}

/// Nobody was listened to, and nobody has been silent.
void Detector::awake(Instant now) {
  next_tick_ = now + rng_.between(Duration(0), config_.tick);
  next_beat_ = next_tick_ + rng_.between(Duration(0), config_.heartbeat);
}

/// All together at a rate that does not grow with the network. Often at first: not all ways are there yet.
void Detector::introduce(Instant now) {
  if (!introduce_at_ || now < *introduce_at_) return;
  say_in(now, Duration(0));
  const Duration most = std::clamp<Duration>(config_.say_each * members_.size(), config_.say_low, config_.say_high);
  introduce_wait_ = std::min(introduce_wait_ * 2, most);
  introduce_at_ = now + rng_.between(introduce_wait_ / 2, introduce_wait_);
}

void Detector::beat(const PeerId& peer, Effects& out) {
  const Bytes body = wire::encode(neighbours_.next(peer));
  out.push(Transmit{peer, wire::Priority::critical, link_message(wire::MessageType::partition_heartbeat, body)});
}

Status Detector::on_heartbeat(Now now, const PeerId& from, ByteView body, Effects& out) {
  EKIDEN_ASSIGN(const Heartbeat heartbeat, wire::decode<Heartbeat>(body));
  const auto heard = neighbours_.hear(now.mono, from, heartbeat);
  if (!heard) {
    ++counts_.dropped;
    return {};
  }
  if (heard->is_first) beat(from, out);
  if (!introduce_at_) {
    introduce_wait_ = config_.say_first;
    introduce_at_ = now.mono + rng_.between(introduce_wait_ / 2, introduce_wait_);
  }
  if (heard->is_well_again) {
    out.push(NeighbourSilent{.peer = from, .silent = false});
    if (state() == State::split || state() == State::healing) say_present(now.mono);
  }
  if (neighbours_.is_well(now.mono, from)) proven(now, from, out);
  return {};
}

void Detector::note_silent(Instant now, const PeerId& peer, Duration grace) {
  if (silent_.size() >= config_.max_neighbours && !silent_.contains(peer)) return;
  silent_.try_emplace(peer, Silent{.since = now, .tell_at = now + grace});
}

void Detector::look_at_neighbours(Now now, Effects& out) {
  for (const PeerId& peer : neighbours_.fallen_silent(now.mono)) {
    note_silent(now.mono, peer, config_.confirm);
    out.push(NeighbourSilent{.peer = peer, .silent = true});
  }
  for (auto& [peer, silent] : silent_) {
    if (!silent.abandoned && neighbours_.contains(peer) && now.mono - silent.since >= config_.abandon_after) {
      silent.abandoned = true;
      out.push(Abandon{peer});
    }
    if (silent.told || silent.tell_at > now.mono) continue;
    silent.told = true;
    members_.missed(now.mono, peer);
    say_in(now.mono, Duration(0));
  }
  std::erase_if(silent_, [&](const auto& entry) { return now.mono - entry.second.since > config_.accuse_for; });
}

// Members. ------------------------------------------------------------------------------------------------------------

void Detector::on_member(Now now, const PeerId& peer) {
  if (peer != self_.id()) members_.know(now.mono, peer);
}

/// (Attack: a neighbour that keeps what a member has signed until that is gone. Clocks may be wrong in both
/// directions.)
void Detector::on_heard(Now now, const PeerId& peer, const PeerId& via, WallTime signed_at, Effects& out) {
  if (peer == self_.id() || !neighbours_.is_well(now.mono, via)) return;
  if (now.wall - signed_at > config_.heard_within || signed_at - now.wall > config_.heard_within) return;
  if (members_.is_away(peer)) return;  // It may come through where nothing goes back.
  members_.know(now.mono, peer);
  proven(now, peer, out);
}

void Detector::on_compared(Now now, const PeerId& peer, Replicas found) {
  if (found == Replicas::same) {
    diverged_.gone(peer);
  } else {
    diverged_.seen(now.mono, peer);
  }
  if (found == Replicas::differ) {
    unequal_.seen(now.mono, peer);
  } else {
    unequal_.gone(peer);
  }
}

/// It was merged if it is of the other side, and of the time of the split. What has come of it before we knew that the
/// other side is back has come because it is.
void Detector::on_taken(const PeerId& author, WallTime written, bool conflict) {
  if (state() != State::split && state() != State::healing) return;
  if (!members_.is_of_other_side(author) ||
      split_wall_ - written > std::chrono::duration_cast<milliseconds>(config_.sudden)) {
    return;
  }
  if (state() == State::healing && written > healing_wall_) return;
  ++report_.merged;
  if (conflict) ++report_.conflicts;
}

/// It is there, whatever was said of it.
void Detector::proven(Now now, const PeerId& peer, Effects& out) {
  const Members::Back back = members_.heard(now.mono, peer);
  for (const PeerId& liar : back.wrongly) {
    out.push(Misbehaved{.peer = liar, .what = "it says of too many that they are silent who are not"});
  }
  if (const auto silent = silent_.find(peer); silent != silent_.end()) {
    if (silent->second.told) say_in(now.mono, config_.say_pause);
    silent_.erase(silent);
  }
  if (!back.away_since || (state() != State::split && state() != State::healing)) return;
  back_at_ = now.mono;
  ++report_.back;
  say_present(now.mono);
  if (now.mono - *back.away_since <= config_.roll_grace && state() == State::split) return;
  if (state() == State::split) heal(now, out);
}

// Statements. ---------------------------------------------------------------------------------------------------------

Status Detector::on_statement(Now now, const PeerId& from, ByteView body, Effects& out) {
  if (neighbours_.is_doubtful(now.mono, from) || !neighbours_.spend_statement(now.mono, from)) {
    ++counts_.dropped;
    return {};
  }
  EKIDEN_ASSIGN(const Statement statement, read_statement(body));
  const PeerId author = statement.author();
  if (author == self_.id() && statement.sequence <= sequence_) return {};
  if (statement.sequence <= members_.said(author)) return {};
  if (const std::uint64_t* last = sequences_.find(author); last != nullptr && statement.sequence <= *last) return {};
  ++counts_.checked;
  if (auto proof = verify_statement(body, statement); !proof) {
    out.push(Misbehaved{.peer = from, .what = proof.error().message});
    return proof;
  }
  if (author == self_.id()) {  // Of an earlier run, whose clock was ahead.
    sequence_ = statement.sequence;
    return {};
  }
  // Who says so belongs to the network: nobody could have heard of all others in another way.
  const bool is_known = members_.contains(author) || (!statement.leaving && members_.know(now.mono, author));
  if (!is_known) return {};
  sequences_.put(author, statement.sequence);
  members_.note_said(author, statement.sequence);
  if (!members_.spend_statement(now.mono, author)) {
    ++counts_.dropped;
    return {};
  }
  ++counts_.taken;
  hand_on(now, from, body, out);
  if (statement.leaving) {
    members_.forget(author);
    silent_.erase(author);
    return {};
  }
  proven(now, author, out);
  members_.accuse(now.mono, author, statement.silent);
  for (const PeerId& peer : statement.silent) {
    if (peer == self_.id()) {
      say_present(now.mono);
    } else if (neighbours_.is_well(now.mono, peer)) {
      proven(now, peer, out);
    }
  }
  return {};
}

void Detector::hand_on(Now now, const PeerId& from, ByteView statement, Effects& out) {
  const auto message = link_message(wire::MessageType::partition_statement, statement);
  std::vector<PeerId> neighbours = neighbours_.well(now.mono);
  const bool is_ours = from == self_.id();
  if (!is_ours) std::erase(neighbours, from);
  if (!is_ours && neighbours.size() > kMostTold) {
    rng_.shuffle(neighbours);
    neighbours.resize(kMostTold);
  }
  for (const PeerId& peer : neighbours) out.push(Transmit{peer, wire::Priority::high, message});
}

void Detector::say_in(Instant now, Duration delay) {
  Instant at = std::max(now + delay, awake_at_);
  if (said_at_) at = std::max(at, *said_at_ + config_.say_pause);
  say_at_ = earlier(say_at_, at);
}

/// All who have a reason have it at the same time: they take turns, and none answers everything.
void Detector::say_present(Instant now) {
  const Duration spread =
      std::clamp<Duration>(milliseconds(2) * members_.size(), milliseconds(100), config_.refute_pause);
  const Instant at = std::max(now + rng_.between(Duration(0), spread), awake_at_);
  say_at_ = earlier(say_at_, said_at_ ? std::max(at, *said_at_ + config_.refute_pause) : at);
}

/// Neighbours may have said that it is silent, and those who are none do not see that it is back. What it said before
/// its neighbours believe in it again would not be taken, and would be its word for two seconds.
void Detector::say_awake(Instant now) {
  awake_at_ = now + config_.say_awake;
  if (say_at_) say_at_ = std::max(*say_at_, awake_at_);
  say_in(now, Duration(0));
}

void Detector::say(Now now, bool leaving, Effects& out) {
  say_at_.reset();
  if (sequence_ >= kMaxSequence) return;
  said_at_ = now.mono;
  sequence_ = std::clamp(to_unix_ms(now.wall), sequence_ + 1, kMaxSequence);
  Statement statement{.public_key = self_.public_key(), .sequence = sequence_, .silent = {}, .leaving = leaving};
  for (const auto& [peer, silent] : silent_) {
    if (silent.told && !leaving && statement.silent.size() < kMaxSilent) statement.silent.push_back(peer);
  }
  ++counts_.said;
  hand_on(now, self_.id(), sign_statement(self_, statement), out);
}

void Detector::leave(Now now, Effects& out) { say(now, /*leaving=*/true, out); }

// Time. ---------------------------------------------------------------------------------------------------------------

void Detector::on_deadline(Now now, Effects& out) {
  if (now.mono >= next_tick_) {
    const Duration late = now.mono - next_tick_;
    if (late > config_.tick) neighbours_.forgive(late);
    if (late >= config_.asleep && neighbours_.size() > 0) say_awake(now.mono);
    look_at_neighbours(now, out);
    if (now.mono >= next_beat_) {
      for (const PeerId& peer : neighbours_.all()) beat(peer, out);
      next_beat_ = std::max(next_beat_ + config_.heartbeat, now.mono);
    }
    judge(now, out);
    probe(now.mono, out);
    introduce(now.mono);
    members_.expire(now.mono);
    next_tick_ = std::max(next_tick_ + config_.tick, now.mono + config_.tick / 2);
  }
  if (say_at_ && *say_at_ <= now.mono) say(now, /*leaving=*/false, out);
}

DetectorStatus Detector::status(Now now) const {
  DetectorStatus status = counts_;
  const Members::Counts counts = members_.counts(now.mono);
  status.last = history_.back();
  status.members = counts.here + counts.away;
  status.missing = counts.missing;
  status.away = counts.away;
  status.neighbours = neighbours_.size();
  status.well = neighbours_.well(now.mono).size();
  return status;
}

void Detector::check_invariants() const {
  members_.check_invariants();
  CHECK(neighbours_.size() <= config_.max_neighbours && silent_.size() <= config_.max_neighbours);
  CHECK(!history_.empty() && history_.size() <= config_.max_history && sequence_ <= kMaxSequence);
  CHECK(!members_.contains(self_.id()) && !neighbours_.contains(self_.id()));
  CHECK(probe_at_.has_value() == (state() == State::split || state() == State::healing));
}

}  // namespace ekiden::partition
