// The four kinds of datagram, byte by byte. A view here borrows from the packet that was parsed.
//
//   initiation  1 | sender index 8 | cookie 16 | Noise message 1            at least kMinInitiation bytes
//   response    2 | sender index 8 | receiver index 8 | Noise message 2
//   cookie      3 | receiver index 8 | cookie 16
//   data        4 | receiver index 8 | counter 8 | ciphertext and tag
//
// An index is a random number by which the receiver finds its state; nobody off the path can guess it. Integers are
// big-endian. The cookie of an initiation is zero until the other side has asked for one.
//
// Bounds: a packet is at most kMaxPacket bytes, which every IPv6 path carries (RFC 8200 section 5). An initiation is at
// least a third of that: whatever the answer, its sender gets at most three times the bytes it sent (amplification).
#pragma once

#include <cstdint>
#include <variant>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/aead.hpp"

namespace ekiden::datagram {

inline constexpr std::size_t kMaxPacket = 1280;
inline constexpr std::size_t kMinInitiation = (kMaxPacket + 2) / 3;
inline constexpr std::size_t kCookieSize = 16;
inline constexpr std::size_t kDataHeader = 1 + 8 + 8;
inline constexpr std::size_t kInitiationHeader = 1 + 8 + kCookieSize;
inline constexpr std::size_t kResponseHeader = 1 + 8 + 8;

enum class PacketType : Byte { initiation = 1, response = 2, cookie = 3, data = 4 };

enum class Index : std::uint64_t {};
using Cookie = ByteArray<kCookieSize>;

struct Initiation {
  Index sender{};
  Cookie cookie{};
  ByteView noise;
};
struct Response {
  Index sender{};
  Index receiver{};
  ByteView noise;
};
struct CookieReply {
  Index receiver{};
  Cookie cookie{};
};
struct Data {
  Index receiver{};
  std::uint64_t counter = 0;
  ByteView header;  ///< the bytes before the ciphertext, which are authenticated with it
  ByteView sealed;
};

using Packet = std::variant<Initiation, Response, CookieReply, Data>;

/// Errors: malformed, too_large, unsupported (a kind that this build does not know).
Result<Packet> parse(ByteView packet);

/// The bytes before the Noise message or ciphertext, with room kept for `rest` more.
Bytes begin_initiation(Index sender, const Cookie& cookie, std::size_t rest);
Bytes begin_response(Index sender, Index receiver, std::size_t rest);
Bytes begin_data(Index receiver, std::uint64_t counter, std::size_t rest);
Bytes make_cookie_reply(Index receiver, const Cookie& cookie);
/// Puts a cookie into an initiation that was made without.
void set_cookie(Bytes& initiation, const Cookie& cookie);

}  // namespace ekiden::datagram
