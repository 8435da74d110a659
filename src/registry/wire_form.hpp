// Link messages of the registry: a type byte and a CBOR map, and the digests in them.
#pragma once

#include <memory>

#include "crypto/hash.hpp"
#include "registry/messages.hpp"
#include "wire/message_type.hpp"

namespace ekiden::registry {

using Salt = ByteArray<8>;
using Short = ByteArray<kShortSize>;

template <wire::Described T>
std::shared_ptr<const Bytes> link_message(wire::MessageType type, const T& body, std::size_t expected_size = 256) {
  Bytes out;
  out.reserve(expected_size);
  out.push_back(static_cast<Byte>(type));
  wire::encode_to(body, out);
  return std::make_shared<const Bytes>(std::move(out));
}

/// A digest as it travels: the first eight bytes of SHA-256 of salt and digest; all zeros for that of nothing.
inline Short short_of(const Salt& salt, const Digest& digest) {
  if (digest == Digest{}) return {};
  return take_array<kShortSize>(crypto::sha256({salt, digest}).bytes);
}

}  // namespace ekiden::registry
