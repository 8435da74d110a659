// The Noise Protocol Framework, revision 34, for the two patterns that links and datagrams use:
// Noise_IK_25519_AESGCM_SHA256 and Noise_XX_25519_AESGCM_SHA256.
//
// HandshakeState turns payloads into handshake messages and back, and at its end gives two CipherStates. It knows
// nothing of Ekiden: prologue, payloads and what they mean are the caller's. The ephemeral key is an argument (32 bytes
// of an Rng), so that the published test vectors can be run byte for byte.
//
// Inputs: static keys, ephemeral entropy, prologue, payloads, received messages. Outputs: messages, payloads, the
// handshake hash, two transport ciphers. Timers: none.
//
// Bounds: a message is at most kMaxNoiseMessage bytes (section 3); a counter stops before 2^64 - 1 (section 5.1).
// Rules and the attacks they stop:
//   - a Diffie-Hellman result of all zeros is refused (section 9.1 leaves it open): with a low-order point the peer
//     would choose the key for both sides;
//   - a failed read ends the handshake: the state that mixed in unauthenticated bytes is never used again;
//   - every secret erases itself when the state dies.
//
// Source: The Noise Protocol Framework, revision 34, sections 5, 7.5, 8, 11.3 (rekey) and 12.4 (AESGCM).
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "crypto/keys.hpp"
#include "crypto/x25519.hpp"

namespace ekiden::noise {

/// The longest Noise message, handshake or transport (section 3).
inline constexpr std::size_t kMaxNoiseMessage = 65'535;

/// The values are those of the preamble's pattern byte.
enum class Pattern : std::uint8_t {
  ik = 1,  ///< The initiator knows the responder's static key: one round trip.
  xx = 2,  ///< Nobody knows anything: one and a half.
};

/// The 12-byte nonce of a counter: four zero bytes, then the counter, big-endian (section 12.4).
crypto::Nonce nonce_of(std::uint64_t counter);

/// The cipher contexts that transport phases borrow, for one takes kilobytes and most of a node's links are silent most
/// of the time. Two, so that a link that is busy both ways does not change keys at each message. Not thread-safe.
struct CipherContexts {
  crypto::AeadCipher sealing{crypto::AeadKey()};
  crypto::AeadCipher opening{crypto::AeadKey()};

  /// Nothing of the keys that were used stays here.
  void forget_keys();
};

/// One direction of the transport phase (section 5.1): a key and the number of the next message.
class CipherState {
 public:
  /// The last counter is reserved for rekeying.
  static constexpr std::uint64_t kMaxCounter = ~std::uint64_t{0};

  /// `contexts` outlives it.
  CipherState(CipherContexts& contexts, const crypto::AeadKey& key, std::uint64_t counter = 0)
      : contexts_(&contexts), key_(key), counter_(counter) {}

  /// Encrypts into `out`, tag last; `plaintext` may be the start of `out`.
  /// REQUIRES: out.size() == plaintext.size() + kTagSize. Errors: limit_exceeded when the counter is used up.
  Status encrypt(ByteView plaintext, MutableBytes out);

  /// Decrypts into `out`, which may be the start of `sealed`. A failure does not advance the counter.
  /// REQUIRES: out.size() + kTagSize == sealed.size(). Errors: unauthenticated, limit_exceeded.
  Status decrypt(ByteView sealed, MutableBytes out);

  /// REKEY of section 4.2: the new key is what the old one makes of 32 zero bytes under the last nonce. The counter
  /// goes on (section 11.3).
  void rekey();

  std::uint64_t counter() const { return counter_; }

 private:
  CipherContexts* contexts_;
  crypto::AeadKey key_;
  std::uint64_t counter_ = 0;
};

/// Section 5.2: what both sides have agreed on so far. Used by HandshakeState only.
class SymmetricState {
 public:
  explicit SymmetricState(ByteView protocol_name);

  void mix_hash(ByteView data);
  void mix_key(const crypto::SharedSecret& secret);
  /// Appends the ciphertext, or before the first mix_key the plaintext.
  void encrypt_and_hash(ByteView plaintext, Bytes& out);
  /// Errors: malformed, unauthenticated.
  Result<Bytes> decrypt_and_hash(ByteView bytes);
  /// The keys of initiator to responder, and back.
  std::pair<crypto::AeadKey, crypto::AeadKey> split() const;

  bool has_key() const { return key_.has_value(); }
  const crypto::Digest& hash() const { return hash_; }

 private:
  crypto::ChainKey chaining_key_;
  crypto::Digest hash_;
  std::optional<crypto::AeadKey> key_;
  std::uint64_t counter_ = 0;
};

/// Section 5.3. One object per handshake and side.
class HandshakeState {
 public:
  struct Setup {
    Pattern pattern = Pattern::xx;
    bool initiator = false;
    ByteView prologue;                                       ///< Both sides must have the same.
    const crypto::X25519KeyPair& static_key;                 ///< Copied.
    ByteArray<32> ephemeral_entropy;                         ///< Used once, for this handshake alone.
    std::optional<crypto::X25519PublicKey> remote_static{};  ///< REQUIRED for the initiator of IK.
  };

  explicit HandshakeState(const Setup& setup);

  /// Appends the next message with this payload to `out`. REQUIRES: is_my_turn(). Errors: refused (a low-order key of
  /// the peer makes a zero secret), too_large.
  Status write_message(ByteView payload, Bytes& out);

  /// Reads the next message and returns its payload. REQUIRES: not finished, not my turn, no earlier failure. Errors:
  /// malformed, unauthenticated, refused, too_large; the state must not be used after one.
  Result<Bytes> read_message(ByteView message);

  bool is_my_turn() const { return !is_finished() && (next_message_ % 2 == 0) == initiator_; }
  bool is_finished() const;

  /// Known from the start, or once the message that carries it was read.
  const std::optional<crypto::X25519PublicKey>& remote_static() const { return remote_static_; }

  /// Names this handshake (channel binding, section 11.2). REQUIRES: is_finished().
  const crypto::Digest& handshake_hash() const { return symmetric_.hash(); }

  struct Keys {
    crypto::AeadKey send;
    crypto::AeadKey receive;
  };
  /// For transports that number their messages themselves (section 11.4). REQUIRES: is_finished(). Call once, and not
  /// split() as well.
  Keys split_keys() const;

  struct Ciphers {
    CipherState send;
    CipherState receive;
  };
  /// REQUIRES: is_finished(). Call once. `contexts` outlives them.
  Ciphers split(CipherContexts& contexts) const;

 private:
  enum class Token : std::uint8_t { e, s, ee, es, se, ss };
  ByteView tokens() const;
  Status write_token(Token token, Bytes& out);
  Status read_token(Token token, ByteView& rest);
  Status mix_dh(Token token);

  Pattern pattern_;
  bool initiator_;
  std::size_t next_message_ = 0;
  SymmetricState symmetric_;
  crypto::X25519KeyPair static_;
  crypto::X25519SecretKey ephemeral_secret_;  ///< Its public half is made when it is sent.
  std::optional<crypto::X25519PublicKey> remote_static_;
  std::optional<crypto::X25519PublicKey> remote_ephemeral_;
};

}  // namespace ekiden::noise
