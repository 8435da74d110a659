// A session between two nodes that exchange datagrams: the keys that a Noise IK handshake has left, and what protects
// their use.
//
// Plaintext of a data packet: kind (1), then for a query or an answer the number of the query (4), then the body.
//
// Kept small, for a node has hundreds: keys, not cipher contexts; one context serves all sessions (Ciphers).
//
// Rules: a counter is used once and a session ends long before it is used up (NIST SP 800-38D allows 2^32 messages
// under one key); a number is accepted once (replay_window.hpp); the header is authenticated with the body.
//
// Source: Noise revision 34 section 5.1 with explicit nonces (section 11.4).
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/aead.hpp"
#include "crypto/keys.hpp"
#include "datagram/packet.hpp"
#include "datagram/replay_window.hpp"
#include "identity/node_info.hpp"

namespace ekiden::datagram {

enum class Kind : Byte {
  confirm = 0,  ///< nothing but the proof that the sender holds the keys
  query = 1,
  answer = 2,
};

inline constexpr std::size_t kDataPrefix = 1 + 4;  ///< kind and number, before the body
/// The longest body of a query or an answer.
inline constexpr std::size_t kMaxBody = kMaxPacket - kDataHeader - kDataPrefix - crypto::kTagSize;

struct Content {
  Kind kind = Kind::confirm;
  std::uint32_t number = 0;
  Bytes buffer;  ///< the plaintext; body() points into it

  ByteView body() const { return ByteView(buffer).subspan(kDataPrefix); }
};

/// The one cipher that all sessions of a node borrow.
class Ciphers {
 public:
  Ciphers() : cipher_(crypto::AeadKey()) {}

  Bytes seal(const crypto::AeadKey& key, Index receiver, std::uint64_t counter, const Content& what, ByteView body);
  /// Errors: unauthenticated, malformed, unsupported.
  Result<Content> open(const crypto::AeadKey& key, const Data& packet);

 private:
  crypto::AeadCipher cipher_;
};

/// Smoothed round-trip time (RFC 6298) in microseconds.
struct RoundTrip {
  std::uint32_t smoothed_us = 0;  ///< zero: none measured
  std::uint32_t variation_us = 0;

  void measure(Duration took);
};

struct Session {
  static constexpr std::uint64_t kMaxCounter = std::uint64_t{1} << 32;

  Index local{};
  Index remote{};
  identity::NodeInfo node;
  bool begun_by_us = false;
  crypto::AeadKey send_key;
  crypto::AeadKey receive_key;
  std::uint64_t next_counter = 0;
  ReplayWindow window;
  Instant since;
  Instant received;  ///< when the last packet came that proved itself
  Instant used;      ///< when the last query or answer went either way
  RoundTrip round_trip;
};

}  // namespace ekiden::datagram
