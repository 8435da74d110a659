// LanBeacon: "I am here", said to everybody on the local network, signed with the identity key of who says it.
//
// A beacon is a COSE_Sign1 (EdDSA, strict profile, purpose "ekiden lan 1") over the description below. It names ports
// and no address: whoever hears it takes the address from which it came. verify_lan_beacon() is the only door.
//
// Bounds: kMaxLanBeaconSize bytes signed. Timers: none.
//
// Rules and their reasons:
//   - it has a purpose of its own: nobody can store it in the DHT in place of a record, and no record is a beacon;
//   - without an address in it, nobody can point others at a third machine;
//   - it carries no time. Clocks of machines without internet are wrong by years, so a reader could not judge it, and
//     would shut out whom it looks for. A copy that somebody plays again, from another machine, makes readers knock
//     there; who answers has to prove its key.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/keys.hpp"
#include "identity/identity.hpp"
#include "identity/peer_id.hpp"
#include "wire/message.hpp"

namespace ekiden::identity {

inline constexpr std::size_t kMaxLanBeaconSize = 256;

struct LanBeacon {
  static constexpr std::string_view kName = "lan_beacon";

  crypto::Ed25519PublicKey public_key;
  std::uint16_t udp_port = 0;  ///< Of queries and answers; not 0.
  std::uint16_t tcp_port = 0;  ///< Of links; 0: none.
  bool asks = false;           ///< Its sender has just come and wants to hear who is there.

  static constexpr auto kFields = wire::fields(
      wire::field<1>("public_key", &LanBeacon::public_key), wire::field<2>("udp_port", &LanBeacon::udp_port),
      wire::field<3>("tcp_port", &LanBeacon::tcp_port), wire::field<4>("asks", &LanBeacon::asks));

  PeerId id() const { return PeerId::of(public_key); }

  friend bool operator==(const LanBeacon&, const LanBeacon&) = default;
};

/// Signs our own beacon. Errors: invalid_argument (another node's key, no UDP port).
Result<Bytes> sign_lan_beacon(const Identity& identity, const LanBeacon& beacon);

/// Checks size, form, key and signature. Errors: too_large, malformed (also: no UDP port), unsupported, refused (an
/// unacceptable key), unauthenticated.
Result<LanBeacon> verify_lan_beacon(ByteView signed_bytes);

}  // namespace ekiden::identity
