// Frames: what a record holds once it is decrypted.
//
//   kind (1 byte) | length of the payload (2 bytes, big-endian) | payload
//
//   0 ping     token (8 bytes) flags (1 byte)
//   1 pong     the token of the ping it answers (8 bytes), flags (1 byte) of the side that answers
//   2 rekey    empty; the last frame of its record: the next record of this direction is under the next key
//   3 close    reason (1 byte); the last frame that its sender sends
//   4 message  type (1 byte) and body, 1 to kMaxMessage bytes
//
// A record holds any number of frames and ends exactly where the last one does. Rules:
//   - an unknown kind is skipped, and so are bytes after the known ones of a control frame: a newer peer may say more
//     than we understand, and its records are authenticated, so this hides nothing from anybody;
//   - a frame that does not fit, a rekey or close that is not the last, an empty message: the link is closed, for its
//     sender is broken and nothing after it means what it seems.
//
// Bounds: a payload is at most kMaxMessage bytes. Reading allocates nothing: payloads are views into the record.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ekiden::link {

/// Largest message in one frame: one 32 KiB chunk with its headers.
inline constexpr std::size_t kMaxMessage = 34 * 1024;

inline constexpr std::size_t kFrameHeader = 3;

enum class FrameKind : std::uint8_t { ping = 0, pong = 1, rekey = 2, close = 3, message = 4 };

/// Why a link ends, as the other side hears it. Also the reason byte of a refusal during the handshake.
enum class CloseReason : std::uint8_t {
  going_away = 1,  ///< The node stops.
  idle = 2,        ///< No messages for long, and nobody wants the link.
  superseded = 3,  ///< Another link between the same two nodes carries the traffic.
  protocol = 4,    ///< The other side sent something that no correct node sends.
  version = 5,     ///< No protocol version in common.
  record = 6,      ///< The other side's PeerRecord is not acceptable: expired, or issued in the future.
  wrong_key = 7,   ///< The handshake was meant for another node.
  limit = 8,       ///< Too many links.
  cut = 9,         ///< The other side misbehaves in what it sends.
  self = 10,       ///< Both ends are the same node.
  silent = 11,     ///< Nothing was heard for too long.
};

/// A sentence part for people: "it is stopping". Also for reasons that this build does not know.
std::string_view reason_text(CloseReason reason);

/// After these the other direction is still read until it ends too, so that no message on its way is lost.
constexpr bool is_graceful(CloseReason reason) {
  return reason == CloseReason::going_away || reason == CloseReason::idle || reason == CloseReason::superseded;
}

/// The content of ping and pong.
struct Probe {
  static constexpr std::size_t kSize = 9;
  /// Flag bit: the sender wants the link to stay although no messages flow.
  static constexpr Byte kKeep = 1;

  std::uint64_t token = 0;
  bool keep = false;

  friend bool operator==(const Probe&, const Probe&) = default;
};

struct Frame {
  FrameKind kind;
  ByteView payload;
};

/// Appends header and payload. REQUIRES: payload.size() <= kMaxMessage.
void append_frame(Bytes& out, FrameKind kind, ByteView payload);
void append_probe(Bytes& out, FrameKind kind, const Probe& probe);
void append_close(Bytes& out, CloseReason reason);

/// Walks the frames of one decrypted record.
class FrameReader {
 public:
  explicit FrameReader(ByteView record) : rest_(record) {}

  /// The next frame of a known kind; nothing at the end. Errors: malformed, too_large; then the link is over.
  Result<std::optional<Frame>> next();

 private:
  ByteView rest_;
};

/// REQUIRES: a frame of kind ping or pong (next() checked its size).
Probe read_probe(const Frame& frame);
/// REQUIRES: a frame of kind close.
CloseReason read_close(const Frame& frame);

}  // namespace ekiden::link
