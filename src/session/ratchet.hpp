// The Double Ratchet: from the first key of a session, one key for each message, in both directions.
//
// Inputs: the X3DH key, new ratchet keys of our own, positions of incoming messages. Outputs: message keys. Pure; no
// time, no bytes of messages. Receiving is in two halves, so that a message that does not verify changes nothing:
// prepare() computes what would be, commit() makes it so.
//
//   root step   HKDF-SHA-256(salt = root key, ikm = X25519(our ratchet key, theirs), info = "ekiden ratchet root 1",
//               64 bytes) = new root key || chain key
//   chain step  message key = HMAC-SHA-256(chain key, 0x01), next chain key = HMAC-SHA-256(chain key, 0x02)
//   sealing     HKDF-SHA-256(salt = 32 zeros, ikm = message key, info = "ekiden ratchet message 1", 44 bytes)
//               = AES-256 key || nonce of 12 bytes
//
// One deviation from section 3.4: the sending half of a DH step is not taken when the peer's new key comes, but later,
// when we send and the holder finds that it is time (step()). Until then we go on in our old chain, which the peer can
// read. The order of root steps stays the same on both sides, since a side can step only after the other has.
//
// Rules, and the attacks they stop:
//   - a message may be at most `max_gap` messages ahead, counted over both chains: each costs two HMACs before anything
//     is authenticated. The holder lowers it for a peer that uses it up (session/skip_budget.hpp);
//   - a peer that has not seen a new ratchet key of ours cannot have a new one: refused before any X25519;
//   - sequence, number and previous have to agree with each other and with what was received: one position has one
//   name.
//
// Invariants: no message key leaves twice; numbers fit 32 bits (can_send() is false long before).
//
// Source: Double Ratchet (Signal, revision 1), section 3 and the recommendations of 5.2 without header encryption.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/aead.hpp"
#include "crypto/keys.hpp"
#include "crypto/x25519.hpp"
#include "session/header.hpp"
#include "session/skipped_keys.hpp"

namespace ekiden::session {

/// AES-256-GCM key and nonce of one message.
struct Sealing {
  crypto::AeadKey key;
  crypto::Nonce nonce{};
};
Sealing sealing_of(const MessageKey& key);

struct SendChain {
  crypto::ChainKey key;
  std::uint32_t next = 0;      ///< number of the next message
  std::uint32_t previous = 0;  ///< length of the chain before
  std::uint64_t base = 0;      ///< total length of all chains before
};

struct ReceiveChain {
  crypto::ChainKey key;
  std::uint32_t next = 0;
  std::uint64_t base = 0;
};

struct RatchetState {
  crypto::ChainKey root;
  crypto::X25519KeyPair own;
  crypto::X25519PublicKey theirs;
  SendChain send;
  std::optional<ReceiveChain> receive;  ///< none before the initiator has heard the first answer
  bool step_pending = false;            ///< the peer has a new ratchet key, and we have not answered with one
};

/// Why a position cannot be received.
enum class Misfit {
  used,        ///< its key is gone: the message was received before
  too_far,     ///< over max_gap ahead, or so old that its key was dropped
  impossible,  ///< contradicts itself or us: not from this session
};

/// What receiving a message will change, once it has verified.
struct Incoming {
  MessageKey key;
  std::uint64_t sequence = 0;
  bool was_skipped = false;                                                  ///< then nothing below is set
  ReceiveChain chain;                                                        ///< after the message
  std::optional<std::pair<crypto::ChainKey, crypto::X25519PublicKey>> step;  ///< new root key and peer's ratchet key
  std::vector<std::pair<std::uint64_t, MessageKey>> skipped;
};

class Ratchet {
 public:
  /// The initiator's start: one root step against the prekey. Errors: refused (a key of low order).
  static Result<Ratchet> initiate(const crypto::ChainKey& shared, const crypto::X25519PublicKey& their_prekey,
                                  crypto::X25519KeyPair own, std::size_t max_skipped);

  /// The responder's start, given the first ratchet key of the initiator: both halves of the step at once, so that the
  /// prekey's secret is not kept with the session. Errors: refused.
  static Result<Ratchet> respond(const crypto::ChainKey& shared, const crypto::X25519SecretKey& prekey,
                                 const crypto::X25519PublicKey& their_ratchet, crypto::X25519KeyPair own,
                                 std::size_t max_skipped);

  Ratchet(RatchetState state, SkippedKeys skipped) : state_(std::move(state)), skipped_(std::move(skipped)) {}

  // Sending.

  /// False if the chain has no numbers left for comfort: a new session is needed.
  bool can_send() const { return state_.send.next < kMaxNumber; }
  /// Takes the next number and its key. REQUIRES: can_send().
  std::pair<Position, MessageKey> next_to_send();
  /// Passes over numbers up to (excluding) `number`.
  void skip_sending_to(std::uint32_t number);
  /// The sending half of a DH step, with a new key pair. REQUIRES: state().step_pending. Errors: refused.
  Status step(crypto::X25519KeyPair own);

  // Receiving.

  std::expected<Incoming, Misfit> prepare(const Position& position, std::size_t max_gap) const;
  void commit(Incoming incoming);

  /// Puts back a key that was loaded. False if no message of that sequence can have been skipped.
  bool restore_skipped(std::uint64_t sequence, MessageKey key);

  const RatchetState& state() const { return state_; }
  const SkippedKeys& skipped() const { return skipped_; }
  SkippedKeys& skipped() { return skipped_; }
  void check_invariants() const;

  static constexpr std::uint32_t kMaxNumber = 0xf000'0000;

 private:
  std::uint64_t next_sequence() const;
  std::expected<Incoming, Misfit> prepare_old(const Position& position) const;
  std::expected<Incoming, Misfit> prepare_new_chain(const Position& position, std::size_t max_gap) const;

  RatchetState state_;
  SkippedKeys skipped_;
};

}  // namespace ekiden::session
