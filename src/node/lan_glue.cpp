// Peers on the local network: candidates for the DHT, addresses to dial for messages that wait, and the first to be
// asked for their own record. What is heard there goes no further: neither into records nor into lists, and the DHT
// keeps private addresses from strangers.
#include <algorithm>
#include <utility>

#include "node/impl.hpp"

namespace ekiden::node {
namespace {

/// Of the places of one peer: others may be old, and each that is dead costs a timeout.
constexpr std::size_t kMaxDials = 2;

identity::Endpoint endpoint_at(const lan::Place& place, identity::Endpoint::Transport transport, std::uint16_t port) {
  return {.transport = transport, .host = place.ip.text(), .port = port};
}

std::vector<identity::Endpoint> endpoints_at(const std::vector<lan::Place>& places) {
  using enum identity::Endpoint::Transport;
  std::vector<identity::Endpoint> all;
  for (const lan::Place& place : places) {
    if (place.tcp_port != 0) all.push_back(endpoint_at(place, tcp, place.tcp_port));
    all.push_back(endpoint_at(place, udp, place.udp_port));
  }
  return all;
}

}  // namespace

/// Once handshakes have a record to show.
void Node::Impl::start_lan(Now now) {
  if (takes_part() && !ending && config.lan_ports) lan.start(now, *config.lan_ports, lan_out);
}

void Node::Impl::on_lan_effect(Now now, lan::Lan::Effect effect) {
  std::visit(Overloaded{
                 [&](lan::Say& word) { out->push(SayBeacon{std::move(word.beacon)}); },
                 [&](const lan::Heard& heard) { on_heard(now, heard); },
                 [&](const lan::Forgotten& forgotten) {
                   if (const auto node = lan_node(forgotten.peer)) {
                     dht.on_local(now, *node, dht_out);
                   } else {
                     dht.on_local_gone(forgotten.peer);
                   }
                   if (wanted.contains(forgotten.peer)) dial(now, forgotten.peer);
                 },
             },
             effect);
}

void Node::Impl::on_heard(Now now, const lan::Heard& heard) {
  dht.on_local(now, heard.node, dht_out);
  const identity::PeerId peer = heard.node.id();
  if (!heard.is_news || !wanted.contains(peer) || links.is_up(peer)) return;
  dial(now, peer);
  links.retry_now(now, peer, link_out);
}

std::vector<identity::Endpoint> Node::Impl::lan_dials(const identity::PeerId& peer) const {
  std::vector<identity::Endpoint> all;
  const lan::Peer* heard = lan.find(peer);
  if (heard == nullptr) return all;
  for (const lan::Place& place : heard->places) {
    if (place.tcp_port == 0 || all.size() == kMaxDials) continue;
    all.push_back(endpoint_at(place, identity::Endpoint::Transport::tcp, place.tcp_port));
  }
  return all;
}

std::optional<identity::NodeInfo> Node::Impl::lan_node(const identity::PeerId& peer) const {
  const lan::Peer* heard = lan.find(peer);
  if (heard == nullptr) return std::nullopt;
  const lan::Place& place = heard->places.front();
  return identity::NodeInfo{.public_key = heard->public_key, .at = {.ip = place.ip, .port = place.udp_port}};
}

std::vector<LanPeer> Node::lan_peers() const {
  std::vector<LanPeer> all;
  for (const auto& [peer, heard] : impl_->lan.peers().all()) all.push_back({peer, endpoints_at(heard.places)});
  return all;
}

std::vector<identity::Endpoint> Node::lan_endpoints(const identity::PeerId& peer) const {
  const lan::Peer* heard = impl_->lan.find(peer);
  return heard == nullptr ? std::vector<identity::Endpoint>() : endpoints_at(heard->places);
}

}  // namespace ekiden::node
