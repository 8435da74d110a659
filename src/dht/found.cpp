// What lookups find: values that prove themselves, the newest of each owner; and the end of a lookup.
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "dht/impl.hpp"

namespace ekiden::dht {

void Dht::Impl::refuse(LookupId id, Error why, Out& out) {
  out.push(LookupDone{
      .id = id, .status = std::unexpected(std::move(why)), .record = std::nullopt, .announcements = {}, .trail = {}});
}

void Dht::Impl::find_peer(Now now, LookupId id, const identity::PeerId& peer,
                          const std::optional<identity::NodeInfo>& hint, Out& out) {
  if (is_running(id)) return refuse(id, {Errc::already_exists, "a lookup with this id is under way"}, out);
  const Key target = Key::of(peer);
  Lookup lookup(target, std::min(config.quorum, config.k), config);
  const bool is_of_use = hint && hint->id() == peer && peer != self && hint->at.port != 0 && !is_banned(now.mono, peer);
  if (is_of_use && table.find(peer) == nullptr) lookup.seed(peer, *hint);
  const bool has_begun =
      begin(now, target, {.lookup = std::move(lookup), .purpose = Purpose::find_peer, .id = id}, out).has_value();
  if (!has_begun) refuse(id, {Errc::limit_exceeded, "too many lookups are under way; try again later"}, out);
}

void Dht::Impl::find_capability(Now now, LookupId id, std::string_view capability, std::size_t limit, Out& out) {
  if (is_running(id)) return refuse(id, {Errc::already_exists, "a lookup with this id is under way"}, out);
  if (!identity::is_capability(capability)) {
    return refuse(id,
                  {Errc::invalid_argument,
                   "this is not a capability: write lower-case letters, digits, '.', '-', '_' "
                   "and single slashes, like \"translate/ja-en\""},
                  out);
  }
  const Key target = capability_key(capability);
  const bool has_begun = begin(now, target,
                               {.lookup = Lookup(target, std::min(config.quorum, config.k), config),
                                .purpose = Purpose::find_capability,
                                .id = id,
                                .limit = std::clamp<std::size_t>(limit, 1, config.max_results)},
                               out)
                             .has_value();
  if (!has_begun) refuse(id, {Errc::limit_exceeded, "too many lookups are under way; try again later"}, out);
}

/// What we keep ourselves is one voice more.
void Dht::Impl::seed_from_values(Now now, Running& search) {
  if (!search.wants_value()) return;
  const Key& key = search.lookup.target();
  const auto take = [&](const Bytes& bytes) {
    if (auto checked = check_value(search.value_kind(), key, bytes, now.wall); checked && !checked->facts.is_over) {
      keep_found(search, std::move(*checked), bytes, std::nullopt);
    }
  };
  if (search.value_kind() == ValueKind::record) {
    const auto ours = own.find(find_own(ValueKind::record, key));
    if (ours != own.end()) take(*ours->second.bytes);
    if (const auto* value = values.record(key, now.wall)) take(value->bytes);
    return;
  }
  draw_announcements(now, key, search.limit);
  for (const auto* value : drawn) take(value->bytes);
}

/// False if a value is a lie; the others of the reply are then not looked at.
bool Dht::Impl::take_values(Now now, Running& search, const Pending& from, const Reply& reply, Out& out) {
  for (const ByteView bytes : reply.values) {
    if (!take_value(now, search, from, bytes, out)) return false;
  }
  return true;
}

bool Dht::Impl::take_value(Now now, Running& search, const Pending& from, ByteView bytes, Out& out) {
  const bool is_record = search.value_kind() == ValueKind::record;
  const auto is_known = [&](const Bytes& known) { return std::ranges::equal(known, bytes); };
  // The same bytes from many nodes are verified once.
  if (is_record && search.record && is_known(search.record->signed_bytes)) {
    search.told[from.node] = search.record->record.sequence;
    search.lookup.note_value(from.node);
    return true;
  }
  const Teller teller = search.lookup.node(from.node).prefix;
  const auto has_same = [&](const auto& owner) { return is_known(owner.second.announcement.signed_bytes); };
  const auto same = std::ranges::find_if(search.announcements, has_same);
  if (!is_record && same != search.announcements.end()) {
    search.lookup.note_value(from.node);
    note_told(search, same->second, teller);
    return true;
  }
  auto checked = check_value(search.value_kind(), search.lookup.target(), bytes, now.wall);
  if (!checked) {
    blame_for_value(now, from.to.id, checked.error(), out);
    return checked.error().code == Errc::unsupported;
  }
  if (checked->facts.is_over) {
    if (now.wall - checked->facts.expires <= config.clock_tolerance) return true;  // Clocks differ.
    blame(now, from.to.id, 1, "it told a value whose time is long over", out);
    return false;
  }
  search.lookup.note_value(from.node);
  if (is_record) search.told[from.node] = checked->facts.sequence;
  keep_found(search, std::move(*checked), bytes, teller);
  return true;
}

void Dht::Impl::note_told(Running& search, Found& found, const Teller& by) {
  found.told_by.insert(by);
  search.tellers.insert(by);
}

void Dht::Impl::keep_found(Running& search, CheckedValue value, ByteView bytes, const Teller& by) {
  if (auto* record = std::get_if<identity::PeerRecord>(&value.content)) {
    if (search.record && search.record->record.sequence >= record->sequence) return;
    search.record = identity::SignedRecord{.record = std::move(*record), .signed_bytes = to_bytes(bytes)};
    return;
  }
  auto* announcement = std::get_if<identity::Announcement>(&value.content);
  if (announcement == nullptr || value.facts.owner == self) return;
  const bool is_known = search.announcements.contains(value.facts.owner);
  if (!is_known && search.announcements.size() >= config.max_results) return;
  Found& found = search.announcements[value.facts.owner];
  note_told(search, found, by);
  if (is_known && found.announcement.announcement.sequence >= announcement->sequence) return;
  found.announcement = {.announcement = std::move(*announcement), .signed_bytes = to_bytes(bytes)};
}

/// By lot: whoever makes himself an id that comes first is not found before others. But those first that more than half
/// of the networks have told which told anything: of a flood each holder draws others. (Attack: a few holders that all
/// tell the same.)
std::vector<identity::SignedAnnouncement> Dht::Impl::choose_found(Running& search) {
  std::vector<Found*> found;
  for (auto& [owner, each] : search.announcements) found.push_back(&each);
  rng.shuffle(found);
  std::ranges::stable_partition(found,
                                [&](const Found* each) { return each->told_by.size() * 2 > search.tellers.size(); });
  found.resize(std::min(found.size(), search.limit));
  std::vector<identity::SignedAnnouncement> chosen;
  for (Found* each : found) chosen.push_back(std::move(each->announcement));
  return chosen;
}

void Dht::Impl::finish(Now now, std::uint64_t number, bool timed_out, Out& out) {
  timers.cancel({.kind = Timer::Kind::lookup, .number = number});
  auto node = running.extract(number);
  Running& search = node.mapped();
  switch (search.purpose) {
    case Purpose::join:
      has_joined = table.size() > 0;
      if (!has_joined) return;
      joined_at = now.mono;
      out.push(Joined{.nodes = table.size()});
      note_closest(search.lookup);
      table.refresh_soon(now.mono + jittered(config.join_pause), seconds(1));
      schedule_refresh();
      return publish_first(now, search.lookup, out);
    case Purpose::refresh:
      is_refreshing = false;
      note_closest(search.lookup);
      return schedule_refresh();
    case Purpose::publish:
      return store_own(now, search.own, search.lookup, out);
    case Purpose::find_peer:
      repair(now, search, out);
      return report(now, search, timed_out, out);
    case Purpose::find_capability:
      return report(now, search, timed_out, out);
  }
}

void Dht::Impl::note_closest(const Lookup& lookup) {
  const auto closest = lookup.closest_answered(config.k);
  if (lookup.target() == Key::of(self) && !closest.empty()) {
    table.note_closest(closest.size(), lookup.node(closest.back()).id);
  }
}

void Dht::Impl::report(Now now, Running& search, bool timed_out, Out& out) {
  using State = Lookup::Node::State;
  const Lookup& lookup = search.lookup;
  LookupDone done{.id = search.id, .status = {}, .record = std::move(search.record), .announcements = {}, .trail = {}};
  for (const Lookup::Index index : lookup.closest_answered(config.k)) done.closest.push_back(lookup.node(index).id);
  done.announcements = choose_found(search);
  done.trail = {.asked = lookup.asked_count(),
                .answered = lookup.count(State::answered),
                .failed = 0,
                .rounds = lookup.rounds(),
                .took = now.mono - search.started,
                .steps = lookup.trail(config.max_trail)};
  done.trail.failed = done.trail.asked - done.trail.answered - lookup.count(State::asked);
  if (!done.record && done.announcements.empty()) {
    if (done.trail.answered == 0) {
      done.status = fail(Errc::unreachable, done.trail.asked == 0
                                                ? "no node of the DHT is known yet: name a bootstrap node"
                                                : "none of the nodes that were asked has answered: check the network");
    } else if (timed_out) {
      done.status = fail(Errc::timed_out, "the lookup was cut off with nothing found; try again");
    } else {
      done.status = fail(Errc::not_found, "the nodes closest to the key keep nothing under it");
    }
  }
  out.push(std::move(done));
}

/// Nodes that should keep the newest record and have answered without it get it. (Kademlia, section 2.3, caches at one;
/// here it mends what churn has thinned out.) Not those on the way, or every lookup would spread it farther.
void Dht::Impl::repair(Now now, const Running& search, Out& out) {
  if (!search.record) return;
  std::shared_ptr<const Bytes> bytes;
  std::size_t repaired = 0;
  for (const Lookup::Index index : search.lookup.answered_among_closest(config.k)) {
    if (repaired == config.max_repairs) break;
    const auto told = search.told.find(index);
    if (told != search.told.end() && told->second >= search.record->record.sequence) continue;
    const Lookup::Node& node = search.lookup.node(index);
    if (node.id == search.record->record.id()) continue;
    if (bytes == nullptr) bytes = std::make_shared<const Bytes>(search.record->signed_bytes);
    ++repaired;
    add_store({.to = {.id = node.id, .info = node.info},
               .kind = ValueKind::record,
               .key = search.lookup.target(),
               .bytes = bytes},
              out);
  }
  pump_stores(now, out);
}

}  // namespace ekiden::dht
