#include "lan/peers.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ekiden::lan {

Peers::Heard Peers::hear(const identity::PeerId& id, const crypto::Ed25519PublicKey& key, const Place& place) {
  const Peer* known = find(id);
  const bool is_new = known == nullptr;
  bool is_same = false;
  if (!is_new) {
    const auto before = std::ranges::find(known->places, place.ip, &Place::ip);
    is_same = before != known->places.end() && before->udp_port == place.udp_port && before->tcp_port == place.tcp_port;
    if (before == known->places.end()) make_room_at(place.ip);
  } else {
    if (peers_.size() >= config_.max_peers) return Heard::refused;
    make_room_at(place.ip);
  }
  // Making room drops other peers alone.
  Peer& peer = peers_.try_emplace(id, Peer{.public_key = key, .places = {}}).first->second;
  std::erase_if(peer.places, [&](const Place& other) { return other.ip == place.ip; });
  peer.places.insert(peer.places.begin(), place);
  ends_.set({id, place.ip}, place.heard + config_.forget_after);
  if (peer.places.size() > config_.max_places) {
    ends_.cancel({id, peer.places.back().ip});
    peer.places.pop_back();
  }
  if (is_new) return Heard::new_peer;
  return is_same ? Heard::again : Heard::moved;
}

/// At most max_peers * max_places are looked at, and that for a new place alone.
void Peers::make_room_at(const identity::IpAddress& ip) {
  std::size_t count = 0;
  const Place* oldest = nullptr;
  identity::PeerId owner;
  for (const auto& [id, peer] : peers_) {
    const auto found = std::ranges::find(peer.places, ip, &Place::ip);
    if (found == peer.places.end()) continue;
    ++count;
    if (oldest != nullptr && oldest->heard <= found->heard) continue;
    oldest = &*found;
    owner = id;
  }
  if (count >= config_.max_per_address) drop({owner, ip});
}

void Peers::drop(const Sighting& sighting) {
  ends_.cancel(sighting);
  const auto found = peers_.find(sighting.first);
  std::erase_if(found->second.places, [&](const Place& place) { return place.ip == sighting.second; });
  if (found->second.places.empty()) peers_.erase(found);
}

std::optional<identity::PeerId> Peers::expire(Instant now) {
  const auto over = ends_.pop_due(now);
  if (!over) return std::nullopt;
  drop(*over);
  return over->first;
}

const Peer* Peers::find(const identity::PeerId& id) const {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : &found->second;
}

void Peers::check_invariants() const {
  CHECK(peers_.size() <= config_.max_peers);
  std::map<identity::IpAddress, std::size_t> at;
  std::size_t places = 0;
  for (const auto& [id, peer] : peers_) {
    CHECK(!peer.places.empty() && peer.places.size() <= config_.max_places);
    CHECK(identity::PeerId::of(peer.public_key) == id);
    for (const Place& place : peer.places) {
      CHECK(++at[place.ip] <= config_.max_per_address && place.udp_port != 0);
      CHECK(ends_.at({id, place.ip}) == place.heard + config_.forget_after);
    }
    places += peer.places.size();
  }
  CHECK(ends_.size() == places);
}

}  // namespace ekiden::lan
