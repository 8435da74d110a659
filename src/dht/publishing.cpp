// What we publish: our record, and announcements under each part of their paths; again every hour, until withdrawn.
#include <algorithm>
#include <set>
#include <utility>

#include "base/check.hpp"
#include "dht/impl.hpp"

namespace ekiden::dht {
namespace {

std::unexpected<Error> not_ours() {
  return fail(Errc::invalid_argument, "only values that this node has signed are published");
}

}  // namespace

/// Errors: invalid_argument.
Result<CheckedValue> Dht::Impl::check_own(ValueKind kind, const Key& key, ByteView bytes, WallTime now) const {
  auto checked = check_value(kind, key, bytes, now);
  if (!checked) return fail(Errc::invalid_argument, checked.error().message);
  if (checked->facts.owner != self) return not_ours();
  return checked;
}

/// Its number, or 0, which is nobody's.
std::uint64_t Dht::Impl::find_own(ValueKind kind, const Key& key) const {
  for (const auto& [number, value] : own) {
    if (value.kind == kind && value.key == key) return number;
  }
  return 0;
}

Status Dht::Impl::publish(Now now, Bytes bytes, Out& out) {
  const Key key = Key::of(self);
  EKIDEN_ASSIGN(const CheckedValue checked, check_own(ValueKind::record, key, bytes, now.wall));
  if (checked.facts.is_over) return fail(Errc::invalid_argument, "the lifetime of the record is over: sign it again");
  const std::uint64_t number = find_own(ValueKind::record, key);
  if (number == 0 && own.size() >= config.max_own_values) {
    return fail(Errc::limit_exceeded, "too many values are published: withdraw announcements first");
  }
  set_own(now,
          {.kind = ValueKind::record,
           .key = key,
           .bytes = std::make_shared<const Bytes>(std::move(bytes)),
           .sequence = checked.facts.sequence,
           .expires = checked.facts.expires},
          out);
  return {};
}

Status Dht::Impl::withdraw(Now now, Bytes bytes, Out& out) {
  const Key key = Key::of(self);
  EKIDEN_ASSIGN(const CheckedValue checked, check_own(ValueKind::record, key, bytes, now.wall));
  const std::uint64_t number = find_own(ValueKind::record, key);
  if (number == 0) return fail(Errc::not_found, "no record is published");
  if (checked.facts.sequence <= own.at(number).sequence) {
    return fail(Errc::invalid_argument, "a withdrawal needs a higher sequence than the record that it ends");
  }
  withdraw_own(now, number, checked.facts, std::make_shared<const Bytes>(std::move(bytes)), out);
  return {};
}

Status Dht::Impl::announce(Now now, Bytes bytes, Out& out) {
  auto announcement = identity::verify_announcement(bytes, now.wall);
  if (!announcement) return fail(Errc::invalid_argument, announcement.error().message);
  if (announcement->owner() != self) return not_ours();
  const auto paths = capability_paths(announcement->capability);
  const auto is_new = [&](std::string_view path) {
    return find_own(ValueKind::announcement, capability_key(path)) == 0;
  };
  if (own.size() + static_cast<std::size_t>(std::ranges::count_if(paths, is_new)) > config.max_own_values) {
    return fail(Errc::limit_exceeded, "at most " + std::to_string(config.max_own_values) +
                                          " keys are published: a capability takes one for each part of its path");
  }
  const auto shared = std::make_shared<const Bytes>(bytes);
  for (const std::string_view path : paths) {
    const Key key = capability_key(path);
    // Where two of our capabilities share a part, the newest announcement stands for both.
    const auto known = own.find(find_own(ValueKind::announcement, key));
    if (known != own.end() && !known->second.is_withdrawal && known->second.sequence > announcement->sequence) continue;
    set_own(now,
            {.kind = ValueKind::announcement,
             .key = key,
             .path = std::string(path),
             .bytes = shared,
             .sequence = announcement->sequence,
             .expires = announcement->expires_at()},
            out);
  }
  std::string name = announcement->capability;
  announced.insert_or_assign(std::move(name), identity::SignedAnnouncement{.announcement = std::move(*announcement),
                                                                           .signed_bytes = std::move(bytes)});
  return {};
}

Status Dht::Impl::unannounce(Now now, Bytes bytes, Out& out) {
  const auto withdrawal = identity::verify_announcement_ignoring_time(bytes);
  if (!withdrawal) return fail(Errc::invalid_argument, withdrawal.error().message);
  if (withdrawal->owner() != self) return not_ours();
  const auto known = announced.find(withdrawal->capability);
  if (known == announced.end()) return fail(Errc::not_found, "\"" + withdrawal->capability + "\" is not announced");
  if (withdrawal->sequence <= known->second.announcement.sequence) {
    return fail(Errc::invalid_argument, "a withdrawal needs a higher sequence than the announcement that it ends");
  }
  announced.erase(known);
  const auto shared = std::make_shared<const Bytes>(std::move(bytes));
  const ValueFacts facts{.owner = self,
                         .sequence = withdrawal->sequence,
                         .expires = withdrawal->expires_at(),
                         .is_over = withdrawal->expires_at() <= now.wall};
  std::set<std::string> again;
  for (const std::string_view path : capability_paths(withdrawal->capability)) {
    const std::uint64_t number = find_own(ValueKind::announcement, capability_key(path));
    if (number == 0) continue;
    const auto has_path = [&](const auto& other) {
      const auto paths = capability_paths(other.first);
      return std::ranges::find(paths, path) != paths.end();
    };
    const auto other = std::ranges::find_if(announced, has_path);
    if (other == announced.end()) {
      withdraw_own(now, number, facts, shared, out);
    } else if (again.insert(other->first).second) {
      out.push(SignAgain{.capability = other->first});
    }
  }
  return {};
}

/// Puts a value in the place of what stood under its key, and publishes it.
void Dht::Impl::set_own(Now now, Own value, Out& out) {
  std::uint64_t number = find_own(value.kind, value.key);
  if (number == 0) {
    number = next_own++;
  } else {
    Own& old = own.at(number);
    value.round = old.round + 1;
    value.holders = std::move(old.holders);
    // A withdrawal under way may have told twice as many. The newest wins with them, too, when they hear of it.
    if (value.holders.size() > config.k) value.holders.resize(config.k);
  }
  own.insert_or_assign(number, std::move(value));
  publish_due(now, number, out);
}

/// Tells those who took the value, at once, for one silent node on the way makes a lookup last longer than a node takes
/// to end; and those whom a lookup finds closest now: it was handed on when they came. It is forgotten when all have
/// answered.
void Dht::Impl::withdraw_own(Now now, std::uint64_t number, const ValueFacts& facts, std::shared_ptr<const Bytes> bytes,
                             Out& out) {
  Own& value = own.at(number);
  value.bytes = std::move(bytes);
  value.sequence = facts.sequence;
  value.expires = facts.expires;
  value.is_withdrawal = true;
  timers.cancel({.kind = Timer::Kind::publish, .number = number});
  const Key key = value.key;
  const bool has_room = running.size() < config.max_lookups;
  value.is_searching = has_room;
  begin_round(now, number, std::vector<Peer>(value.holders), out);
  if (!has_room) return;
  begin(now, key, {.lookup = Lookup(key, config.k, config), .purpose = Purpose::publish, .own = number}, out);
}

/// The lookup of a withdrawal has ended.
void Dht::Impl::withdraw_from_closest(Now now, std::uint64_t number, const Lookup& lookup, Out& out) {
  Own& value = own.at(number);
  const StoreJob job{
      .to = {}, .kind = value.kind, .key = value.key, .bytes = value.bytes, .own = number, .round = value.round};
  for (const Lookup::Index index : lookup.closest_answered(config.k)) {
    if (value.holders.size() == 2 * config.k) break;
    const Lookup::Node& node = lookup.node(index);
    if (std::ranges::find(value.holders, node.id, &Peer::id) != value.holders.end()) continue;
    value.holders.push_back({.id = node.id, .info = node.info});
    ++value.waiting;
    StoreJob next = job;
    next.to = value.holders.back();
    add_store(std::move(next), out);  // It ends nothing, for the lookup counts as under way.
  }
  value.is_searching = false;
  if (value.waiting == 0) return end_round(number, out);
  pump_stores(now, out);
}

void Dht::Impl::publish_due(Now now, std::uint64_t number, Out& out) {
  const auto found = own.find(number);
  if (found == own.end() || found->second.is_withdrawal) return;
  const Timer timer{.kind = Timer::Kind::publish, .number = number};
  timers.set(timer, now.mono + jittered(config.republish_interval));
  if (found->second.expires <= now.wall) return;  // Whoever signs it is late; a new one will come.
  const auto is_under_way = [&](const auto& search) {
    return search.second.purpose == Purpose::publish && search.second.own == number;
  };
  if (std::ranges::any_of(running, is_under_way)) return;
  if (!has_joined) return timers.set(timer, now.mono + config.rejoin_interval);  // Or sooner: publish_first().
  const Key key = found->second.key;
  const bool has_room = stores.size() + config.k <= config.max_stores_waiting;
  if (!has_room || running.size() >= config.max_lookups / 2) return timers.set(timer, now.mono + kBusyPause);
  begin(now, key, {.lookup = Lookup(key, config.k, config), .purpose = Purpose::publish, .own = number}, out);
}

/// We have joined: what nobody keeps yet is published. The nodes closest to our id, where our record belongs, are those
/// that the lookup for joining has found.
void Dht::Impl::publish_first(Now now, const Lookup& join, Out& out) {
  for (const auto& [number, value] : own) {
    if (!value.holders.empty() || value.is_withdrawal) continue;
    const bool is_found = value.key == join.target() && value.expires > now.wall;
    const Duration pause = is_found ? jittered(config.republish_interval) : Duration{};
    timers.set({.kind = Timer::Kind::publish, .number = number}, now.mono + pause);
    if (is_found) store_own(now, number, join, out);
  }
}

/// The lookup for the key of a value of ours has ended: its closest nodes get it.
void Dht::Impl::store_own(Now now, std::uint64_t number, const Lookup& lookup, Out& out) {
  const auto found = own.find(number);
  if (found == own.end()) return;
  if (found->second.is_withdrawal) return withdraw_from_closest(now, number, lookup, out);
  std::vector<Peer> holders;
  for (const Lookup::Index index : lookup.closest_answered(config.k)) {
    const Lookup::Node& node = lookup.node(index);
    holders.push_back({.id = node.id, .info = node.info});
  }
  if (holders.empty()) {
    timers.set({.kind = Timer::Kind::publish, .number = number}, now.mono + config.rejoin_interval);
  }
  begin_round(now, number, holders, out);
}

void Dht::Impl::begin_round(Now now, std::uint64_t number, const std::vector<Peer>& holders, Out& out) {
  Own& value = own.at(number);
  const std::uint64_t round = ++value.round;
  value.holders = holders;
  value.waiting = holders.size();
  value.result = {.kind = value.kind, .path = value.path, .is_withdrawal = value.is_withdrawal};
  if (holders.empty() && !value.is_searching) return end_round(number, out);
  const StoreJob job{
      .to = {}, .kind = value.kind, .key = value.key, .bytes = value.bytes, .own = number, .round = round};
  for (const Peer& holder : holders) {
    StoreJob next = job;
    next.to = holder;
    add_store(std::move(next), out);
  }
  pump_stores(now, out);
}

/// One store of a round has ended; without an outcome nobody answered.
void Dht::Impl::note_stored(std::uint64_t number, std::uint64_t round, std::optional<Outcome> outcome, Out& out) {
  const auto found = own.find(number);
  if (found == own.end() || found->second.round != round) return;
  Own& value = found->second;
  CHECK(value.waiting > 0);
  if (!outcome) {
    ++value.result.failed;
  } else if (*outcome == Outcome::done) {
    ++value.result.stored;
  } else {
    ++value.result.refused;
    if (*outcome == Outcome::stale) ++value.result.stale;
  }
  if (--value.waiting == 0 && !value.is_searching) end_round(number, out);
}

void Dht::Impl::end_round(std::uint64_t number, Out& out) {
  const auto found = own.find(number);
  out.push(found->second.result);
  if (found->second.is_withdrawal) own.erase(found);
}

}  // namespace ekiden::dht
