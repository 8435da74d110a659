#include "identity/identity.hpp"

namespace ekiden::identity {
namespace {

crypto::X25519KeyPair noise_key_of(const crypto::Ed25519KeyPair& keys) {
  crypto::X25519KeyPair out;
  out.secret = keys.x25519();
  out.public_key = crypto::x25519_public(out.secret);
  return out;
}

}  // namespace

Identity::Identity(const crypto::Ed25519Seed& seed)
    : keys_(crypto::Ed25519KeyPair::from_seed(seed)),
      id_(PeerId::of(keys_.public_key())),
      noise_key_(noise_key_of(keys_)) {}

}  // namespace ekiden::identity
