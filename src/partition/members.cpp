#include "partition/members.hpp"

#include <algorithm>
#include <iterator>

#include "base/check.hpp"

namespace ekiden::partition {
namespace {

/// Nobody has heard of it for too long.
bool is_over(const auto& member, Instant now, const Config& config) {
  if (member.away) return now - *member.away > config.away_for;
  if (member.missing && now - *member.missing > config.dead_after) return true;
  return now - member.known > config.member_for;
}

}  // namespace

bool Members::know(Instant now, const identity::PeerId& peer) {
  const auto found = members_.find(peer);
  if (found != members_.end()) {
    found->second.known = now;
    return true;
  }
  if (members_.size() >= config_.max_members) return false;
  members_.try_emplace(peer, now, config_);
  return true;
}

void Members::forget(const identity::PeerId& peer) { members_.erase(peer); }

Members::Back Members::heard(Instant now, const identity::PeerId& peer) {
  const auto found = members_.find(peer);
  if (found == members_.end()) return {};
  Member& member = found->second;
  Back back{.is_known = true, .was_missing = member.missing.has_value(), .away_since = member.away, .wrongly = {}};
  for (const Accusation& accusation : member.accusers) {
    const auto accuser = members_.find(accusation.by);
    // Who accused somebody that has vanished for others too was right.
    if (accuser == members_.end() || member.away || accuser->second.accusations.take(now)) continue;
    accuser->second.shunned = now + config_.shun;
    back.wrongly.push_back(accusation.by);
  }
  member.known = member.heard = now;
  member.counts = true;
  member.has_returned = member.has_returned || member.away.has_value();
  member.missing.reset();
  member.away.reset();
  member.accusers.clear();
  return back;
}

void Members::missed(Instant now, const identity::PeerId& peer) {
  const auto found = members_.find(peer);
  if (found != members_.end() && found->second.counts && !found->second.missing) found->second.missing = now;
}

void Members::accuse(Instant now, const identity::PeerId& by, const std::vector<identity::PeerId>& silent) {
  const auto author = members_.find(by);
  if (author == members_.end()) return;
  for (const identity::PeerId& peer : author->second.accuses) {
    const auto accused = members_.find(peer);
    if (accused == members_.end()) continue;
    std::erase_if(accused->second.accusers, [&](const Accusation& accusation) { return accusation.by == by; });
  }
  author->second.accuses.clear();
  for (const identity::PeerId& peer : silent) {
    const auto found = members_.find(peer);
    if (found == members_.end() || !found->second.counts || peer == by || author->second.accuses.size() >= kMaxSilent)
      continue;
    Member& accused = found->second;
    std::erase_if(accused.accusers, [&](const Accusation& accusation) {
      return accusation.by == by || now - accusation.at > config_.accuse_for;
    });
    author->second.accuses.push_back(peer);
    if (accused.accusers.size() >= kMaxAccusers) continue;
    accused.accusers.push_back({by, now});
    if (accused.accusers.size() >= kAccusersNeeded && !accused.missing) accused.missing = now;
  }
}

std::uint64_t Members::said(const identity::PeerId& peer) const {
  const auto found = members_.find(peer);
  return found == members_.end() ? 0 : found->second.said;
}

void Members::note_said(const identity::PeerId& peer, std::uint64_t sequence) {
  const auto found = members_.find(peer);
  if (found != members_.end()) found->second.said = sequence;
}

bool Members::spend_statement(Instant now, const identity::PeerId& peer) {
  const auto found = members_.find(peer);
  if (found == members_.end()) return false;
  Member& member = found->second;
  if (member.shunned && now < *member.shunned) return false;
  return member.statements.take(now);
}

bool Members::is_recent(const Member& member, Instant now) const {
  return member.missing && now - *member.missing <= config_.sudden;
}

Members::Counts Members::counts(Instant now) const {
  Counts counts;
  std::vector<const identity::PeerId*> accusers;
  for (const auto& [peer, member] : members_) {
    // Without neighbours no time passes for the detector, and nobody has been forgotten.
    if (!member.counts || is_over(member, now, config_)) continue;
    if (member.away) {
      ++counts.away;
      continue;
    }
    ++counts.here;
    if (is_recent(member, now)) ++counts.missing;
    bool is_accused = false;
    for (const Accusation& accusation : member.accusers) {
      if (now - accusation.at > config_.sudden) continue;
      is_accused = true;
      if (accusers.size() >= kAccusersOfMany) break;
      const auto is_same = [&](const identity::PeerId* other) { return *other == accusation.by; };
      if (std::ranges::none_of(accusers, is_same)) accusers.push_back(&accusation.by);
    }
    if (is_accused) ++counts.accused;
  }
  counts.accusers = accusers.size();
  return counts;
}

void Members::part(Instant now) {
  for (auto& [peer, member] : members_) {
    if (!member.away && is_recent(member, now)) member.away = now;
  }
}

std::size_t Members::quiet_again(Instant then) const {
  return static_cast<std::size_t>(std::ranges::count_if(members_, [&](const auto& entry) {
    const Member& member = entry.second;
    return member.counts && member.has_returned && !member.away && member.heard < then;
  }));
}

void Members::part_again(Instant now, Instant then) {
  for (auto& [peer, member] : members_) {
    if (!member.counts || !member.has_returned || member.away || member.heard >= then) continue;
    member.away = now;
    member.missing = member.missing.value_or(now);
  }
}

void Members::rejoin(Instant now) {
  for (auto& [peer, member] : members_) {
    member.has_returned = false;
    if (!member.away) continue;
    member.away.reset();
    member.missing = now - config_.sudden - Duration(1);  // Nothing sudden: it does not count towards the next split.
  }
}

void Members::expire(Instant now) {
  std::erase_if(members_, [&](const auto& entry) { return is_over(entry.second, now, config_); });
}

bool Members::is_missing(const identity::PeerId& peer) const {
  const auto found = members_.find(peer);
  return found != members_.end() && found->second.missing;
}

bool Members::is_away(const identity::PeerId& peer) const {
  const auto found = members_.find(peer);
  return found != members_.end() && found->second.away;
}

bool Members::is_of_other_side(const identity::PeerId& peer) const {
  const auto found = members_.find(peer);
  return found != members_.end() && (found->second.away || found->second.has_returned);
}

std::vector<identity::PeerId> Members::away(std::size_t max) const {
  std::vector<identity::PeerId> peers;
  for (const auto& [peer, member] : members_) {
    if (member.away && peers.size() < max) peers.push_back(peer);
  }
  return peers;
}

const identity::PeerId& Members::away_at(std::size_t index) const {
  for (const auto& [peer, member] : members_) {
    if (!member.away) continue;
    if (index-- == 0) return peer;
  }
  CHECK(false);
}

void Members::check_invariants() const {
  CHECK(members_.size() <= config_.max_members);
  for (const auto& [peer, member] : members_) {
    CHECK(member.accusers.size() <= kMaxAccusers && member.accuses.size() <= kMaxSilent);
    CHECK((!member.away || member.missing) && (!member.missing || member.counts));
  }
}

}  // namespace ekiden::partition
