#include "sim/sybil.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.hpp"
#include "dht/messages.hpp"
#include "identity/peer_record.hpp"
#include "sim/machine.hpp"
#include "wire/message_codec.hpp"

namespace ekiden::sim {
namespace {

constexpr Duration kPushInterval = seconds(20);
constexpr std::size_t kPushed = 3;  ///< honest nodes in a round
constexpr std::size_t kStoredAt = 20;

std::vector<identity::NodeInfo> closest_of(const std::vector<identity::NodeInfo>& nodes,
                                           const std::vector<identity::PeerId>& ids, const dht::Key& target,
                                           std::size_t count) {
  std::vector<std::pair<dht::Distance, std::size_t>> order;
  for (std::size_t i = 0; i < ids.size(); ++i) order.emplace_back(dht::distance(target, ids[i]), i);
  const auto wanted = order.begin() + static_cast<std::ptrdiff_t>(std::min(count, order.size()));
  std::partial_sort(order.begin(), wanted, order.end());
  std::vector<identity::NodeInfo> found;
  for (auto it = order.begin(); it != wanted; ++it) found.push_back(nodes[it->second]);
  return found;
}

/// The same record with another port in it: all in order but the signature.
Bytes forged(Bytes record) {
  constexpr std::string_view kPort = ":7420";
  const auto port = std::search(record.begin(), record.end(), kPort.begin(), kPort.end());
  if (port != record.end()) port[4] = '1';
  return record;
}

}  // namespace

std::vector<identity::NodeInfo> Gang::closest(const dht::Key& target) const {
  return closest_of(members, ids, target, dht::kMaxNodes - forbidden.size());
}

Sybil::Sybil(Schedule& schedule, Network& network, Gang& gang, Kind kind, const crypto::Ed25519Seed& seed,
             const identity::IpAddress& at, Rng rng)
    : DatagramHost(schedule, network, seed, at, std::move(rng)), gang_(gang), kind_(kind) {
  gang_.members.push_back(info());
  gang_.ids.push_back(self().id());
}

void Sybil::start() {
  schedule_.after(rng_.between(Duration(0), kPushInterval), [this] { push(); });
  schedule_.after(rng_.between(seconds(30), minutes(1)), [this] { store_record(); });
}

Bytes Sybil::record() const {
  identity::PeerRecord record;
  record.public_key = self().public_key();
  record.sequence = to_unix_ms(now().wall);
  record.issued_at = now().wall;
  record.ttl_seconds = static_cast<std::uint32_t>(identity::kMaxRecordTtl.count());
  for (const identity::SocketAddress& at : gang_.forbidden) {
    if (record.endpoints.size() < identity::kMaxRecordEndpoints) record.endpoints.push_back("tcp://" + at.text());
  }
  auto bytes = identity::sign_record(self(), record);
  CHECK(bytes.has_value());
  return std::move(*bytes);
}

Bytes Sybil::answer_to(const datagram::Queried& query) {
  const auto asked = dht::decode_query(query.body.view());
  dht::Reply reply;
  if (!asked || !asked->target) return wire::encode(reply);
  const dht::Key target = *asked->target;
  dht::NodePacker packer;
  for (const identity::NodeInfo& member : gang_.closest(target)) packer.add(member);
  for (const identity::SocketAddress& at : gang_.forbidden) {
    packer.add({identity::Identity(crypto::Ed25519Seed(rng_.bytes<32>())).public_key(), at});
  }
  reply.nodes4 = packer.nodes4();
  reply.nodes6 = packer.nodes6();
  std::vector<Bytes> values;
  if (asked->kind == dht::QueryKind::store) {
    keep(*asked);
  } else if (asked->kind == dht::QueryKind::find_value && asked->value_kind == dht::ValueKind::record) {
    values = values_under(target);
    if (!values.empty()) reply.nodes4 = reply.nodes6 = {};  // Both do not fit.
  }
  reply.values.assign(values.begin(), values.end());
  return wire::encode(reply);
}

void Sybil::keep(const dht::Query& store) {
  Gang::Kept& kept = gang_.kept.try_emplace(*store.target, Gang::Kept{to_bytes(*store.value)}).first->second;
  if (store.value_kind != dht::ValueKind::record) return;
  const auto record = identity::verify_record_ignoring_time(*store.value);
  if (!record) return;
  if (kept.oldest_sequence == 0) kept.oldest_sequence = record->sequence;
  kept.newest_sequence = std::max(kept.newest_sequence, record->sequence);
}

std::vector<Bytes> Sybil::values_under(const dht::Key& key) {
  if (kind_ == Kind::hides) return {};
  const auto known = gang_.kept.find(key);
  if (kind_ == Kind::replays) {
    if (known == gang_.kept.end()) return {};
    if (known->second.newest_sequence > known->second.oldest_sequence) ++gang_.replays;
    return {known->second.oldest};
  }
  if (known == gang_.kept.end()) {
    ++gang_.misplaced;
    return {record()};
  }
  Bytes lie = forged(known->second.oldest);
  if (lie != known->second.oldest) ++gang_.forgeries;
  return {std::move(lie)};
}

void Sybil::push() {
  const auto ask_for_us = [this](const identity::NodeInfo& node) {
    dht::Query query;
    query.kind = dht::QueryKind::find_node;
    query.target = dht::Key::of(self().id());
    ask(node, wire::encode(query), /*first_flight_allowed=*/true);
  };
  for (const identity::NodeInfo& node : gang_.preferred) ask_for_us(node);
  for (std::size_t i = 0; i < kPushed; ++i) ask_for_us(gang_.honest[rng_.below(gang_.honest.size())]);
  schedule_.after(kPushInterval, [this] { push(); });
}

void Sybil::store_record() {
  const dht::Key key = dht::Key::of(self().id());
  const Bytes bytes = record();
  dht::Query query;
  query.kind = dht::QueryKind::store;
  query.target = key;
  query.value_kind = dht::ValueKind::record;
  query.value = bytes;
  std::vector<identity::PeerId> ids;
  for (const identity::NodeInfo& node : gang_.honest) ids.push_back(node.id());
  for (const identity::NodeInfo& node : closest_of(gang_.honest, ids, key, kStoredAt)) {
    ask(node, wire::encode(query), /*first_flight_allowed=*/false);
  }
  schedule_.after(hours(1), [this] { store_record(); });
}

}  // namespace ekiden::sim
