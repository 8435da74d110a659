// Link messages as relays build them: a type byte and a CBOR map.
#pragma once

#include <memory>

#include "relay/messages.hpp"
#include "wire/message_type.hpp"

namespace ekiden::relay {

/// More than the fields of a packet take that are neither route, path, avoid nor payload.
inline constexpr std::size_t kPacketOverhead = 160;
inline constexpr std::size_t kRelaySize = 34;
/// More than a hop takes beside its proof.
inline constexpr std::size_t kHopSize = 128;

template <wire::Described T>
std::shared_ptr<const Bytes> link_message(wire::MessageType type, const T& body, std::size_t expected_size = 128) {
  Bytes out;
  out.reserve(expected_size);
  out.push_back(static_cast<Byte>(type));
  wire::encode_to(body, out);
  return std::make_shared<const Bytes>(std::move(out));
}

/// No more than this, once another hop without a proof is added.
inline std::size_t size_with_hop(const Packet& packet) {
  std::size_t size =
      1 + kPacketOverhead + packet.payload.size() + kRelaySize * (packet.route.size() + packet.avoid.size());
  for (const path::Hop& hop : packet.path) size += kHopSize + hop.proof.size();
  return size + kHopSize;
}

}  // namespace ekiden::relay
