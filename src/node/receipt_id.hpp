// What a receipt is called while others keep it or hand it on.
#pragma once

#include "base/uuid.hpp"
#include "crypto/hash.hpp"

namespace ekiden::node {

/// The same receipt gets the same id.
inline Uuid receipt_id(ByteView receipt) {
  Uuid id{take_array<16>(crypto::sha256(receipt).view())};
  id.bytes[6] = static_cast<Byte>((id.bytes[6] & 0x0f) | 0x40);
  id.bytes[8] = static_cast<Byte>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

}  // namespace ekiden::node
