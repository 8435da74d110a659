// Link messages as relays build them: a type byte and a CBOR map.
#pragma once

#include "relay/messages.hpp"
#include "wire/link_message.hpp"

namespace ekiden::relay {

/// More than the fields of a packet take that are neither route, path, avoid nor payload.
inline constexpr std::size_t kPacketOverhead = 160;
inline constexpr std::size_t kRelaySize = 34;
/// More than a hop takes beside its proof.
inline constexpr std::size_t kHopSize = 128;

using wire::link_message;

/// No more than this, once another hop without a proof is added.
inline std::size_t size_with_hop(const Packet& packet) {
  std::size_t size =
      1 + kPacketOverhead + packet.payload.size() + kRelaySize * (packet.route.size() + packet.avoid.size());
  for (const path::Hop& hop : packet.path) size += kHopSize + hop.proof.size();
  return size + kHopSize;
}

}  // namespace ekiden::relay
