// Remembered results of Curve25519, for a process in which both ends of each handshake live: a simulation.
//
// A shared secret is computed by its two ends; in one process the second computation repeats the first. With a memo it
// is looked up. The results are the same bits, so a run with a memo is the run without it, sooner.
//
// Never for a node: a memo keeps secrets longer than they are needed, and the time of an operation tells whether its
// result was known.
#pragma once

#include <cstddef>
#include <utility>

#include "base/lru_map.hpp"
#include "crypto/keys.hpp"

namespace ekiden::crypto {

class X25519Memo {
 public:
  /// Remembers at most `max_entries` of each kind, those used longest ago out first. REQUIRES: max_entries > 0.
  explicit X25519Memo(std::size_t max_entries);
  ~X25519Memo();
  X25519Memo(const X25519Memo&) = delete;
  X25519Memo& operator=(const X25519Memo&) = delete;

  /// From now until the memo is destroyed, x25519_public(), x25519() and to_x25519() of this process use it. It must
  /// not be installed beside another one, nor while another thread runs.
  void install();

  /// The memo that is installed, or nullptr.
  static X25519Memo* installed();

  /// nullptr: not known. Valid until the next call.
  const X25519PublicKey* find_public(const X25519SecretKey& secret);
  void note_public(const X25519SecretKey& secret, const X25519PublicKey& key);

  const X25519PublicKey* find_image(const Ed25519PublicKey& key) { return images_.find(key); }
  void note_image(const Ed25519PublicKey& key, const X25519PublicKey& image) { images_.put(key, image); }

  /// What the other end has computed. Forgotten when it is asked for: a secret has two ends. False: not known.
  bool take_shared(const X25519SecretKey& mine, const X25519PublicKey& theirs, SharedSecret& out);
  /// Nothing is kept if the public key of `mine` is not known.
  void note_shared(const X25519SecretKey& mine, const X25519PublicKey& theirs, const SharedSecret& shared);

 private:
  using Pair = std::pair<X25519PublicKey, X25519PublicKey>;

  LruMap<Digest, X25519PublicKey> publics_;  ///< By the digest of the secret.
  LruMap<Ed25519PublicKey, X25519PublicKey> images_;
  LruMap<Pair, SharedSecret> shared_;  ///< By both public keys, the lesser first.
};

}  // namespace ekiden::crypto
