// Who was heard on the local network, and where.
//
// Inputs: hear() for a verified beacon, expire(). Outputs: the places of a peer, the newest first. Timers: each place
// is over when nothing was heard there for `forget_after`.
//
// Bounds: max_peers peers, max_places addresses of one, max_per_address peers at one address. Rules, and the attack
// that each stops:
//   - when all places for peers are taken, a new one is not remembered: a flood of new keys pushes out nobody;
//   - when an address has shown all the peers that it may, a new one takes the place of the one that was heard there
//     longest ago: one machine cannot take all places;
//   - a peer has several addresses, the one heard last first: whoever plays its beacon again from another address adds
//     one, and the true one stays.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "identity/address.hpp"
#include "identity/peer_id.hpp"
#include "lan/config.hpp"

namespace ekiden::lan {

/// Where a peer was heard.
struct Place {
  identity::IpAddress ip;
  std::uint16_t udp_port = 0;
  std::uint16_t tcp_port = 0;  ///< 0: it takes no links.
  Instant heard;
};

struct Peer {
  crypto::Ed25519PublicKey public_key;
  std::vector<Place> places;  ///< Heard last first; never empty.
};

class Peers {
 public:
  enum class Heard : std::uint8_t {
    again,  ///< Nothing is new.
    moved,  ///< A peer that was known, at a new address or other ports.
    new_peer,
    refused,  ///< There are too many.
  };

  /// `config` outlives it.
  explicit Peers(const Config& config) : config_(config) {}

  Heard hear(const identity::PeerId& id, const crypto::Ed25519PublicKey& key, const Place& place);

  /// Drops one place that is over, and says whose.
  std::optional<identity::PeerId> expire(Instant now);
  std::optional<Instant> deadline() const { return ends_.earliest(); }

  /// nullptr if it was not heard lately. Valid until the next call that is not const.
  const Peer* find(const identity::PeerId& id) const;
  /// In the order of ids.
  const std::map<identity::PeerId, Peer>& all() const { return peers_; }

  void check_invariants() const;

 private:
  using Sighting = std::pair<identity::PeerId, identity::IpAddress>;

  void make_room_at(const identity::IpAddress& ip);
  void drop(const Sighting& sighting);

  const Config& config_;
  std::map<identity::PeerId, Peer> peers_;
  DeadlineMap<Sighting> ends_;
};

}  // namespace ekiden::lan
