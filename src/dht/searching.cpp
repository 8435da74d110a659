// Lookups under way: asking on, hearing of nodes, ending.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "dht/impl.hpp"

namespace ekiden::dht {

bool Dht::Impl::is_running(LookupId id) const {
  return std::ranges::any_of(running,
                             [&](const auto& search) { return search.second.wants_value() && search.second.id == id; });
}

/// Starts a lookup from the nodes of the table; it may be over when this returns. Nothing if there are too many.
std::optional<std::uint64_t> Dht::Impl::begin(Now now, const Key& target, Running search, Out& out) {
  if (running.size() >= config.max_lookups) return std::nullopt;
  table.closest(target, config.k, /*good=*/true, near);
  // Our own network may have been down: then nobody is good.
  if (near.empty()) table.closest(target, config.k, /*good=*/false, near);
  for (const Contact* contact : near) search.lookup.seed(contact->id, contact->info);
  if (std::ranges::none_of(near, [&](const Contact* contact) { return may_ask(contact->info.at); })) {
    seed_locals(search.lookup);
  }
  table.note_lookup(target, now.mono + refresh_pause(now.mono));
  search.started = now.mono;
  const std::uint64_t number = next_lookup++;
  Running& placed = running.emplace(number, std::move(search)).first->second;
  seed_from_values(now, placed);
  pump(now, number, out);
  return number;
}

/// A network without the internet is one prefix, of which the table holds few; and none of its nodes may be told of by
/// another. We have heard them all ourselves. Attack: where there are others, whoever says many beacons on our network
/// would be most of what a lookup begins with.
void Dht::Impl::seed_locals(Lookup& lookup) const {
  std::vector<std::pair<Distance, const identity::NodeInfo*>> nearest;
  for (const auto& [id, info] : locals) {
    if (!lookup.find(info.public_key)) nearest.emplace_back(distance(lookup.target(), id), &info);
  }
  const std::size_t count = std::min(nearest.size(), config.k);
  std::ranges::partial_sort(nearest, nearest.begin() + static_cast<std::ptrdiff_t>(count), {},
                            [](const auto& each) -> const Distance& { return each.first; });
  for (std::size_t i = 0; i < count; ++i) lookup.seed_local(nearest[i].second->id(), *nearest[i].second);
}

/// Whether the values that were found are enough without asking all of the k closest.
bool Dht::Impl::is_satisfied(const Running& search) const {
  switch (search.purpose) {
    case Purpose::find_peer:
      return search.record.has_value();
    case Purpose::find_capability:
      return search.announcements.size() >= search.limit;
    case Purpose::join:
    case Purpose::refresh:
    case Purpose::publish:
      return true;
  }
  return true;
}

void Dht::Impl::pump(Now now, std::uint64_t number, Out& out) {
  Running& search = running.at(number);
  while (true) {
    while (const auto index = search.lookup.next(now.mono)) {
      const Lookup::Node& node = search.lookup.node(*index);
      const bool wants_value = search.wants_value();
      Query query{.kind = wants_value ? QueryKind::find_value : QueryKind::find_node, .target = search.lookup.target()};
      if (wants_value) query.value_kind = search.value_kind();
      ask(now,
          {.kind = Pending::Kind::lookup, .to = {.id = node.id, .info = node.info}, .lookup = number, .node = *index},
          query, out);
    }
    if (!search.lookup.is_finished()) break;
    if (search.lookup.width() >= config.k || is_satisfied(search)) return finish(now, number, /*timed_out=*/false, out);
    search.lookup.widen(config.k);
  }
  const Instant end = search.started + config.lookup_timeout;
  const auto slow = search.lookup.next_slow();
  timers.set({.kind = Timer::Kind::lookup, .number = number}, slow ? std::min(*slow, end) : end);
}

void Dht::Impl::lookup_answered(Now now, const Pending& query, const Reply& reply, Out& out) {
  const auto found = running.find(query.lookup);
  if (found == running.end()) return;
  Running& search = found->second;
  const bool is_good =
      reply.outcome == Outcome::done && (!search.wants_value() || take_values(now, search, query, reply, out));
  if (is_good) {
    search.lookup.answered(now.mono, query.node);
    hear(now, search, query.node, reply);
  } else {
    search.lookup.failed(query.node);
  }
  pump(now, query.lookup, out);
}

void Dht::Impl::lookup_failed(Now now, const Pending& query, Out& out) {
  const auto search = running.find(query.lookup);
  if (search == running.end()) return;
  search->second.lookup.failed(query.node);
  pump(now, query.lookup, out);
}

/// Takes the nodes of a reply as candidates. What the table knows of a node is proven, so its address comes first.
void Dht::Impl::hear(Now now, Running& search, Lookup::Index teller, const Reply& reply) {
  const std::size_t count = std::min(count_nodes(reply), config.k);
  for (std::size_t i = 0; i < count; ++i) {
    identity::NodeInfo info = node_at(reply, i);
    if (!may_ask(info.at)) continue;
    if (const auto known = search.lookup.find(info.public_key)) {
      search.lookup.hear_again(teller, *known, info.at);
      continue;
    }
    const identity::PeerId id = info.id();
    if (id == self || is_banned(now.mono, id)) continue;
    if (const Contact* contact = table.find(id)) info.at = contact->info.at;
    search.lookup.hear(teller, id, info);
  }
}

void Dht::Impl::lookup_due(Now now, std::uint64_t number, Out& out) {
  const auto search = running.find(number);
  if (search == running.end()) return;
  if (now.mono - search->second.started >= config.lookup_timeout) return finish(now, number, /*timed_out=*/true, out);
  search->second.lookup.mark_slow(now.mono);
  pump(now, number, out);
}

}  // namespace ekiden::dht
