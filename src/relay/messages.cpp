#include "relay/messages.hpp"

#include <utility>

#include "crypto/hash.hpp"

namespace ekiden::relay {

crypto::Digest Packet::subject() const {
  const Byte kind_byte = static_cast<Byte>(kind);
  return crypto::sha256(
      {as_bytes("ekiden packet 1"), id.bytes, from.view(), to.view(), ByteView(&kind_byte, 1), payload});
}

std::string_view refusal_text(Refusal reason) {
  switch (reason) {
    case Refusal::off:
      return "it hands on nothing for others";
    case Refusal::storage:
      return "its storage fails";
    case Refusal::expired:
      return "expired by its clock";
    case Refusal::full:
      return "it has no room";
    case Refusal::no_route:
      return "it knows no way";
    case Refusal::too_far:
      return "the way is too long";
    case Refusal::absent:
      return "the recipient has no link there now";
    case Refusal::repeated:
      return "it has been there";
  }
  std::unreachable();
}

}  // namespace ekiden::relay
