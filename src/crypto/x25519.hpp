// X25519 key agreement (RFC 7748 section 5).
//
// Secrets are clamped and the top bit of a received u coordinate is ignored, as the RFC says; a u coordinate of p or
// more is reduced. Right without sodium_init(); a program that called it gets libsodium's vector code here, which is
// faster.
#pragma once

#include "base/result.hpp"
#include "crypto/keys.hpp"

namespace ekiden::crypto {

struct X25519KeyPair {
  X25519SecretKey secret;
  X25519PublicKey public_key;

  static X25519KeyPair from_secret(X25519SecretKey secret);
  static X25519KeyPair draw(Rng& rng) { return from_secret(X25519SecretKey::draw(rng)); }
};

/// The public key of a secret: its product with the base point 9 (section 6.1).
X25519PublicKey x25519_public(const X25519SecretKey& secret);

/// Errors: refused if the result is all zero (RFC 7748 section 6.1): the peer sent a point of low order, and the
/// "secret" would be known to everybody.
Result<SharedSecret> x25519(const X25519SecretKey& mine, const X25519PublicKey& theirs);

}  // namespace ekiden::crypto
