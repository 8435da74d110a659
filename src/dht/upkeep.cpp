// Time: what is due, refreshing of buckets, rejoining, sweeping and writing.
#include <algorithm>
#include <utility>

#include "dht/impl.hpp"
#include "dht/rows.hpp"

namespace ekiden::dht {
namespace {

constexpr Duration kSweepInterval = minutes(1);

NodeRow row_of(const identity::NodeInfo& node) {
  return {.public_key = node.public_key,
          .is_v4 = node.at.ip.family == identity::IpAddress::Family::v4,
          .address = node.at.ip.bytes,
          .port = node.at.port};
}

}  // namespace

std::optional<Instant> Dht::Impl::deadline() const {
  std::optional<Instant> oldest;
  // Queries are numbered in the order of their times, and all have the same timeout.
  if (!pending.empty()) oldest = pending.begin()->second.asked + config.query_timeout;
  return earlier(timers.earliest(), oldest);
}

void Dht::Impl::on_deadline(Now now, Out& out) {
  while (!pending.empty() && pending.begin()->second.asked + config.query_timeout <= now.mono) {
    on_failed(now, pending.begin()->first, out);
  }
  while (const auto timer = timers.pop_due(now.mono)) on_timer(now, *timer, out);
}

void Dht::Impl::on_timer(Now now, const Timer& timer, Out& out) {
  switch (timer.kind) {
    case Timer::Kind::lookup:
      return lookup_due(now, timer.number, out);
    case Timer::Kind::publish:
      return publish_due(now, timer.number, out);
    case Timer::Kind::refresh:
      return refresh(now, out);
    case Timer::Kind::rejoin:
      return rejoin(now, out);
    case Timer::Kind::sweep:
      values.sweep(now);
      return timers.set(timer, now.mono + kSweepInterval);
    case Timer::Kind::persist:
      persist(now, out);
      return timers.set(timer, now.mono + jittered(config.persist_interval));
  }
}

/// Up to a tenth earlier or later, so that nodes which were started together do not act together.
Duration Dht::Impl::jittered(Duration interval) {
  return rng.between(interval - interval / 10, interval + interval / 10);
}

/// Who joins early in the life of a network, or with it, knows few: its table is looked after more often at first.
Duration Dht::Impl::refresh_pause(Instant now) {
  const Duration age = has_joined ? now - joined_at : Duration{};
  return jittered(std::min(config.refresh_interval, std::max(config.first_refresh, age)));
}

/// One bucket at a time: a lookup in its range, and a ping for each of its nodes that has not been seen for a while.
void Dht::Impl::refresh(Now now, Out& out) {
  const auto due = table.next_refresh();
  if (!due || is_refreshing) return;
  if (due->at > now.mono) return schedule_refresh();
  if (running.size() >= config.max_lookups / 2) {
    return timers.set({.kind = Timer::Kind::refresh}, now.mono + kBusyPause);
  }
  const bool is_near = due->bucket == table.near_bucket();
  const Key target = is_near ? Key::of(self) : random_key_near(self, due->bucket, rng);
  // Those who join with us, and what we look for, fill buckets too: a storm of lookups after a power cut helps nobody.
  const bool is_early = now.mono - joined_at < config.first_refresh;
  if (!is_near && is_early && table.is_filled(due->bucket)) {
    table.note_lookup(target, now.mono + refresh_pause(now.mono));
    return schedule_refresh();
  }
  is_refreshing = true;
  std::vector<const Contact*> quiet;
  table.append_questionable(now.mono, due->bucket, quiet);
  for (const Contact* contact : quiet) {
    if (candidates.size() < config.max_candidates) candidates.push_back({.id = contact->id, .info = contact->info});
  }
  pump_probes(now, out);
  const std::size_t width = is_near || !is_early ? config.k : std::min(config.quorum, config.k);
  begin(now, target, {.lookup = Lookup(target, width, config), .purpose = Purpose::refresh}, out);
}

void Dht::Impl::schedule_refresh() {
  const auto next = table.next_refresh();
  if (next && !is_refreshing) timers.set({.kind = Timer::Kind::refresh}, next->at);
}

/// With an empty table, everybody that we have ever heard of is tried again.
void Dht::Impl::rejoin(Now now, Out& out) {
  timers.set({.kind = Timer::Kind::rejoin}, now.mono + config.rejoin_interval);
  if (table.size() > 0) return;
  has_joined = false;
  for (const auto& [id, info] : given) add_candidate(now, {.id = id, .info = info}, out);
  for (const auto& [id, info] : remembered) add_candidate(now, {.id = id, .info = info}, out);
}

void Dht::Impl::persist(Now now, Out& out) {
  store::Batch batch;
  write_nodes(batch);
  values.write_changes(now, batch);
  if (!batch.empty()) out.push(Write{std::move(batch)});
}

/// The nodes that answer, in place of those that stood there. As long as there are only a few, the old ones stay: after
/// a day without a network they are all we have.
void Dht::Impl::write_nodes(store::Batch& batch) {
  std::map<identity::PeerId, identity::NodeInfo> good;
  table.for_each([&](const Contact& contact) {
    if (contact.failures == 0 && good.size() < config.max_remembered) good.emplace(contact.id, contact.info);
  });
  const bool is_enough = good.size() >= std::min(config.k, remembered.size());
  for (auto node = remembered.begin(); node != remembered.end();) {
    const bool goes = !good.contains(node->first) && (is_enough || remembered.size() > config.max_remembered);
    if (goes) batch.erase(store::Table::nodes, node->first.view());
    node = goes ? remembered.erase(node) : std::next(node);
  }
  for (const auto& [id, info] : good) {
    const auto known = remembered.find(id);
    if (known != remembered.end() ? known->second == info : remembered.size() >= config.max_remembered) continue;
    remembered.insert_or_assign(id, info);
    batch.put(store::Table::nodes, id.view(), wire::encode(row_of(info)));
  }
}

}  // namespace ekiden::dht
