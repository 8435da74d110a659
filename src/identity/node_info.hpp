// NodeInfo: a node that can be asked over UDP: who it is and where. What nodes of the DHT tell each other about others.
//
// The key stands for the PeerId (its hash) and for the Noise key (its birational image), so that a node which was only
// heard of can be asked in one round trip. It proves nothing: whoever answers at the address must prove the key.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "crypto/keys.hpp"
#include "identity/address.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::identity {

struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;

  /// "203.0.113.9:4433", "[2001:db8::1]:4433"
  std::string text() const;

  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

struct NodeInfo {
  crypto::Ed25519PublicKey public_key;
  SocketAddress at;

  /// Hashes the key: keep it where it is needed often.
  PeerId id() const { return PeerId::of(public_key); }

  friend bool operator==(const NodeInfo&, const NodeInfo&) = default;
};

}  // namespace ekiden::identity
