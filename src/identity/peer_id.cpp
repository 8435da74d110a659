#include "identity/peer_id.hpp"

#include "base/encoding.hpp"
#include "crypto/hash.hpp"

namespace ekiden::identity {

PeerId PeerId::of(const crypto::Ed25519PublicKey& key) { return PeerId{crypto::sha256(key.view()).bytes}; }

Result<PeerId> PeerId::parse(std::string_view text) {
  const auto bytes = from_bech32m(kPrefix, text);
  if (!bytes) {
    // A wrong length is the likelier mistake when copying, and the checksum cannot tell it from a wrong character.
    const bool starts_well = text.starts_with("ek1") || text.starts_with("EK1");
    if (starts_well && text.size() != kTextSize) {
      return fail(Errc::malformed, "this is not a complete peer id: it has " + std::to_string(text.size()) +
                                       " characters, an id has " + std::to_string(kTextSize) + "; copy it again");
    }
    return fail("this is not a peer id (ek1...)", bytes.error());
  }
  if (bytes->size() != 32) {
    return fail(Errc::malformed, "this is not a peer id: it holds " + std::to_string(bytes->size()) +
                                     " bytes, an id has 32; copy it again");
  }
  return PeerId{take_array<32>(*bytes)};
}

std::string PeerId::text() const { return to_bech32m(kPrefix, bytes); }

std::string PeerId::short_text() const { return text().substr(0, 11) + "…"; }

}  // namespace ekiden::identity
