// Ed25519 signatures (RFC 8032), strict.
//
// Verification refuses a public key A or a signature R that is not canonically encoded or is of low order, and an S
// that is not reduced. Rationale: with a low-order A anybody signs as that key; with malleable or non-canonical forms
// two nodes can disagree about whether the same bytes are signed. The equation checked is the one without the cofactor
// (RFC 8032 section 5.1.7 allows both), so that the encoding of R is compared byte for byte.
//
// No function here needs sodium_init() to be right, and none reads entropy: signatures are deterministic.
#pragma once

#include "base/result.hpp"
#include "crypto/keys.hpp"

namespace ekiden::crypto {

/// A signing key with its public half. Not erasable by parts: it erases itself when it dies.
class Ed25519KeyPair {
 public:
  /// `seed` is 32 bytes of entropy.
  static Ed25519KeyPair from_seed(const Ed25519Seed& seed);

  const Ed25519PublicKey& public_key() const { return public_key_; }
  const Ed25519Seed& seed() const { return seed_; }
  Signature sign(ByteView message) const;

  /// The X25519 key that is the birational image of this key (RFC 7748 section 4.1).
  X25519SecretKey x25519() const;

 private:
  Ed25519Seed seed_;
  Ed25519PublicKey public_key_;
};

/// True if `key` is canonical, on the curve, in the prime-order subgroup, and not of low order: for keys that somebody
/// names without a signature by them.
bool is_acceptable(const Ed25519PublicKey& key);

/// False for any signature that is not strictly valid, and for any key that is not canonical or is of low order. A key
/// with a component of low order passes: it binds its signatures as any other, and telling it costs as much as the
/// signature itself. It is refused where it would be used as another key (to_x25519).
bool verify(const Ed25519PublicKey& key, ByteView message, const Signature& signature);

/// The X25519 key that is the birational image (RFC 7748 section 4.1) of an Ed25519 key; checks what is_acceptable
/// does. Errors: refused if the key is not acceptable.
Result<X25519PublicKey> to_x25519(const Ed25519PublicKey& key);

}  // namespace ekiden::crypto
