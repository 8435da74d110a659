// WebSocket frames and the heads of an upgrade, made and taken apart naively: the other side in tests and fuzzing.
//
// Source: RFC 6455 sections 1.3, 5.2 and 5.5.
#pragma once

#include <openssl/sha.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/encoding.hpp"
#include "runtime/http_head.hpp"

namespace ekiden::runtime {

enum class Opcode : Byte { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// Status codes of close frames (RFC 6455 section 7.4.1).
enum class CloseCode : std::uint16_t {
  normal = 1000,
  protocol_error = 1002,
  unsupported_data = 1003,
  none = 1005,
  invalid_payload = 1007,
  policy = 1008,
  too_big = 1009,
};

inline constexpr std::size_t kMaxControlPayload = 125;

using MaskKey = ByteArray<4>;

/// A final frame; its first byte may be changed afterwards.
inline Bytes frame_of(Opcode opcode, ByteView payload, const std::optional<MaskKey>& key) {
  Bytes frame{static_cast<Byte>(0x80 | static_cast<Byte>(opcode))};
  const Byte masked = key ? 0x80 : 0;
  if (payload.size() < 126) {
    frame.push_back(static_cast<Byte>(masked | payload.size()));
  } else if (payload.size() <= UINT16_MAX) {
    frame.push_back(masked | 126);
    append_be(frame, static_cast<std::uint16_t>(payload.size()));
  } else {
    frame.push_back(masked | 127);
    append_be(frame, static_cast<std::uint64_t>(payload.size()));
  }
  if (key) append(frame, *key);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame.push_back(static_cast<Byte>(payload[i] ^ (key ? (*key)[i % 4] : 0)));
  }
  return frame;
}

inline Bytes close_payload(CloseCode code, std::string_view reason) {
  Bytes payload;
  append_be(payload, static_cast<std::uint16_t>(code));
  append(payload, as_bytes(reason));
  return payload;
}

struct Frame {
  Byte first = 0;
  bool masked = false;
  Bytes payload;
  Opcode opcode() const { return static_cast<Opcode>(first & 0x0f); }
};

/// The whole frames at the beginning of these bytes. REQUIRES: shorter than 64 KiB each.
inline std::vector<Frame> frames_in(ByteView bytes) {
  std::vector<Frame> frames;
  while (bytes.size() >= 2) {
    Frame frame{.first = bytes[0], .masked = (bytes[1] & 0x80) != 0, .payload = {}};
    std::size_t size = bytes[1] & 0x7f;
    std::size_t at = 2;
    if (size == 126) {
      if (bytes.size() < 4) break;
      size = std::size_t{bytes[2]} << 8U | bytes[3];
      at = 4;
    }
    const std::size_t key = at;
    if (frame.masked) at += 4;
    if (bytes.size() < at + size) break;
    for (std::size_t i = 0; i < size; ++i) {
      frame.payload.push_back(static_cast<Byte>(bytes[at + i] ^ (frame.masked ? bytes[key + i % 4] : 0)));
    }
    frames.push_back(std::move(frame));
    bytes = bytes.subspan(at + size);
  }
  return frames;
}

/// The code of the close frame among these, 1005 if it has none; nothing without one.
inline std::optional<CloseCode> close_code_in(const std::vector<Frame>& frames) {
  for (const Frame& frame : frames) {
    if (frame.opcode() != Opcode::close) continue;
    if (frame.payload.size() < 2) return CloseCode::none;
    return static_cast<CloseCode>(frame.payload[0] << 8 | frame.payload[1]);
  }
  return std::nullopt;
}

/// The key of RFC 6455 section 1.3.
inline constexpr std::string_view kWebSocketKey = "dGhlIHNhbXBsZSBub25jZQ==";

inline std::string upgrade_request(std::string_view host = "node.example", std::string_view key = kWebSocketKey) {
  std::string out = "GET " + std::string(kWebSocketPath) + " HTTP/1.1\r\nHost: ";
  out.append(host).append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
  return out.append("Sec-WebSocket-Key: ").append(key).append("\r\nUser-Agent: ekiden\r\n\r\n");
}

/// The value that proves that a server has read the key.
inline std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  ByteArray<SHA_DIGEST_LENGTH> digest;
  SHA1(as_bytes(text).data(), text.size(), digest.data());
  return to_base64(digest);
}

inline std::string upgrade_answer(std::string_view key = kWebSocketKey) {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         websocket_accept(key) + "\r\n\r\n";
}

/// The key that a request carries.
inline std::string key_of(std::string_view request) {
  constexpr std::string_view kField = "Sec-WebSocket-Key: ";
  const auto at = request.find(kField);
  return at == std::string_view::npos ? std::string() : std::string(request.substr(at + kField.size(), 24));
}

}  // namespace ekiden::runtime
