// Link messages as mailboxes and those who use them build them: a type byte and a CBOR map.
#pragma once

#include <memory>

#include "mailbox/messages.hpp"
#include "wire/message_type.hpp"

namespace ekiden::mailbox {

/// More than a Delivery takes beside its parcel, and a Parcel beside its payload.
inline constexpr std::size_t kParcelOverhead = 160;

template <wire::Described T>
std::shared_ptr<const Bytes> link_message(wire::MessageType type, const T& body, std::size_t expected_size = 128) {
  Bytes out;
  out.reserve(expected_size);
  out.push_back(static_cast<Byte>(type));
  wire::encode_to(body, out);
  return std::make_shared<const Bytes>(std::move(out));
}

}  // namespace ekiden::mailbox
