// Queries of ours: sending, and what becomes of them.
#include <utility>

#include "base/check.hpp"
#include "dht/impl.hpp"

namespace ekiden::dht {

void Dht::Impl::ask(Now now, Pending query, const Query& message, Out& out) {
  const QueryId id{next_query++};
  query.asked = now.mono;
  Bytes body;
  body.reserve(message.value ? kMaxBody : std::size_t{64});
  wire::encode_to(message, body);
  CHECK(body.size() <= kMaxBody);
  out.push(Ask{.id = id,
               .to = query.to.info,
               .body = std::move(body),
               .first_flight_allowed = message.kind != QueryKind::store});
  pending.emplace(id, query);
}

void Dht::Impl::on_answer(Now now, QueryId id, ByteView body, Out& out) {
  const auto found = pending.find(id);
  if (found == pending.end()) return;  // Too late.
  const auto reply = decode_reply(body);
  if (!reply) {
    if (reply.error().code != Errc::unsupported) blame(now, found->second.to.id, 1, reply.error().message, out);
    return on_failed(now, id, out);
  }
  const Pending query = found->second;
  pending.erase(found);
  switch (query.kind) {
    case Pending::Kind::probe:
      probing.erase(query.to.id);
      if (const auto address = observed_in(*reply)) out.push(Observed{.by = query.to.info, .address = *address});
      note_answered(now, query.to, out);
      return pump_probes(now, out);
    case Pending::Kind::lookup:
      note_answered(now, query.to, out);
      return lookup_answered(now, query, *reply, out);
    case Pending::Kind::store:
      note_answered(now, query.to, out);
      --stores_under_way;
      note_stored(query.own, query.round, reply->outcome, out);
      return pump_stores(now, out);
  }
}

void Dht::Impl::on_failed(Now now, QueryId id, Out& out) {
  const auto found = pending.find(id);
  if (found == pending.end()) return;
  const Pending query = found->second;
  pending.erase(found);
  table.failed(now.mono, query.to.id, query.to.info.at);
  switch (query.kind) {
    case Pending::Kind::probe:
      probing.erase(query.to.id);
      return pump_probes(now, out);
    case Pending::Kind::lookup:
      return lookup_failed(now, query, out);
    case Pending::Kind::store:
      --stores_under_way;
      note_stored(query.own, query.round, std::nullopt, out);
      return pump_stores(now, out);
  }
}

}  // namespace ekiden::dht
