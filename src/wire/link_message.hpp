// A link message as most engines build it: a type byte and a CBOR map, shared by all links that it goes out on.
#pragma once

#include <memory>
#include <utility>

#include "base/bytes.hpp"
#include "wire/message.hpp"
#include "wire/message_type.hpp"

namespace ekiden::wire {

/// `expected_size`: of all of it; a guess that is too low costs another allocation.
template <Described T>
std::shared_ptr<const Bytes> link_message(MessageType type, const T& body, std::size_t expected_size = 128) {
  Bytes out;
  out.reserve(expected_size);
  out.push_back(static_cast<Byte>(type));
  encode_to(body, out);
  return std::make_shared<const Bytes>(std::move(out));
}

}  // namespace ekiden::wire
