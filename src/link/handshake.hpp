// The first bytes of a connection: preamble, Noise handshake, hello. Bytes in, bytes out, at the end a pair of ciphers
// and a proven peer.
//
//   initiator  preamble: "EKIDEN" (6 bytes), link format (1), pattern (1 = IK, 2 = XX). In clear, and the prologue of
//              the handshake: a preamble that was changed on the way breaks it.
//   both       handshake messages, each with its length in front (2 bytes, big-endian, at most kMaxHandshakeMessage).
//              The payload is a Hello, except that of the first message of XX, which is empty.
//   either     refusal: a length of zero and a CloseReason, and the connection ends.
//
// A refusal is not authenticated: it explains, and changes nothing that closing the connection would not.
//
// Rules and the attacks they stop:
//   - the record in the hello must belong to the static key of the handshake: nobody speaks with another's record;
//   - who dials knows whom it wants. With XX it checks who answered before it shows itself (nobody collects the ids of
//     callers by answering at somebody's address);
//   - a side that objects to the hello of the other finishes the handshake where it can, so that the other hears an
//     authenticated reason;
//   - the responder's result is provisional: its caller acts on nothing before the first record of the initiator, for
//     the first flight of IK can be a replay, and is forgeable by who stole the responder's key (Noise section 7.7);
//   - nothing is allocated from a length that was not checked; at most one message is kept.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "identity/identity.hpp"
#include "identity/peer_id.hpp"
#include "identity/peer_record.hpp"
#include "link/buffer_pool.hpp"
#include "link/frame.hpp"
#include "link/gather.hpp"
#include "link/hello.hpp"
#include "link/record_cache.hpp"
#include "noise/noise.hpp"

namespace ekiden::link {

inline constexpr std::size_t kPreambleSize = 8;
inline constexpr std::uint8_t kLinkFormat = 1;
inline constexpr std::size_t kMaxHandshakeMessage = 2048;

/// What all handshakes of a node share; outlives them.
struct LocalParty {
  const identity::Identity& self;
  Bytes record;  ///< Our signed record.
  std::uint64_t features = 0;
  std::uint16_t version_min = kVersionMin;
  std::uint16_t version_max = kVersionMax;
  RecordCache verified{1024};
  BufferPool buffers{};
  noise::CipherContexts contexts{};

  /// Borrows `record`.
  Hello hello() const { return {version_min, version_max, features, record}; }
};

/// Who a handshake found at the other end.
struct RemoteParty {
  identity::PeerId id;
  crypto::X25519PublicKey noise_key;  ///< For dialling it with IK.
  identity::SignedRecord record;
  std::uint16_t version = 0;   ///< The highest common one.
  std::uint64_t features = 0;  ///< Those of both.
};

/// Why a side does not go on, and what it tells the other.
struct Objection {
  CloseReason tell;
  Error why;
};

class Handshake {
 public:
  /// Dials `wanted`: IK if its Noise key is known, else XX. The first bytes are in `out`.
  static Handshake dial(LocalParty& local, const identity::PeerId& wanted,
                        const std::optional<crypto::X25519PublicKey>& noise_key, const ByteArray<32>& entropy,
                        Bytes& out);
  static Handshake accept(LocalParty& local, const ByteArray<32>& entropy);

  /// Takes what it needs off the front of `input`, and appends what must be sent to `out`, a refusal included. Returns
  /// after each step; call while there is input and it is not finished. On an error the handshake is over.
  Status receive(WallTime now, ByteView& input, Bytes& out);

  bool is_finished() const { return noise_.has_value() && noise_->is_finished(); }
  bool is_initiator() const { return wanted_.has_value(); }
  /// Bytes of an incomplete message.
  std::size_t gathered_bytes() const { return pieces_.gathered().size(); }

  // REQUIRES of all: is_finished().
  noise::HandshakeState::Ciphers ciphers() const { return noise_->split(local_->contexts); }
  const crypto::Digest& hash() const { return noise_->handshake_hash(); }
  const BufferPool& buffers() const { return local_->buffers; }
  /// The proven peer, or what we have against it: then the link only says why and closes.
  std::expected<RemoteParty, Objection> take_remote();

 private:
  Handshake(LocalParty& local, const ByteArray<32>& entropy) : local_(&local), entropy_(entropy) {}

  void start(ByteView preamble, const std::optional<crypto::X25519PublicKey>& remote);
  Status receive_preamble(ByteView preamble, Bytes& out);
  Status receive_message(WallTime now, ByteView message, Bytes& out);
  Status write_message(ByteView payload, Bytes& out);
  std::expected<RemoteParty, Objection> judge(WallTime now, ByteView payload) const;
  Status refuse(CloseReason tell, Error why, Bytes& out) const;

  LocalParty* local_;
  ByteArray<32> entropy_;  ///< Of the ephemeral key; erased once that is made.
  std::optional<identity::PeerId> wanted_;
  std::optional<noise::HandshakeState> noise_;
  noise::Pattern pattern_ = noise::Pattern::xx;
  bool first_ = true;  ///< The next message is the first.
  std::optional<std::expected<RemoteParty, Objection>> remote_;
  Gatherer pieces_;
};

}  // namespace ekiden::link
