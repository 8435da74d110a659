// Signing and verifying COSE_Sign1 objects (RFC 9052 section 4.4, RFC 9053 section 2.2) with identity keys.
//
// `purpose` is the external_aad: a constant of the kind of object ("ekiden record 1", ...). It is signed and not sent.
// Rationale: the same key signs records, receipts and path entries; with the purpose in the signature, a signature made
// for one of them can never be replayed as another.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/keys.hpp"
#include "identity/identity.hpp"
#include "wire/cose.hpp"

namespace ekiden::identity {

/// The canonical COSE_Sign1 of a payload.
Bytes cose_sign(const Identity& identity, ByteView purpose, ByteView payload);

/// Checks the signature of parsed parts, as strictly as crypto::verify. The caller vouches for the key: the right one.
/// Errors: unauthenticated.
Status cose_verify(const wire::Sign1View& parts, const crypto::Ed25519PublicKey& key, ByteView purpose);

/// Parses, checks the signature, and returns the payload as a view into `bytes`.
/// Errors: malformed, unsupported, unauthenticated.
Result<ByteView> cose_open(ByteView bytes, const crypto::Ed25519PublicKey& key, ByteView purpose,
                           wire::Sign1Profile profile = wire::Sign1Profile::strict);

}  // namespace ekiden::identity
