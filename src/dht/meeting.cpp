// How a node comes into the table, and how it leaves for misbehaviour.
//
// Two things are asked of a node, in any order: that the transport has verified it under session keys, and that it has
// answered a query of ours at the same address. Who has shown the first is pinged; who has shown the second on the way
// of a lookup waits for the first. Whoever shows both is admitted. The answer to a ping also tells where we are seen,
// so a few are pinged for that alone.
#include <algorithm>
#include <utility>

#include "dht/impl.hpp"

namespace ekiden::dht {

bool Dht::Impl::may_ask(const identity::SocketAddress& at) const {
  const auto source =
      config.allow_special_addresses ? identity::LearnedFrom::configuration : identity::LearnedFrom::remote_record;
  return at.port != 0 && identity::may_dial(at.ip, source);
}

bool Dht::Impl::is_banned(Instant now, const identity::PeerId& id) const {
  const Offender* offender = offenders.peek(id);
  return offender != nullptr && offender->points >= config.max_offences && now - offender->last < config.ban_time;
}

void Dht::Impl::blame(Now now, const identity::PeerId& id, std::size_t points, std::string_view what, Out& out) {
  Offender* offender = offenders.find(id);
  if (offender == nullptr) offender = &offenders.put(id, {.points = 0, .last = now.mono});
  if (now.mono - offender->last >= config.ban_time) offender->points = 0;
  offender->points += points;
  offender->last = now.mono;
  out.push(Misbehaved{.peer = id, .what = std::string(what)});
  if (offender->points < config.max_offences) return;
  introductions.erase(id);
  table.remove(id);
}

/// A forgery is one as soon as it is seen; the rest can be an error of the other side, and counts only when it repeats.
void Dht::Impl::blame_for_value(Now now, const identity::PeerId& id, const Error& why, Out& out) {
  if (why.code == Errc::unsupported) return;  // Of a newer version, perhaps.
  blame(now, id, why.code == Errc::unauthenticated ? config.max_offences : 1, why.message, out);
}

void Dht::Impl::add_candidate(Now now, const Peer& peer, Out& out) {
  if (peer.id == self || peer.info.at.port == 0 || is_banned(now.mono, peer.id)) return;
  const Contact* known = table.find(peer.id);
  if (known != nullptr && known->info.at == peer.info.at) return;
  const bool is_waiting = std::ranges::any_of(candidates, [&](const Peer& other) { return other.id == peer.id; });
  if (!is_waiting) add_probe(now, peer, out);
}

void Dht::Impl::add_probe(Now now, const Peer& peer, Out& out) {
  if (candidates.size() >= config.max_candidates) return;
  candidates.push_back(peer);
  pump_probes(now, out);
}

void Dht::Impl::pump_probes(Now now, Out& out) {
  while (!candidates.empty() && probing.size() < config.max_probes) {
    const Peer peer = candidates.front();
    candidates.pop_front();
    if (is_banned(now.mono, peer.id) || !probing.insert(peer.id).second) continue;
    ++observers.count;
    ask(now, {.kind = Pending::Kind::probe, .to = peer}, {.kind = QueryKind::ping}, out);
  }
}

void Dht::Impl::note_confirmed(Now now, const Peer& peer, Out& out) {
  if (peer.id == self || table.seen(now.mono, peer.id, peer.info.at) || is_banned(now.mono, peer.id)) return;
  if (peer.info.at.port == 0) return;
  Introduction* introduction = introductions.find(peer.id);
  if (introduction != nullptr && introduction->at == peer.info.at) {
    if (introduction->has_answered) return admit(now, peer, out);
    // It was pinged then; who only talks and never answers is not pinged for each packet.
    if (introduction->is_confirmed && now.mono - introduction->since < config.fresh_for) return;
  }
  const bool is_useful = table.find(peer.id) != nullptr || table.wants(now.mono, peer.id, peer.info.at);
  if (!is_useful) return;
  introductions.put(peer.id, {.at = peer.info.at, .has_answered = false, .is_confirmed = true, .since = now.mono});
  add_candidate(now, peer, out);
}

void Dht::Impl::note_answered(Now now, const Peer& peer, Out& out) {
  if (table.seen(now.mono, peer.id, peer.info.at) || is_banned(now.mono, peer.id)) return;
  Introduction* introduction = introductions.find(peer.id);
  if (introduction != nullptr && introduction->at == peer.info.at && introduction->is_confirmed) {
    return admit(now, peer, out);
  }
  introductions.put(peer.id, {.at = peer.info.at, .has_answered = true, .is_confirmed = false, .since = now.mono});
}

void Dht::Impl::admit(Now now, const Peer& peer, Out& out) {
  introductions.erase(peer.id);
  switch (table.confirm(now.mono, peer.id, peer.info)) {
    case Table::Place::added:
      welcome(now, peer, out);
      return ask_where_we_are(now, peer, out);
    case Table::Place::spare:
      // Ping before evict: if the node seen longest ago is gone, the newcomer gets its place.
      if (const Contact* oldest = table.questionable(now.mono, peer.id)) {
        add_probe(now, {.id = oldest->id, .info = oldest->info}, out);
      }
      return;
    case Table::Place::known:
    case Table::Place::refused:
      return;
  }
}

/// Of a node that need not be pinged for anything else.
void Dht::Impl::ask_where_we_are(Now now, const Peer& peer, Out& out) {
  if (now.mono - observers.since >= minutes(1)) observers = {.since = now.mono, .count = 0};
  if (observers.count < config.min_observers) add_probe(now, peer, out);
}

void Dht::Impl::welcome(Now now, const Peer& peer, Out& out) {
  const auto is_join = [](const auto& search) { return search.second.purpose == Purpose::join; };
  if (!has_joined && std::ranges::none_of(running, is_join)) {
    const Key target = Key::of(self);
    begin(now, target, {.lookup = Lookup(target, config.k, config), .purpose = Purpose::join}, out);
  }
  schedule_refresh();
  hand_off(now, peer, out);
}

/// Whether we are the one to give this value to the newcomer: he is among the k closest to its key, and of all others
/// that we know, but for the owner, nobody is closer than we are.
bool Dht::Impl::should_hand_off(const Values::Name& name, const Peer& newcomer) {
  if (name.owner == newcomer.id || table.count_closer(name.key, 3) > 2) return false;
  table.closest(name.key, config.k, /*good=*/false, near);
  const Distance ours = distance(name.key, self);
  const auto is_before_us = [&](const Contact* contact) {
    return contact->id != newcomer.id && contact->id != name.owner && distance(name.key, contact->id) < ours;
  };
  return std::ranges::any_of(near, [&](const Contact* contact) { return contact->id == newcomer.id; }) &&
         std::ranges::none_of(near, is_before_us);
}

/// A new node gets what it should keep, so that values outlive the nodes that keep them. (Kademlia, section 2.5.)
void Dht::Impl::hand_off(Now now, const Peer& peer, Out& out) {
  std::size_t handed = 0;
  const auto give = [&](const Values::Name& name, const Values::Value& value) {
    if (handed == config.max_handoff || value.bytes.empty() || value.expires <= now.wall) return;
    if (!should_hand_off(name, peer)) return;
    ++handed;
    add_store({.to = peer, .kind = value.kind, .key = name.key, .bytes = std::make_shared<const Bytes>(value.bytes)},
              out);
  };
  // To keys that share more bits with us than he does, all nodes that do are closer; and nearly all of our keys do.
  const std::size_t shared = common_prefix(self.bytes, peer.id.bytes);
  if (table.count_deeper(shared, config.k) == config.k) {
    values.for_each_outside(keys_near(self, shared + 1), give);
  } else {
    values.for_each(give);
  }
  if (handed > 0) pump_stores(now, out);
}

}  // namespace ekiden::dht
