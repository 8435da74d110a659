#include "identity/cose_sign.hpp"

#include "crypto/ed25519.hpp"

namespace ekiden::identity {

Bytes cose_sign(const Identity& identity, ByteView purpose, ByteView payload) {
  const auto signature = identity.sign(wire::sig_structure(wire::eddsa_protected_header(), purpose, payload));
  return wire::build_sign1(payload, signature.view());
}

Status cose_verify(const wire::Sign1View& parts, const crypto::Ed25519PublicKey& key, ByteView purpose) {
  const Bytes covered = wire::sig_structure(parts.protected_header, purpose, parts.payload);
  const crypto::Signature signature{take_array<64>(parts.signature)};
  if (!crypto::verify(key, covered, signature)) {
    return fail(Errc::unauthenticated,
                "the signature does not verify: the bytes were changed or another key signed them");
  }
  return {};
}

Result<ByteView> cose_open(ByteView bytes, const crypto::Ed25519PublicKey& key, ByteView purpose,
                           wire::Sign1Profile profile) {
  EKIDEN_ASSIGN(const wire::Sign1View parts, wire::parse_sign1(bytes, profile));
  EKIDEN_TRY(cose_verify(parts, key, purpose));
  return parts.payload;
}

}  // namespace ekiden::identity
