// Identity: the one secret of a node, an Ed25519 key, and everything that follows from it.
//
// Input: a 32-byte seed, made once by the runtime and kept in the data directory. Outputs: the PeerId, signatures, and
// the X25519 key pair for Noise. The latter is the birational image of the identity key (RFC 7748 section 4.1), so that
// a contact is one public key and an address, and no second key can be swapped in. Signing and key agreement with one
// key is safe here because every signature covers a structure that names its purpose (identity/cose_sign.hpp) and Noise
// never signs.
//
// Invariant: the three public forms always belong to one seed. The secret parts erase themselves.
#pragma once

#include "base/bytes.hpp"
#include "crypto/ed25519.hpp"
#include "crypto/x25519.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::identity {

class Identity {
 public:
  explicit Identity(const crypto::Ed25519Seed& seed);

  const PeerId& id() const { return id_; }
  const crypto::Ed25519PublicKey& public_key() const { return keys_.public_key(); }

  /// A raw signature. Prefer identity/cose_sign.hpp, which separates purposes.
  crypto::Signature sign(ByteView message) const { return keys_.sign(message); }

  /// The static key of Noise.
  const crypto::X25519KeyPair& noise_key() const { return noise_key_; }

  /// For storing the identity, nothing else.
  const crypto::Ed25519Seed& seed() const { return keys_.seed(); }

 private:
  crypto::Ed25519KeyPair keys_;
  PeerId id_;
  crypto::X25519KeyPair noise_key_;
};

}  // namespace ekiden::identity
