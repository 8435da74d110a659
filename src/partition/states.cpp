// The states of the detector, and what leads from one to another.
#include <algorithm>

#include "partition/detector.hpp"

namespace ekiden::partition {
namespace {

/// Signs of other engines, of one peer alone, say something about that peer.
constexpr std::size_t kAnomaliesNeeded = 2;

}  // namespace

Detector::Judgement Detector::weigh(Instant now) const {
  Judgement judgement{.counts = members_.counts(now)};
  const auto share_of = [&](std::size_t members) {
    return std::max(config_.split_least, (members + config_.split_share - 1) / config_.split_share);
  };
  judgement.threshold = share_of(judgement.counts.here + 1);
  judgement.is_doubted =
      judgement.counts.accused >= 2 * judgement.threshold && judgement.counts.accusers >= Members::kAccusersOfMany;
  judgement.remains = share_of(judgement.counts.here + judgement.counts.away + 1);
  const std::size_t well = neighbours_.well(now).size();
  const auto silent = static_cast<std::size_t>(std::ranges::count_if(silent_, [&](const auto& entry) {
    return entry.second.told && now - entry.second.since <= config_.sudden && members_.is_missing(entry.first) &&
           !members_.is_away(entry.first);
  }));
  judgement.is_cut = silent >= config_.split_least && silent * 3 >= (silent + well) * 2;
  return judgement;
}

void Detector::judge(Now now, Effects& out) {
  const Judgement judgement = weigh(now.mono);
  // Who is doubted need not be missing: only the roll call shows, and it is called once.
  const bool is_new = state() == State::whole || state() == State::suspected;
  const bool is_share = judgement.counts.missing >= judgement.threshold || (is_new && judgement.is_doubted);
  if (is_share || judgement.is_cut) {
    if (!lost_since_) lost_since_ = now.mono;
  } else {
    lost_since_.reset();
  }
  if (lost_since_ && now.mono - *lost_since_ >= config_.hold) {
    lost_since_.reset();
    return part(now, is_share ? Reason::members_silent : Reason::neighbours_silent, out);
  }
  if (roll_until_ && *roll_until_ <= now.mono) end_roll_call(now.mono);
  switch (state()) {
    case State::whole:
    case State::suspected:
      return judge_whole(now, judgement, out);
    case State::split:
      if (!roll_until_ && judgement.counts.away < judgement.remains) heal(now, out);
      return;
    case State::healing:
      return judge_healing(now, judgement, out);
  }
}

void Detector::judge_whole(Now now, const Judgement& judgement, Effects& out) {
  // Others are still healing, and wait for our word.
  if (healed_at_ && now.mono - *healed_at_ <= config_.say_after_healing) say_again(now.mono);
  gaps_.expire(now.mono);
  diverged_.expire(now.mono);
  Reason reason = Reason::none;
  if (judgement.counts.missing * 2 >= judgement.threshold) {
    reason = Reason::members_silent;
  } else if (gaps_.size() >= kAnomaliesNeeded) {
    reason = Reason::items_missing;
  } else if (diverged_.lasting(now.mono, config_.diverged_for) >= kAnomaliesNeeded) {
    reason = Reason::replicas_differ;
  }
  if (reason != Reason::none) {
    doubted_at_ = now.mono;
    if (state() == State::whole) change(now, State::suspected, reason, out);
  } else if (state() == State::suspected && now.mono - doubted_at_ >= config_.calm) {
    change(now, State::whole, Reason::none, out);
  }
}

void Detector::say_again(Instant now) {
  if (!said_at_ || now - *said_at_ >= config_.refute_pause) say_in(now, Duration(0));
}

void Detector::judge_healing(Now now, const Judgement& judgement, Effects& out) {
  unequal_.expire(now.mono);
  // Once all are back, others are whole soon, and do not go on saying that they are there.
  are_back_ = are_back_ || judge_return(now, judgement, out);
  if (!are_back_) return;
  // (Attack: a neighbour whose replica is never the same.)
  if (unequal_.size() == 0 || now.mono - healing_at_ >= config_.heal_replicas) become_whole(now, out);
}

/// Whether all are back who will be. Until then all say every few seconds that they are there: who came back and went
/// again is missed by nobody else, for few have made links to it.
bool Detector::judge_return(Now now, const Judgement& judgement, Effects& out) {
  say_again(now.mono);
  const Instant then = now.mono - 2 * config_.refute_pause;
  if (healing_at_ <= then && members_.quiet_again(then) >= judgement.threshold) {
    members_.part_again(now.mono, then);
    part(now, Reason::members_silent, out);
    return false;
  }
  const Duration quiet = now.mono - back_at_;
  const bool are_few = judgement.counts.away < judgement.remains;
  const bool are_all = judgement.counts.away == 0;
  if (!are_few && quiet >= config_.heal_patience) {
    members_.part_again(now.mono, now.mono - config_.heal_recent);
    part(now, Reason::nobody_follows, out);
    return false;
  }
  const bool is_over = quiet >= (are_all ? config_.heal_hold : config_.heal_patience);
  return are_few && is_over && members_.quiet_again(now.mono - config_.heal_recent) < judgement.remains;
}

/// Also from split to split: more are out of reach now.
void Detector::part(Now now, Reason reason, Effects& out) {
  const bool is_new = state() == State::whole || state() == State::suspected;
  if (is_new) {
    split_at_ = now.mono;
    split_wall_ = now.wall;
    report_ = {};
  }
  members_.part(now.mono);
  call_roll(now.mono);
  probe_soon(now.mono);
  change(now, State::split, reason, out);
}

void Detector::heal(Now now, Effects& out) {
  healing_at_ = back_at_ = now.mono;
  are_back_ = false;
  healing_wall_ = now.wall;
  change(now, State::healing, report_.back > 0 ? Reason::members_back : Reason::members_forgotten, out);
  say_present(now.mono);
  probe_soon(now.mono);
}

void Detector::become_whole(Now now, Effects& out) {
  report_.split_for = healing_at_ - split_at_;
  report_.took = now.mono - healing_at_;
  healed_at_ = now.mono;
  members_.rejoin(now.mono);
  roll_until_.reset();
  probe_at_.reset();
  change(now, State::whole, report_.back > 0 ? Reason::members_back : Reason::members_forgotten, out, report_);
}

void Detector::change(Now now, State state, Reason reason, Effects& out, std::optional<Healed> healed) {
  const Members::Counts counts = members_.counts(now.mono);
  report_.away_most = std::max(report_.away_most, counts.away);
  Changed changed{.state = state,
                  .reason = reason,
                  .at = now.mono,
                  .wall = now.wall,
                  .here = counts.here + 1,
                  .away = counts.away,
                  .listed = members_.away(config_.max_listed),
                  .healed = healed};
  if (history_.size() >= config_.max_history) history_.pop_front();
  history_.push_back(changed);
  out.push(std::move(changed));
}

// Who is on which side. -----------------------------------------------------------------------------------------------

/// Whoever is on our side has just said so, or does now.
void Detector::call_roll(Instant now) {
  roll_since_ = now - config_.roll_call;
  roll_until_ = now + config_.roll_call;
  const Duration spread = std::clamp<Duration>(milliseconds(2) * members_.size(), milliseconds(100), seconds(1));
  say_in(now, rng_.between(Duration(0), spread));
}

void Detector::end_roll_call(Instant now) {
  roll_until_.reset();
  members_.part_silent(now, roll_since_, [&](const identity::PeerId& peer) { return neighbours_.is_well(now, peer); });
  report_.away_most = std::max(report_.away_most, members_.counts(now).away);
}

// Looking for the other side. -----------------------------------------------------------------------------------------

void Detector::probe_soon(Instant now) {
  probe_wait_ = config_.probe_min;
  probe_at_ = now + rng_.between(Duration(0), probe_wait_);
}

/// All of a side together probe at one rate, whatever its size.
void Detector::probe(Instant now, Effects& out) {
  if (!probe_at_ || now < *probe_at_) return;
  const Members::Counts counts = members_.counts(now);
  const Duration most = std::clamp<Duration>(config_.probe_each * counts.here, config_.probe_low, config_.probe_high);
  if (counts.away > 0) {
    out.push(Probe{members_.away_at(rng_.below(counts.away))});
    ++counts_.probes;
  }
  probe_wait_ = std::min(probe_wait_ * 2, most);
  probe_at_ = now + rng_.between(probe_wait_ / 2, probe_wait_);
}

}  // namespace ekiden::partition
