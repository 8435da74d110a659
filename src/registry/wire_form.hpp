// Link messages of the registry: a type byte and a CBOR map, and the digests in them.
#pragma once

#include "crypto/hash.hpp"
#include "registry/messages.hpp"
#include "wire/link_message.hpp"

namespace ekiden::registry {

using Salt = ByteArray<8>;
using Short = ByteArray<kShortSize>;

using wire::link_message;

/// A digest as it travels: the first eight bytes of SHA-256 of salt and digest; all zeros for that of nothing.
inline Short short_of(const Salt& salt, const Digest& digest) {
  if (digest == Digest{}) return {};
  return take_array<kShortSize>(crypto::sha256({salt, digest}).bytes);
}

}  // namespace ekiden::registry
