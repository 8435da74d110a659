// A WebSocket server in memory, and what it makes of a client's frames.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "report.hpp"
#include "runtime/websocket.hpp"
#include "unit/runtime/memory_stream.hpp"
#include "unit/runtime/websocket_frames.hpp"

namespace ekiden::vectors {

/// A client's frame with this first byte.
inline Bytes client_frame(unsigned first, ByteView payload) {
  constexpr runtime::MaskKey kMaskKey = {0x37, 0xfa, 0x21, 0x3d};
  Bytes bytes = runtime::frame_of(runtime::Opcode::binary, payload, kMaskKey);
  bytes[0] = static_cast<Byte>(first);
  return bytes;
}

/// What a server hears of a client's frames, and says to it.
struct Heard {
  Bytes payload;  ///< all that was carried
  std::optional<Error> end;
  std::vector<runtime::Frame> said;
  std::size_t said_before_last = 0;  ///< before the last piece came
  std::size_t pieces = 0;            ///< in which the bytes came from below

  std::optional<runtime::CloseCode> answered() const { return runtime::close_code_in(said); }
};

/// The pieces come one after the other, each in at most `chop` bytes at a time, and never in more than a socket gives.
inline Heard hear(std::span<const Bytes> pieces, std::size_t chop = SIZE_MAX) {
  runtime::Channel in;
  runtime::Channel out;
  runtime::WebSocket::Shared shared;
  const auto server = runtime::WebSocket::server(std::make_unique<runtime::MemoryStream>(in, out), shared);
  Bytes buffer(64 * 1024);
  in.bytes = to_bytes(as_bytes(runtime::upgrade_request()));
  Heard heard;
  if (!server->open(buffer)) return heard;
  out.bytes.clear();
  const std::size_t most = std::min(chop, buffer.size());
  for (const Bytes& piece : pieces) {
    heard.said_before_last = runtime::frames_in(out.bytes).size();
    for (ByteView rest = piece; !rest.empty() && !heard.end; rest = rest.subspan(std::min(most, rest.size()))) {
      in.bytes = to_bytes(rest.first(std::min(most, rest.size())));
      ++heard.pieces;
      while ((!in.bytes.empty() || server->has_input()) && !heard.end) {
        auto outcome = server->read(buffer);
        append(heard.payload, outcome.bytes);
        heard.end = std::move(outcome.end);
        while (server->has_output()) server->write({});
      }
    }
  }
  heard.said = runtime::frames_in(out.bytes);
  return heard;
}

inline Heard hear(const Bytes& piece) { return hear(std::span(&piece, 1)); }

inline Status expect_broken(const Heard& heard) {
  const bool refused = heard.end && heard.end->code == Errc::malformed;
  return expect(refused && heard.answered() == runtime::CloseCode::protocol_error, "taken, or ended with another code");
}

}  // namespace ekiden::vectors
