// What the two Noise messages of a datagram handshake carry.
//
//   initiation  public key 32 | size of the query 2 | query | zeros up to kMinInitiation
//   response    size of the answer 2 | answer
//
// The Ed25519 key stands behind the X25519 key of the handshake: its birational image must be the static key that Noise
// has proven (identity/identity.hpp). A size of zero means that there is no query, or no answer.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/keys.hpp"
#include "datagram/packet.hpp"
#include "identity/identity.hpp"

namespace ekiden::datagram {

inline constexpr std::size_t kFirstFlightPrefix = 32 + 2;
/// What Noise adds to the payload: e, the encrypted s with its tag, and the tag of the payload; or e and a tag.
inline constexpr std::size_t kInitiationNoise = 32 + 48 + 16;
inline constexpr std::size_t kResponseNoise = 32 + 16;
/// The longest query that fits a first flight, and the longest answer to it.
inline constexpr std::size_t kMaxFirstQuery = kMaxPacket - kInitiationHeader - kInitiationNoise - kFirstFlightPrefix;
inline constexpr std::size_t kMaxFirstAnswer = kMaxPacket - kResponseHeader - kResponseNoise - 2;

struct FirstFlight {
  crypto::Ed25519PublicKey public_key;
  ByteView query;  ///< borrowed from the payload
};

/// REQUIRES: query.size() <= kMaxFirstQuery.
Bytes encode_first_flight(const crypto::Ed25519PublicKey& self, ByteView query);
/// Errors: malformed (a size that does not fit, padding that is not zero).
Result<FirstFlight> decode_first_flight(ByteView payload);

/// REQUIRES: answer.size() <= kMaxFirstAnswer.
Bytes encode_first_answer(ByteView answer);
Result<ByteView> decode_first_answer(ByteView payload);

}  // namespace ekiden::datagram
