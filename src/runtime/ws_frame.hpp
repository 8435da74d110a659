// WebSocket frames: what comes in is taken apart in place, what goes out gets its header.
//
// A link is a stream of bytes: it travels in binary messages whose boundaries mean nothing, so the reader puts the
// payloads one behind the other and never waits for a message to be whole.
//
// Inputs: bytes as they come, in pieces of any size. Outputs: the payload; the newest ping; the close; what was wrong.
// Timers: none. Bounds: the memory is one header and one control frame; the limits of FrameLimits.
//
// Rules, and what each stops:
//   - no extension is ever negotiated, so a reserved bit is an error, never ignored;
//   - a client masks every frame and a server none: a frame the other way round comes from a confused peer or proxy;
//   - lengths in their shortest form, judged with the header alone; a frame, a message and the number of its fragments
//     are bounded, so that nothing on the way has to collect without end;
//   - of several pings only the newest is answered, and frames that carry nothing are counted: who sends nothing else
//     is cut, so that a flood of pings or empty fragments costs the flooder a connection;
//   - text messages are refused: nothing here is text, and only its first byte would show the mistake;
//   - whatever comes behind a close frame is dropped.
//
// Source: RFC 6455 sections 5 and 7.4.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace ekiden::runtime {

enum class Opcode : Byte { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// Status codes of close frames that are sent here (RFC 6455 section 7.4.1).
enum class CloseCode : std::uint16_t {
  normal = 1000,
  protocol_error = 1002,
  unsupported_data = 1003,
  none = 1005,  ///< stands for a close frame without a code, and is never sent
  invalid_payload = 1007,
  policy = 1008,
  too_big = 1009,
};

struct FrameLimits {
  std::uint64_t max_frame = 1 << 20;    ///< payload of one frame
  std::uint64_t max_message = 1 << 20;  ///< payload of all fragments of a message
  std::uint32_t max_fragments = 256;    ///< of one message
  std::uint32_t max_useless = 1024;     ///< control frames and empty ones between two bytes of payload
};

inline constexpr std::size_t kMaxControlPayload = 125;
inline constexpr std::size_t kMaxFrameHeader = 14;

using MaskKey = ByteArray<4>;

/// Applies the mask, or takes it off; `offset` is the place of the first byte in its payload.
void apply_mask(MutableBytes bytes, const MaskKey& key, std::uint64_t offset);

/// The header of a final frame. A client gives the key with which it masks the payload.
void append_frame_header(Bytes& to, Opcode opcode, std::uint64_t payload, const std::optional<MaskKey>& key);
/// A whole control frame. REQUIRES: at most kMaxControlPayload bytes.
void append_control(Bytes& to, Opcode opcode, ByteView payload, const std::optional<MaskKey>& key);
Bytes close_payload(CloseCode code, std::string_view reason);

struct Closing {
  CloseCode code = CloseCode::none;
  std::string text;  ///< of the other side, well-formed UTF-8; or what it did wrong
};

class FrameReader {
 public:
  /// Frames from a client are masked, those from a server are not.
  enum class From : Byte { client, server };

  explicit FrameReader(From from, const FrameLimits& limits = {}) : from_(from), limits_(limits) {}

  /// Takes all bytes. The payload of data frames is moved to their front; returns how much that is. Once the other side
  /// has closed or broken a rule, the rest is dropped.
  std::size_t take(MutableBytes bytes);

  /// The payload of the newest ping that was not taken yet.
  std::optional<Bytes> take_ping();
  /// The other side sent a close frame.
  const std::optional<Closing>& closed() const { return closed_; }
  /// The other side broke a rule: the code to close with, and what it did.
  const std::optional<Closing>& broken() const { return broken_; }
  bool over() const { return closed_ || broken_; }

 private:
  void take_header_byte(Byte byte);
  void on_first_two();
  void on_header();
  bool check_data(Opcode opcode, bool final);
  void on_length(std::uint64_t length);
  void on_frame_end();
  void on_control();
  void on_close(ByteView payload);
  void break_off(CloseCode code, std::string text);

  From from_;
  FrameLimits limits_;
  ByteArray<kMaxFrameHeader> header_{};
  std::size_t header_have_ = 0;
  std::size_t header_need_ = 2;
  bool in_payload_ = false;
  Opcode opcode_ = Opcode::continuation;
  MaskKey key_{};
  std::uint64_t length_ = 0;  ///< of the frame's payload
  std::uint64_t done_ = 0;    ///< of it
  bool in_message_ = false;   ///< fragments are to come
  std::uint64_t message_ = 0;
  std::uint32_t fragments_ = 0;
  std::uint32_t useless_ = 0;
  ByteArray<kMaxControlPayload> control_{};
  std::optional<Bytes> ping_;
  std::optional<Closing> closed_;
  std::optional<Closing> broken_;
};

}  // namespace ekiden::runtime
