// What a node keeps for others, as a naive model: one entry for each key and owner, and the rules of dht/values.hpp as
// a reader of the protocol would write them down. It sees the queries and the answers, and CHECKs that each answer is
// the one that follows from all before it.
//
// What the model does not know it leaves open: within two minutes of the end of a lifetime an entry may be there or
// not; and where there is little room, any entry may have been dropped (`is_exact` is false).
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "dht/config.hpp"
#include "dht/messages.hpp"
#include "dht/value.hpp"

namespace ekiden::dht {

class ValuesModel {
 public:
  ValuesModel(const identity::PeerId& self, const Config& config, bool is_exact)
      : self_(self), config_(config), is_exact_(is_exact) {}

  /// A query was answered so.
  void answered(Now now, bool proven, const Query& query, const Reply& reply) {
    forget(now.mono);
    if (query.kind == QueryKind::store) stored(now, proven, query, reply.outcome);
    if (query.kind == QueryKind::find_value) told(now, query, reply);
  }

  /// The sequence below which no search for this record ends, that begins now.
  std::optional<std::uint64_t> record_kept(Now now, const identity::PeerId& peer, WallTime until) {
    forget(now.mono);
    const auto found = entries_.find({Key::of(peer), peer});
    if (!is_exact_ || found == entries_.end() || !is_sure(found->second, now) || found->second.expires <= until) {
      return std::nullopt;
    }
    return found->second.sequence;
  }

  /// A row on disk may say that a value was stored earlier than it was.
  void restarted() {
    for (auto& [name, kept] : entries_) kept.earliest -= config_.value_lifetime / 4;
  }

 private:
  using Name = std::pair<Key, identity::PeerId>;
  struct Kept {
    ValueKind kind{};
    std::uint64_t sequence = 0;
    Bytes bytes{};  ///< Empty: it was withdrawn.
    WallTime expires{};
    Instant earliest{};  ///< When it was stored last, at the earliest …
    Instant latest{};    ///< … and at the latest.
  };

  bool is_there(const Kept& kept, Instant now) const { return now < kept.earliest + config_.value_lifetime; }
  static bool is_live(const Kept& kept, Now now) { return !kept.bytes.empty() && kept.expires > now.wall; }
  bool is_sure(const Kept& kept, Now now) const { return is_there(kept, now.mono) && is_live(kept, now); }

  void forget(Instant now) {
    std::erase_if(entries_,
                  [&](const auto& entry) { return now >= entry.second.latest + config_.value_lifetime + minutes(2); });
    while (!stores_.empty() && stores_.front() + minutes(1) <= now) stores_.pop_front();
  }

  void stored(Now now, bool proven, const Query& query, Outcome outcome) {
    const auto refusal = refused(now, proven, query, outcome);
    if (refusal) {
      CHECK(outcome == *refusal);
      return;
    }
    const ValueFacts facts = check_value(*query.value_kind, *query.target, *query.value, now.wall).value().facts;
    const auto found = entries_.find({*query.target, facts.owner});
    const bool is_known = found != entries_.end() && is_there(found->second, now.mono);
    if (is_exact_ && is_known) CHECK(outcome == expected(now, found->second, facts, *query.value, outcome));
    if (is_exact_ && found == entries_.end()) CHECK(outcome == Outcome::done);
    CHECK(outcome == Outcome::done || outcome == Outcome::stale);
    if (outcome == Outcome::done) take(now, query, facts);
  }

  /// What it is answered that no value is kept for, whatever is kept; `got` where that is for the engine to say.
  std::optional<Outcome> refused(Now now, bool proven, const Query& query, Outcome got) {
    if (!proven) return Outcome::unproven;
    stores_.push_back(now.mono);
    const bool may_be_too_many = !is_exact_ || stores_.size() > config_.max_stores_per_sender;
    if (got == Outcome::too_many && may_be_too_many) return got;
    if (got == Outcome::not_close && !is_exact_) return got;
    if (*query.value_kind == ValueKind::record && *query.target == Key::of(self_)) return Outcome::stale;
    const auto checked = check_value(*query.value_kind, *query.target, *query.value, now.wall);
    const bool is_good =
        checked && !(checked->facts.is_over && now.wall - checked->facts.expires > config_.clock_tolerance);
    return is_good ? std::nullopt : std::optional(Outcome::invalid);
  }

  /// `got` where both are right.
  static Outcome expected(Now now, const Kept& kept, const ValueFacts& facts, ByteView value, Outcome got) {
    if (facts.sequence > kept.sequence) return Outcome::done;
    if (facts.sequence < kept.sequence) return Outcome::stale;
    if (std::ranges::equal(kept.bytes, value) || (kept.bytes.empty() && facts.is_over)) return Outcome::done;
    // Another of the same sequence. Once its time is over the first is dropped, but for its sequence, at any moment.
    return is_live(kept, now) ? Outcome::stale : got;
  }

  void take(Now now, const Query& query, const ValueFacts& facts) {
    const Name name{*query.target, facts.owner};
    const auto found = entries_.find(name);
    if (found == entries_.end() && facts.is_over) return;  // It withdraws what is not here.
    const bool is_same = found != entries_.end() && found->second.sequence == facts.sequence;
    Kept kept{.kind = *query.value_kind,
              .sequence = facts.sequence,
              .bytes = facts.is_over ? Bytes{} : to_bytes(*query.value),
              .expires = facts.expires,
              .earliest = now.mono,
              .latest = now.mono};
    // What is over already does not begin anew.
    if (is_same && facts.is_over) kept.earliest = found->second.earliest;
    entries_.insert_or_assign(name, std::move(kept));
  }

  void told(Now now, const Query& query, const Reply& reply) {
    std::vector<identity::PeerId> owners;
    for (const ByteView bytes : reply.values) {
      const auto checked = check_value(*query.value_kind, *query.target, bytes, now.wall);
      CHECK(checked && !checked->facts.is_over);
      const identity::PeerId& owner = checked->facts.owner;
      CHECK(std::ranges::find(owners, owner) == owners.end());
      owners.push_back(owner);
      if (owner == self_) continue;
      const auto found = entries_.find({*query.target, owner});
      CHECK(found != entries_.end() && is_live(found->second, now) && std::ranges::equal(found->second.bytes, bytes));
    }
    const bool is_something_kept = std::ranges::any_of(entries_, [&](const auto& entry) {
      return entry.first.first == *query.target && entry.second.kind == *query.value_kind && is_sure(entry.second, now);
    });
    CHECK(!is_exact_ || !is_something_kept || !owners.empty());
  }

  identity::PeerId self_;
  const Config& config_;
  bool is_exact_;
  std::map<Name, Kept> entries_;
  std::deque<Instant> stores_;  ///< Of the last minute, of all senders.
};

}  // namespace ekiden::dht
