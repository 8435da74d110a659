// X3DH: the first key of a session, from the recipient's signed prekey, while the recipient may be offline.
//
// Pure functions. Inputs: the initiator's identity key IK_A and a fresh ephemeral EK_A, the recipient's identity key
// IK_B and prekey SPK_B; each side gives its secrets and the other's public keys. Output: the same 32 bytes on both
// sides. Identity keys enter as their X25519 images (identity/identity.hpp); the prekey is covered by the signature of
// the recipient's PeerRecord, which the caller has verified.
//
//   DH1 = X25519(IK_A, SPK_B)    only A can have made it: authenticates the initiator
//   DH2 = X25519(EK_A, IK_B)     only B can compute it: authenticates the recipient
//   DH3 = X25519(EK_A, SPK_B)    gone when both forget: forward secrecy
//   SK  = HKDF-SHA-256(salt = 32 zeros, ikm = 32 x 0xff || DH1 || DH2 || DH3, info = "ekiden x3dh 1", 32 bytes)
//
// There are no one-time prekeys: they need a server that hands each out once. The price: until the first reply, the
// secrecy of the first messages rests on the prekey's lifetime, and a replay of a first message is found by the session
// id instead (session/closed_sessions.hpp).
//
// A public key of low order is refused (X25519 would give zeros): the "shared" secret would be known to everybody.
//
// Source: X3DH (Signal, revision 1), sections 2.2 and 3.3; the variant without a one-time prekey.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "crypto/keys.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::session {

/// Errors: refused (a key of low order).
Result<crypto::ChainKey> x3dh_initiate(const crypto::X25519SecretKey& identity,
                                       const crypto::X25519SecretKey& ephemeral,
                                       const crypto::X25519PublicKey& their_identity,
                                       const crypto::X25519PublicKey& their_prekey);

/// Errors: refused (a key of low order).
Result<crypto::ChainKey> x3dh_respond(const crypto::X25519SecretKey& identity, const crypto::X25519SecretKey& prekey,
                                      const crypto::X25519PublicKey& their_identity,
                                      const crypto::X25519PublicKey& their_ephemeral);

/// "AD" of the papers: authenticated with every message of the session, in both directions.
using Binding = ByteArray<80>;

/// PeerId of the initiator, PeerId of the recipient, session UUID. Attack it stops: unknown key share, a message that
/// is opened in another conversation than the one it was sealed for.
Binding binding_of(const identity::PeerId& initiator, const identity::PeerId& responder, const Uuid& session);

}  // namespace ekiden::session
