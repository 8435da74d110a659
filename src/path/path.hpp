// Proof of path: each node that hands a packet on, its origin included, signs that it did.
//
//   leaf(i) = SHA-256("ekiden hop 1" ‖ subject ‖ leaf(i-1) ‖ id of by(i) ‖ id of next(i) ‖ at(i))
//
// `subject` is the hash of what the packet carries, leaf(-1) is 32 zeros, next is who gets the packet, `at` is in Unix
// milliseconds (8 bytes, big-endian). A hop is bound to what was carried, to all hops before it and to its receiver: no
// node can take a hop out, put one in, or use a hop for another packet.
//
// A signature costs more than all else that is done to hand a packet on. So one covers up to kMaxLeaves packets that
// leave together: it is over the root of a Merkle tree of their leaves (padded with zeros to a power of two; inner
// nodes are SHA-256(1 ‖ left ‖ right), and leaves begin with 'e'), and each hop carries its place in the tree. The
// reader verifies a root once (Verifier).
//
// Pure functions and one bounded memory; no timers. What is proven is that the keys signed; when, is their word.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/lru_map.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "identity/identity.hpp"
#include "wire/message.hpp"

namespace ekiden::path {

/// The nodes that may hand a packet on, its origin included.
inline constexpr std::size_t kMaxHops = 8;
inline constexpr std::size_t kMaxLeaves = 32;
inline constexpr std::size_t kMaxProof = 5 * 32;

struct Hop {
  static constexpr std::string_view kName = "hop";
  crypto::Ed25519PublicKey by;
  WallTime at{};
  std::uint32_t index = 0;  ///< of its leaf
  Bytes proof{};            ///< the hashes beside its way to the root, from the leaf on
  crypto::Signature signature{};

  static constexpr auto kFields = wire::fields(
      wire::field<1>("by", &Hop::by), wire::field<2>("at", &Hop::at), wire::field<3>("index", &Hop::index),
      wire::field<4>("proof", &Hop::proof, wire::max_size(kMaxProof)), wire::field<5>("signature", &Hop::signature));
  friend bool operator==(const Hop&, const Hop&) = default;
};

/// From the origin on.
using Hops = std::vector<Hop>;

/// What a node signs when it hands `subject` to `next`, after `previous`, which is {} for the origin.
crypto::Digest leaf_of(const crypto::Digest& subject, const crypto::Digest& previous, const identity::PeerId& by,
                       const identity::PeerId& next, WallTime at);

/// The leaf of the last of these hops, from which the packet goes to `next`. Verifies nothing. {} without hops.
crypto::Digest last_leaf(const crypto::Digest& subject, const identity::PeerId& next, std::span<const Hop> hops);

/// One hop for each leaf, under one signature. REQUIRES: 1 to kMaxLeaves leaves, made with this time and our id.
Hops sign_hops(const identity::Identity& self, WallTime at, std::span<const crypto::Digest> leaves);

/// Verifies paths; remembers the roots that were signed, so that packets under one signature cost one verification.
class Verifier {
 public:
  explicit Verifier(std::size_t max_roots = 1024) : roots_(max_roots) {}

  /// Hops of `subject` from `from` to `next`: the signatures, and that no node occurs twice, `next` included. Returns
  /// the last leaf, for the next hop. Errors: malformed (none, too many, a proof of a wrong size), refused (another
  /// origin, a loop, an unacceptable key), unauthenticated.
  Result<crypto::Digest> verify(const crypto::Digest& subject, const identity::PeerId& from,
                                const identity::PeerId& next, std::span<const Hop> hops);

 private:
  Status verify_hop(const Hop& hop, const crypto::Digest& leaf);

  LruMap<crypto::Digest, bool> roots_;  ///< hashes of key, root and signature that have verified
};

/// The nodes by which something came, without its origin: the last one first. That is the way back.
std::vector<identity::PeerId> way_back(std::span<const Hop> hops);

}  // namespace ekiden::path
