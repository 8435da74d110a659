// Link messages as gossip builds them: a type byte and a CBOR map.
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "wire/message.hpp"
#include "wire/message_type.hpp"

namespace ekiden::gossip {

template <wire::Described T>
std::shared_ptr<const Bytes> link_message(wire::MessageType type, const T& body, std::size_t expected_size = 64) {
  Bytes out;
  out.reserve(expected_size);
  out.push_back(static_cast<Byte>(type));
  wire::encode_to(body, out);
  return std::make_shared<const Bytes>(std::move(out));
}

}  // namespace ekiden::gossip
