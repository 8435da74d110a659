// COSE_Sign1 (RFC 9052 section 4.2): the structure of signed objects, without the cryptography.
//
// One form only: tag 18, algorithm EdDSA (-8) in the protected header, payload inside. This module takes the structure
// apart and builds it and the bytes that a signature covers; identity/cose_sign.hpp signs and verifies.
//
// Everything that Ekiden makes is canonical: protected header exactly {1: -8}, empty unprotected header. Rationale:
// the unprotected header is not covered by the signature, so anybody on the way could put bytes there, and the same
// record would circulate under many hashes. Profile::lenient accepts other headers, for objects made by others; a
// header that must be understood (crit, label 2) is refused in both.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ekiden::wire {

inline constexpr std::size_t kSign1SignatureSize = 64;

enum class Sign1Profile { strict, lenient };

/// The parts of a COSE_Sign1, as views into the parsed bytes.
struct Sign1View {
  ByteView protected_header;  ///< As it was sent: the signature covers these bytes.
  ByteView payload;
  ByteView signature;  ///< kSign1SignatureSize bytes.
};

/// Errors: malformed (not deterministic CBOR, wrong tag or shape, not canonical in the strict profile), unsupported (an
/// algorithm other than EdDSA, a detached payload, critical headers).
Result<Sign1View> parse_sign1(ByteView bytes, Sign1Profile profile = Sign1Profile::strict);

/// The bytes {1: -8}: the protected header of everything that Ekiden signs.
ByteView eddsa_protected_header();

/// Sig_structure (RFC 9052 section 4.4) with context "Signature1": what the signature covers. `external_aad` is known
/// to both sides and not sent; Ekiden names the kind of object there, so that a signature made for one purpose cannot
/// be shown for another.
Bytes sig_structure(ByteView protected_header, ByteView external_aad, ByteView payload);

/// The canonical COSE_Sign1. REQUIRES: signature.size() == kSign1SignatureSize.
Bytes build_sign1(ByteView payload, ByteView signature);

}  // namespace ekiden::wire
