// Queries of others.
#include <algorithm>
#include <span>
#include <utility>

#include "base/check.hpp"
#include "dht/impl.hpp"

namespace ekiden::dht {
namespace {

/// A reply without nodes and values, with room for the longest heads.
constexpr std::size_t kReplyFrame = 16;
constexpr std::size_t kValueHead = 3;
/// So much of a reply stays free for nodes, or a lookup among many announcements would not get on.
constexpr std::size_t kNodeReserve = 4 * kNode6Size;

Outcome outcome_of(Errc code) { return code == Errc::unsupported ? Outcome::unsupported : Outcome::malformed; }

/// Counts one more in the minute; false if it is over the bound.
template <class Map, class Key>
bool count_store(Map& counts, const Key& key, Instant now, std::size_t most) {
  auto* entry = counts.find(key);
  if (entry == nullptr) entry = &counts.put(key, {.since = now, .count = 0});
  if (now - entry->since >= minutes(1)) *entry = {.since = now, .count = 0};
  return ++entry->count <= most;
}

}  // namespace

void Dht::Impl::on_query(Now now, QueryToken token, const Peer& from, bool proven, ByteView body, Out& out) {
  if (from.id == self || is_banned(now.mono, from.id)) return;
  const auto query = decode_query(body);
  if (!query) return answer(token, {.outcome = outcome_of(query.error().code)}, out);
  if (proven) note_confirmed(now, from, out);
  Reply reply;
  switch (query->kind) {
    case QueryKind::ping: {
      ByteArray<kAddress6Size> address;
      const std::size_t size = pack_address(from.info.at, address);
      reply.observed = ByteView(address).first(size);
      return answer(token, reply, out);
    }
    case QueryKind::find_node:
      return answer_nodes(token, from, *query->target, reply, kReplyFrame, out);
    case QueryKind::find_value:
      return answer_value(now, token, from, *query, out);
    case QueryKind::store:
      reply.outcome = store(now, from, proven, *query, out);
      return answer(token, reply, out);
  }
}

void Dht::Impl::answer(QueryToken token, const Reply& reply, Out& out) const {
  Bytes body;
  body.reserve(kMaxBody);
  wire::encode_to(reply, body);
  CHECK(body.size() <= kMaxBody);
  out.push(Answer{.token = token, .body = std::move(body)});
}

/// Adds the closest nodes that fit. Nobody is told of himself, and strangers far away not of our local network.
void Dht::Impl::answer_nodes(QueryToken token, const Peer& from, const Key& target, Reply& reply, std::size_t used,
                             Out& out) {
  const bool local_too =
      config.allow_special_addresses || !identity::may_dial(from.info.at.ip, identity::LearnedFrom::remote_record);
  table.closest(target, config.k + 1, /*good=*/true, near);
  packer.clear();
  std::size_t count = 0;
  for (const Contact* contact : near) {
    if (contact->id == from.id || (!contact->is_global && !local_too)) continue;
    used += NodePacker::size_of(contact->info);
    if (used > kMaxBody || count == config.k || !packer.add(contact->info)) break;
    ++count;
  }
  reply.nodes4 = packer.nodes4();
  reply.nodes6 = packer.nodes6();
  answer(token, reply, out);
}

void Dht::Impl::answer_value(Now now, QueryToken token, const Peer& from, const Query& query, Out& out) {
  Reply reply;
  std::size_t used = kReplyFrame;
  const auto ours = own.find(find_own(*query.value_kind, *query.target));
  if (ours != own.end() && !ours->second.is_withdrawal && ours->second.expires > now.wall) {
    reply.values.push_back(*ours->second.bytes);
    used += kValueHead + ours->second.bytes->size();
  }
  if (*query.value_kind == ValueKind::announcement) {
    used = add_announcements(now, *query.target, used, reply);
  } else if (const auto* value = values.record(*query.target, now.wall); value != nullptr && reply.values.empty()) {
    reply.values.push_back(value->bytes);
    used += kValueHead + value->bytes.size();
  }
  answer_nodes(token, from, *query.target, reply, used, out);
}

/// As many as fit: whoever asks several holders of a popular key learns of many.
std::size_t Dht::Impl::add_announcements(Now now, const Key& key, std::size_t used, Reply& reply) {
  draw_announcements(now, key, kMaxValuesInReply - reply.values.size());
  for (const Values::Value* value : drawn) {
    if (used + kValueHead + value->bytes.size() > kMaxBody - kNodeReserve) break;
    reply.values.push_back(value->bytes);
    used += kValueHead + value->bytes.size();
  }
  return used;
}

/// By lot, and in turns: one from each network, then a second from each. Whoever announces much from one place fills
/// no answer with it.
void Dht::Impl::draw_announcements(Now now, const Key& key, std::size_t most) {
  values.announcements(key, now.wall, drawn);
  rng.shuffle(drawn);
  std::size_t count = 0;
  std::size_t turn = 0;  // begins with this one
  while (count < std::min(most, drawn.size())) {
    const auto begin = drawn.begin();
    const std::span had(begin + static_cast<std::ptrdiff_t>(turn), begin + static_cast<std::ptrdiff_t>(count));
    const auto next =
        std::find_if(begin + static_cast<std::ptrdiff_t>(count), drawn.end(), [&](const Values::Value* value) {
          return std::ranges::none_of(had, [&](const Values::Value* other) { return other->from == value->from; });
        });
    if (next == drawn.end()) {
      turn = count;
    } else {
      std::swap(drawn[count++], *next);
    }
  }
  drawn.resize(count);
}

bool Dht::Impl::is_local(const Peer& peer) const {
  const auto heard = locals.find(peer.id);
  return heard != locals.end() && heard->second.at == peer.info.at;
}

bool Dht::Impl::spend_store(Instant now, const Peer& from) {
  if (!count_store(senders, from.id, now, config.max_stores_per_sender)) return false;
  if (config.max_stores_per_prefix == 0 || is_local(from)) return true;
  return count_store(sending_prefixes, identity::prefix_of(from.info.at.ip), now, config.max_stores_per_prefix);
}

/// What costs least is checked first: a signature costs more than everything else here.
Outcome Dht::Impl::store(Now now, const Peer& from, bool proven, const Query& query, Out& out) {
  if (!proven) return Outcome::unproven;
  if (!spend_store(now.mono, from)) return Outcome::too_many;
  const Key& key = *query.target;
  if (*query.value_kind == ValueKind::record && key == Key::of(self)) return Outcome::stale;  // We know best.
  const std::size_t most = config.k + config.store_slack;
  if (table.count_closer(key, most) >= most) return Outcome::not_close;
  const Values::Storer by{.id = from.id, .prefix = identity::prefix_of(from.info.at.ip)};
  if (values.renew(now, *query.value_kind, key, *query.value, by)) return Outcome::done;
  const auto checked = check_value(*query.value_kind, key, *query.value, now.wall);
  if (!checked) {
    blame_for_value(now, from.id, checked.error(), out);
    return Outcome::invalid;
  }
  const ValueFacts& facts = checked->facts;
  if (facts.is_over && now.wall - facts.expires > config.clock_tolerance) return Outcome::invalid;
  switch (values.put(now, *query.value_kind, key, facts, *query.value, by)) {
    case Values::Put::stored:
    case Values::Put::renewed:
      return Outcome::done;
    case Values::Put::stale:
      return Outcome::stale;
    case Values::Put::full:
      return Outcome::too_many;
  }
  return Outcome::too_many;
}

}  // namespace ekiden::dht
