#include "sim/liar.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "bootstrap/list.hpp"
#include "identity/cose_sign.hpp"
#include "sim/machine.hpp"
#include "wire/message_codec.hpp"
#include "wire/message_type.hpp"

namespace ekiden::sim {
namespace {

constexpr std::string_view kListPurpose = "ekiden bootstrap list 1";  // docs/protocol/README.md

std::string long_name() { return "tcp://" + std::string(63, 'a') + ".example:7420"; }

Bytes record_of(const identity::Identity& self, HostIndex host) {
  identity::PeerRecord record;
  record.public_key = self.public_key();
  record.sequence = 1;
  record.issued_at = kEpoch;
  record.ttl_seconds = static_cast<std::uint32_t>(std::chrono::seconds(days(7)).count());
  record.endpoints = {Network::endpoint_of(host).text()};
  auto signed_record = identity::sign_record(self, record);
  CHECK(signed_record.has_value());
  return std::move(*signed_record);
}

}  // namespace

Liar::Liar(Schedule& schedule, Network& network, Lie lie, Rng rng)
    : Liar(schedule, network, lie, crypto::Ed25519Seed(rng.bytes<32>()), rng) {}

Liar::Liar(Schedule& schedule, Network& network, Lie lie, const crypto::Ed25519Seed& seed, Rng& rng)
    : LinkHost(schedule, network, seed, 0, rng.split()),
      lie_(lie),
      rng_(std::move(rng)),
      record_(record_of(self(), host())) {}

void Liar::on_up(const link::Up& up) { askers_.insert_or_assign(up.record.record.id(), up.record.record.public_key); }

void Liar::on_message(const link::Message& message) {
  if (message.bytes.empty() || message.bytes[0] != static_cast<Byte>(wire::MessageType::list_request)) return;
  ++told_;
  Bytes bytes{static_cast<Byte>(wire::MessageType::list)};
  append(bytes, lie_to(message.from));
  send(message.from, wire::Priority::low, bytes);
}

Bytes Liar::lie_to(const identity::PeerId& asker) {
  constexpr std::size_t kGarbage = 512;
  if (lie_ == Lie::garbage) {
    Bytes bytes;
    while (bytes.size() < kGarbage) append(bytes, rng_.bytes<32>());
    return bytes;
  }
  const identity::Identity other(crypto::Ed25519Seed(rng_.bytes<32>()));
  const identity::Identity& signer = lie_ == Lie::forged ? other : self();
  bootstrap::NodeList list{.public_key = signer.public_key(),
                           .sequence = told_,
                           .issued_at = now().wall,
                           .ttl_seconds = 86'400,
                           .nodes = nodes_for(asker)};
  if (lie_ == Lie::oversized) {
    for (bootstrap::ListedNode& node : list.nodes) node.endpoints.insert(node.endpoints.end(), 3, long_name());
    Bytes bytes = identity::cose_sign(signer, as_bytes(kListPurpose), wire::encode(list));
    CHECK(bytes.size() > bootstrap::kMaxListSize);
    return bytes;
  }
  auto bytes = bootstrap::sign_list(signer, list);
  CHECK(bytes.has_value());
  return std::move(*bytes);
}

std::vector<bootstrap::ListedNode> Liar::nodes_for(const identity::PeerId& asker) {
  std::vector<bootstrap::ListedNode> nodes;
  const auto add = [&](const crypto::Ed25519PublicKey& key, const identity::Endpoint& endpoint) {
    nodes.push_back({.public_key = key, .endpoints = {endpoint.text()}, .note = {}});
  };
  if (lie_ == Lie::circular) {
    add(self().public_key(), Network::endpoint_of(host()));
    if (const auto found = askers_.find(asker); found != askers_.end())
      add(found->second, Network::endpoint_of(host()));
    for (const auto& key : accomplices_) add(key, Network::endpoint_of(host()));
    return nodes;
  }
  constexpr HostIndex kNowhere = 40'000;
  while (nodes.size() < bootstrap::kMaxListNodes) {
    const identity::Identity invented(crypto::Ed25519Seed(rng_.bytes<32>()));
    const HostIndex at = lie_ == Lie::crowded ? 0 : kNowhere + static_cast<HostIndex>(rng_.below(20'000));
    add(invented.public_key(), Network::endpoint_of(at));
  }
  return nodes;
}

}  // namespace ekiden::sim
