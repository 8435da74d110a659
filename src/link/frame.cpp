#include "link/frame.hpp"

#include <string>

#include "base/check.hpp"

namespace ekiden::link {
namespace {

constexpr bool is_known(Byte kind) { return kind <= static_cast<Byte>(FrameKind::message); }

/// What must hold beyond "it fits": the shortest payload of the kind, and that nothing follows a last frame.
Status check_frame(const Frame& frame, ByteView rest) {
  switch (frame.kind) {
    case FrameKind::ping:
    case FrameKind::pong:
      if (frame.payload.size() < Probe::kSize) return fail(Errc::malformed, "a ping or pong is too short");
      return {};
    case FrameKind::rekey:
      if (!rest.empty()) return fail(Errc::malformed, "a rekey frame is not the last of its record");
      return {};
    case FrameKind::close:
      if (frame.payload.empty()) return fail(Errc::malformed, "a close frame has no reason");
      if (!rest.empty()) return fail(Errc::malformed, "a close frame is not the last of its record");
      return {};
    case FrameKind::message:
      if (frame.payload.empty()) return fail(Errc::malformed, "a message frame is empty");
      return {};
  }
  return {};
}

}  // namespace

std::string_view reason_text(CloseReason reason) {
  switch (reason) {
    case CloseReason::going_away:
      return "it is stopping";
    case CloseReason::idle:
      return "the link was idle";
    case CloseReason::superseded:
      return "another link took over";
    case CloseReason::protocol:
      return "it could not understand what we sent";
    case CloseReason::version:
      return "it speaks no protocol version that we speak";
    case CloseReason::record:
      return "it does not accept our record; compare the clocks of both machines";
    case CloseReason::wrong_key:
      return "it has another identity than the one we asked for, or the handshake was changed on the way";
    case CloseReason::limit:
      return "it has too many links";
    case CloseReason::cut:
      return "it says that we misbehave";
    case CloseReason::self:
      return "both ends are the same node";
    case CloseReason::silent:
      return "it heard nothing from us for too long";
  }
  return "for a reason that this version does not know";
}

void append_frame(Bytes& out, FrameKind kind, ByteView payload) {
  CHECK(payload.size() <= kMaxMessage);
  out.push_back(static_cast<Byte>(kind));
  append_be(out, static_cast<std::uint16_t>(payload.size()));
  append(out, payload);
}

void append_probe(Bytes& out, FrameKind kind, const Probe& probe) {
  ByteArray<Probe::kSize> payload;
  put_be(payload, probe.token);
  payload[8] = probe.keep ? Probe::kKeep : 0;
  append_frame(out, kind, payload);
}

void append_close(Bytes& out, CloseReason reason) {
  const ByteArray<1> payload = {static_cast<Byte>(reason)};
  append_frame(out, FrameKind::close, payload);
}

Result<std::optional<Frame>> FrameReader::next() {
  while (!rest_.empty()) {
    if (rest_.size() < kFrameHeader) return fail(Errc::malformed, "a record ends inside a frame header");
    const Byte kind = rest_[0];
    const std::size_t size = get_be<std::uint16_t>(rest_.subspan(1));
    if (size > kMaxMessage) return fail(Errc::too_large, "a frame of " + std::to_string(size) + " bytes");
    if (rest_.size() < kFrameHeader + size) return fail(Errc::malformed, "a record ends inside a frame");
    const Frame frame{static_cast<FrameKind>(kind), rest_.subspan(kFrameHeader, size)};
    rest_ = rest_.subspan(kFrameHeader + size);
    if (!is_known(kind)) continue;
    EKIDEN_TRY(check_frame(frame, rest_));
    return frame;
  }
  return std::nullopt;
}

Probe read_probe(const Frame& frame) {
  CHECK(frame.payload.size() >= Probe::kSize);
  return {get_be<std::uint64_t>(frame.payload), (frame.payload[8] & Probe::kKeep) != 0};
}

CloseReason read_close(const Frame& frame) {
  CHECK(!frame.payload.empty());
  return static_cast<CloseReason>(frame.payload[0]);
}

}  // namespace ekiden::link
