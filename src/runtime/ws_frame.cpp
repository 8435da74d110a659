#include "runtime/ws_frame.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "base/encoding.hpp"

namespace ekiden::runtime {
namespace {

constexpr Byte kFinal = 0x80;
constexpr Byte kReserved = 0x70;
constexpr Byte kMasked = 0x80;
constexpr Byte kLength16 = 126;
constexpr Byte kLength64 = 127;

bool is_control(Opcode opcode) { return static_cast<Byte>(opcode) >= static_cast<Byte>(Opcode::close); }

bool is_known(Byte opcode) {
  return opcode <= static_cast<Byte>(Opcode::binary) ||
         (opcode >= static_cast<Byte>(Opcode::close) && opcode <= static_cast<Byte>(Opcode::pong));
}

/// Codes that may stand in a frame (RFC 6455 section 7.4 and its IANA registry).
bool may_be_sent(std::uint16_t code) {
  const bool defined = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
  return defined || (code >= 3000 && code <= 4999);
}

}  // namespace

void apply_mask(MutableBytes bytes, const MaskKey& key, std::uint64_t offset) {
  ByteArray<8> turned;
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = key[(offset + i) % key.size()];
  std::uint64_t mask;
  std::memcpy(&mask, turned.data(), sizeof mask);
  std::size_t i = 0;
  for (; i + sizeof mask <= bytes.size(); i += sizeof mask) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + i, sizeof word);
    word ^= mask;
    std::memcpy(bytes.data() + i, &word, sizeof word);
  }
  for (; i < bytes.size(); ++i) bytes[i] = static_cast<Byte>(bytes[i] ^ turned[i % turned.size()]);
}

void append_frame_header(Bytes& to, Opcode opcode, std::uint64_t payload, const std::optional<MaskKey>& key) {
  const Byte masked = key ? kMasked : 0;
  to.push_back(static_cast<Byte>(kFinal | static_cast<Byte>(opcode)));
  if (payload < kLength16) {
    to.push_back(static_cast<Byte>(masked | payload));
  } else if (payload <= UINT16_MAX) {
    to.push_back(masked | kLength16);
    append_be(to, static_cast<std::uint16_t>(payload));
  } else {
    to.push_back(masked | kLength64);
    append_be(to, payload);
  }
  if (key) append(to, *key);
}

void append_control(Bytes& to, Opcode opcode, ByteView payload, const std::optional<MaskKey>& key) {
  CHECK(payload.size() <= kMaxControlPayload);
  append_frame_header(to, opcode, payload.size(), key);
  append(to, payload);
  if (key) apply_mask(MutableBytes(to).last(payload.size()), *key, 0);
}

Bytes close_payload(CloseCode code, std::string_view reason) {
  Bytes payload;
  append_be(payload, static_cast<std::uint16_t>(code));
  append(payload, as_bytes(reason.substr(0, kMaxControlPayload - payload.size())));
  return payload;
}

std::size_t FrameReader::take(MutableBytes bytes) {
  std::size_t used = 0;
  std::size_t kept = 0;
  while (used < bytes.size() && !over()) {
    if (!in_payload_) {
      take_header_byte(bytes[used++]);
      continue;
    }
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(length_ - done_, bytes.size() - used));
    const bool control = is_control(opcode_);
    Byte* const to = control ? control_.data() + done_ : bytes.data() + kept;
    if (to != bytes.data() + used) std::memmove(to, bytes.data() + used, size);
    if (from_ == From::client) apply_mask({to, size}, key_, done_);
    if (!control) kept += size;
    used += size;
    done_ += size;
    if (done_ == length_) on_frame_end();
  }
  return kept;
}

std::optional<Bytes> FrameReader::take_ping() { return std::exchange(ping_, std::nullopt); }

void FrameReader::take_header_byte(Byte byte) {
  header_[header_have_++] = byte;
  if (header_have_ == 2) on_first_two();
  if (header_have_ == header_need_ && !over()) on_header();
}

/// What the first two bytes say is judged before any other is waited for.
void FrameReader::on_first_two() {
  const Byte opcode = header_[0] & 0x0f;
  const bool final = (header_[0] & kFinal) != 0;
  const bool masked = (header_[1] & kMasked) != 0;
  const Byte length = header_[1] & 0x7f;
  if ((header_[0] & kReserved) != 0) {
    return break_off(CloseCode::protocol_error, "a reserved bit is set, and no extension was agreed on");
  }
  if (!is_known(opcode)) return break_off(CloseCode::protocol_error, "a frame of an unknown kind");
  opcode_ = static_cast<Opcode>(opcode);
  if (masked != (from_ == From::client)) {
    return break_off(CloseCode::protocol_error,
                     masked ? "a masked frame from a server" : "a frame from a client without a mask");
  }
  if (is_control(opcode_)) {
    if (!final) return break_off(CloseCode::protocol_error, "a control frame in fragments");
    if (length > kMaxControlPayload) return break_off(CloseCode::protocol_error, "a control frame is too long");
  } else if (!check_data(opcode_, final)) {
    return;
  }
  header_need_ = 2 + (length == kLength64 ? 8U : length == kLength16 ? 2U : 0U) + (masked ? key_.size() : 0U);
}

bool FrameReader::check_data(Opcode opcode, bool final) {
  if (opcode == Opcode::text) {
    break_off(CloseCode::unsupported_data, "a text message: a link travels in binary ones");
  } else if ((opcode == Opcode::continuation) != in_message_) {
    break_off(CloseCode::protocol_error,
              in_message_ ? "a new message begins inside another" : "a fragment that continues nothing");
  } else {
    if (!in_message_) message_ = fragments_ = 0;
    if (++fragments_ > limits_.max_fragments) break_off(CloseCode::policy, "a message in too many fragments");
    in_message_ = !final;
  }
  return !over();
}

void FrameReader::on_header() {
  const ByteView header(header_);
  const Byte short_length = header_[1] & 0x7f;
  std::uint64_t length = short_length;
  if (short_length == kLength16) {
    length = get_be<std::uint16_t>(header.subspan(2));
  } else if (short_length == kLength64) {
    length = get_be<std::uint64_t>(header.subspan(2));
  }
  const bool shortest =
      short_length < kLength16 || (short_length == kLength16 ? length >= kLength16 : length > UINT16_MAX);
  if (!shortest) return break_off(CloseCode::protocol_error, "a length that is not in its shortest form");
  if (from_ == From::client) key_ = take_array<4>(header.subspan(header_have_ - key_.size()));
  on_length(length);
}

void FrameReader::on_length(std::uint64_t length) {
  length_ = length;
  done_ = 0;
  header_have_ = 0;
  header_need_ = 2;
  if (!is_control(opcode_)) {
    if (length > limits_.max_frame) return break_off(CloseCode::too_big, "a frame is too large");
    message_ += length;
    if (message_ > limits_.max_message) return break_off(CloseCode::too_big, "a message is too large");
  }
  if (!is_control(opcode_) && length > 0) {
    useless_ = 0;
  } else if (++useless_ > limits_.max_useless) {
    return break_off(CloseCode::policy, "too many frames that carry nothing");
  }
  in_payload_ = true;
  if (length == 0) on_frame_end();
}

void FrameReader::on_frame_end() {
  in_payload_ = false;
  if (is_control(opcode_)) on_control();
}

void FrameReader::on_control() {
  const ByteView payload = ByteView(control_).first(static_cast<std::size_t>(length_));
  if (opcode_ == Opcode::ping) ping_ = to_bytes(payload);
  if (opcode_ == Opcode::close) on_close(payload);
}

void FrameReader::on_close(ByteView payload) {
  if (payload.empty()) {
    closed_ = Closing{};
    return;
  }
  if (payload.size() == 1) return break_off(CloseCode::protocol_error, "half a close code");
  const auto code = get_be<std::uint16_t>(payload);
  if (!may_be_sent(code)) return break_off(CloseCode::protocol_error, "a close code that is never sent");
  if (!is_utf8(payload.subspan(2))) {
    return break_off(CloseCode::invalid_payload, "a reason for closing that is not UTF-8");
  }
  closed_ = Closing{static_cast<CloseCode>(code), std::string(as_text(payload.subspan(2)))};
}

void FrameReader::break_off(CloseCode code, std::string text) { broken_ = Closing{code, std::move(text)}; }

}  // namespace ekiden::runtime
