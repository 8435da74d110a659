#include "dht/dht.hpp"

#include <utility>

#include "base/check.hpp"
#include "dht/impl.hpp"
#include "dht/rows.hpp"

namespace ekiden::dht {
namespace {

/// Candidates from outside that are tried again when the table is empty.
constexpr std::size_t kMaxGiven = 64;

std::unexpected<Error> corrupt_node(std::string_view what) {
  return fail(Errc::storage_corrupt,
              "a node of the DHT in the store " + std::string(what) + ": restore the data directory from a backup");
}

identity::NodeInfo node_of(const NodeRow& row) {
  const auto family = row.is_v4 ? identity::IpAddress::Family::v4 : identity::IpAddress::Family::v6;
  return {.public_key = row.public_key, .at = {.ip = {.family = family, .bytes = row.address}, .port = row.port}};
}

}  // namespace

Dht::Impl::Impl(const identity::PeerId& own_id, Config cfg, Rng random)
    : self(own_id),
      config(cfg),
      rng(std::move(random)),
      table(self, config),
      values(self, config, rng),
      introductions(config.max_introductions),
      offenders(config.max_offenders),
      senders(config.max_senders),
      sending_prefixes(config.max_senders),
      given(kMaxGiven) {
  CHECK(config.valid());
}

Status Dht::Impl::load(const store::Row& row) {
  if (row.key.table == store::Table::values) return values.load(row);
  if (row.key.table != store::Table::nodes) return {};
  const auto decoded = wire::decode<NodeRow>(row.value);
  if (!decoded) return corrupt_node("does not decode (" + decoded.error().message + ")");
  const identity::NodeInfo node = node_of(*decoded);
  const identity::PeerId id = node.id();
  if (row.key.name != to_bytes(id.view())) return corrupt_node("has another's name");
  remembered.insert_or_assign(id, node);
  return {};
}

void Dht::Impl::start(Now now, Out& out) {
  values.start(now);
  timers.set({.kind = Timer::Kind::sweep}, now.mono + minutes(1));
  timers.set({.kind = Timer::Kind::persist}, now.mono + jittered(config.persist_interval));
  timers.set({.kind = Timer::Kind::rejoin}, now.mono + config.rejoin_interval);
  for (const auto& [id, info] : remembered) add_candidate(now, {.id = id, .info = info}, out);
}

DhtStatus Dht::Impl::status() const {
  return {.buckets = table.bucket_sizes(),
          .nodes = table.size(),
          .spares = table.spare_count(),
          .values = values.size(),
          .value_bytes = values.byte_size(),
          .lookups = running.size(),
          .queries = pending.size(),
          .candidates = candidates.size(),
          .own_values = own.size()};
}

void Dht::Impl::check_invariants() const {
  table.check_invariants();
  values.check_invariants();
  std::size_t probes = 0;
  std::size_t stores_pending = 0;
  for (const auto& [id, query] : pending) {
    probes += query.kind == Pending::Kind::probe ? 1 : 0;
    stores_pending += query.kind == Pending::Kind::store ? 1 : 0;
    if (query.kind == Pending::Kind::probe) CHECK(probing.contains(query.to.id));
  }
  CHECK(probes == probing.size() && probes <= config.max_probes);
  CHECK(stores_pending == stores_under_way && stores_under_way <= config.max_stores_under_way);
  CHECK(candidates.size() <= config.max_candidates && stores.size() <= config.max_stores_waiting);
  CHECK(running.size() <= config.max_lookups && own.size() <= config.max_own_values);
  for (const auto& [number, search] : running) {
    search.lookup.check_invariants();
    CHECK(!search.lookup.is_finished() && timers.at({.kind = Timer::Kind::lookup, .number = number}));
    CHECK(search.announcements.size() <= config.max_results);
  }
  for (const auto& [number, value] : own) {
    const std::size_t most = value.is_withdrawal ? 2 * config.k : config.k;
    CHECK(value.bytes != nullptr && value.holders.size() <= most && value.waiting <= most);
  }
}

Dht::Dht(const identity::PeerId& self, Config config, Rng rng)
    : impl_(std::make_unique<Impl>(self, config, std::move(rng))) {}
Dht::~Dht() = default;

Status Dht::load(const std::vector<store::Row>& rows) {
  for (const store::Row& row : rows) EKIDEN_TRY(impl_->load(row));
  return {};
}

void Dht::start(Now now, Outbox<Effect>& out) { impl_->start(now, out); }

void Dht::on_candidate(Now now, const identity::NodeInfo& node, Outbox<Effect>& out) {
  const Impl::Peer peer{.id = node.id(), .info = node};
  if (peer.id == impl_->self) return;
  impl_->given.put(peer.id, node);
  impl_->add_candidate(now, peer, out);
}

void Dht::on_local(Now now, const identity::NodeInfo& node, Outbox<Effect>& out) {
  if (node.id() == impl_->self) return;
  impl_->locals.insert_or_assign(node.id(), node);
  on_candidate(now, node, out);
}

void Dht::on_local_gone(const identity::PeerId& peer) { impl_->locals.erase(peer); }

void Dht::on_confirmed(Now now, const identity::NodeInfo& node, Outbox<Effect>& out) {
  impl_->note_confirmed(now, {.id = node.id(), .info = node}, out);
}

void Dht::on_query(Now now, QueryToken token, const identity::NodeInfo& from, bool proven, ByteView body,
                   Outbox<Effect>& out) {
  impl_->on_query(now, token, {.id = from.id(), .info = from}, proven, body, out);
}

void Dht::on_answer(Now now, QueryId id, ByteView body, Outbox<Effect>& out) { impl_->on_answer(now, id, body, out); }

void Dht::on_failed(Now now, QueryId id, const Error& /*why*/, Outbox<Effect>& out) { impl_->on_failed(now, id, out); }

void Dht::find_peer(Now now, LookupId id, const identity::PeerId& peer, Outbox<Effect>& out,
                    const std::optional<identity::NodeInfo>& hint) {
  impl_->find_peer(now, id, peer, hint, out);
}

void Dht::find_capability(Now now, LookupId id, std::string_view capability, std::size_t limit, Outbox<Effect>& out) {
  impl_->find_capability(now, id, capability, limit, out);
}

Status Dht::publish(Now now, Bytes signed_record, Outbox<Effect>& out) {
  return impl_->publish(now, std::move(signed_record), out);
}
Status Dht::withdraw(Now now, Bytes signed_record, Outbox<Effect>& out) {
  return impl_->withdraw(now, std::move(signed_record), out);
}
Status Dht::announce(Now now, Bytes signed_announcement, Outbox<Effect>& out) {
  return impl_->announce(now, std::move(signed_announcement), out);
}
Status Dht::unannounce(Now now, Bytes signed_announcement, Outbox<Effect>& out) {
  return impl_->unannounce(now, std::move(signed_announcement), out);
}

void Dht::flush(Now now, Outbox<Effect>& out) { impl_->persist(now, out); }
std::optional<Instant> Dht::deadline() const { return impl_->deadline(); }
void Dht::on_deadline(Now now, Outbox<Effect>& out) { impl_->on_deadline(now, out); }

DhtStatus Dht::status() const { return impl_->status(); }

std::vector<identity::NodeInfo> Dht::closest(const identity::PeerId& to, std::size_t count) const {
  std::vector<const Contact*> near;
  impl_->table.closest(Key::of(to), count, /*good=*/true, near);
  std::vector<identity::NodeInfo> nodes;
  for (const Contact* contact : near) nodes.push_back(contact->info);
  return nodes;
}

void Dht::check_invariants() const { impl_->check_invariants(); }

}  // namespace ekiden::dht
