// Link messages as the router builds them: a type byte and a CBOR map.
#pragma once

#include "router/envelope.hpp"
#include "router/outgoing.hpp"
#include "wire/message.hpp"
#include "wire/message_type.hpp"

namespace ekiden::router {

/// More than the header of any envelope takes.
inline constexpr std::size_t kEnvelopeOverhead = 160;

template <wire::Described T>
Bytes link_message(wire::MessageType type, const T& body, std::size_t expected_size = 256) {
  Bytes out;
  out.reserve(expected_size);
  out.push_back(static_cast<Byte>(type));
  wire::encode_to(body, out);
  return out;
}

/// The envelope of a message, still without its ciphertext.
inline Envelope header_of(const identity::PeerId& self, const Outgoing& message) {
  return {.id = message.id,
          .from = self,
          .to = message.to,
          .expires = message.expires,
          .priority = message.priority,
          .delivery = message.delivery,
          .sealed = {}};
}

}  // namespace ekiden::router
