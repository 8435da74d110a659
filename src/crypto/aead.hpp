// AES-256-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags; nothing else.
//
// Two faces: an AeadCipher keeps its key schedule and serves many messages under one key (links); the free functions
// are for keys that seal one message (sessions). Setting a key is most of the cost of a short message, so a one-time
// key gains nothing from a kept AeadCipher.
//
// Nonces are the caller's duty: a nonce is used once per key. Attack: two messages under one key and nonce give away
// the XOR of their plaintexts and the key that authenticates (NIST SP 800-38D appendix A).
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/keys.hpp"

namespace ekiden::crypto {

inline constexpr std::size_t kTagSize = 16;
using Nonce = ByteArray<12>;

/// The most that one message, or its associated data, may hold. Callers bound what peers send far below it; a message
/// over it is our own mistake and stops the program.
inline constexpr std::size_t kMaxPlaintext = std::size_t{1} << 30;

/// The key schedule of one key at a time, some kilobytes. Not thread-safe. A moved-from cipher may only be assigned to
/// or die.
class AeadCipher {
 public:
  explicit AeadCipher(const AeadKey& key);
  ~AeadCipher();
  AeadCipher(AeadCipher&&) noexcept;
  AeadCipher& operator=(AeadCipher&&) noexcept;

  /// Replaces the key, keeping the allocation. Costs as much as sealing some hundred bytes, and next to nothing if it
  /// is the present key.
  void set_key(const AeadKey& key);

  /// Encrypts into `out`, tag last. `plaintext` may be the start of `out` (in place).
  /// REQUIRES: out.size() == plaintext.size() + kTagSize.
  void seal(const Nonce& nonce, ByteView associated, ByteView plaintext, MutableBytes out);

  /// Decrypts into `out`, which may be the start of `sealed` (in place). On failure `out` is zeroed.
  /// REQUIRES: sealed.size() >= kTagSize and out.size() == sealed.size() - kTagSize. Errors: unauthenticated.
  Status open(const Nonce& nonce, ByteView associated, ByteView sealed, MutableBytes out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Appends ciphertext and tag to `out`. `plaintext` and `associated` must not be views into `out`, which may move.
void seal(const AeadKey& key, const Nonce& nonce, ByteView associated, ByteView plaintext, Bytes& out);

/// Errors: malformed if shorter than a tag, unauthenticated if it does not verify.
Result<Bytes> open(const AeadKey& key, const Nonce& nonce, ByteView associated, ByteView sealed);

}  // namespace ekiden::crypto
