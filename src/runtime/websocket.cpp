#include "runtime/websocket.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::runtime {
namespace {

/// How an end that the other side announced is told to the user.
Error closed_error(const Closing& closing) {
  std::string text = "the other side closed the WebSocket";
  if (closing.code != CloseCode::none && closing.code != CloseCode::normal) {
    text += " with code " + std::to_string(static_cast<unsigned>(closing.code));
  }
  if (!closing.text.empty()) text += ": " + closing.text;
  return {Errc::closed, std::move(text)};
}

}  // namespace

WebSocket::WebSocket(std::unique_ptr<Stream> below, Shared& shared, FrameReader::From from)
    : below_(std::move(below)), shared_(shared), reader_(from) {}

std::unique_ptr<WebSocket> WebSocket::client(std::unique_ptr<Stream> below, Shared& shared, std::string host) {
  auto made = std::unique_ptr<WebSocket>(new WebSocket(std::move(below), shared, FrameReader::From::server));
  made->key_ = websocket_key(shared.rng.bytes<16>());
  append(made->own_, as_bytes(upgrade_request(host, made->key_)));
  made->host_ = std::move(host);
  return made;
}

std::unique_ptr<WebSocket> WebSocket::server(std::unique_ptr<Stream> below, Shared& shared) {
  return std::unique_ptr<WebSocket>(new WebSocket(std::move(below), shared, FrameReader::From::client));
}

std::string_view WebSocket::opening() const {
  return stage_ == Stage::below ? below_->opening() : "the WebSocket handshake";
}

Result<Wait> WebSocket::open(MutableBytes buffer) {
  if (stage_ == Stage::below) {
    EKIDEN_ASSIGN(const Wait wait, below_->open(buffer));
    if (wait != Wait::nothing) return wait;
    stage_ = is_client() ? Stage::asking : Stage::reading_head;
  }
  Status status;
  if (stage_ == Stage::asking) {
    if (const auto wait = flush_own(status)) return *wait;
    EKIDEN_TRY(status);
    stage_ = Stage::reading_head;
  }
  if (stage_ == Stage::reading_head) {
    EKIDEN_ASSIGN(const Wait wait, read_head(buffer));
    if (wait != Wait::nothing) return wait;
    stage_ = Stage::answering;
  }
  if (const auto wait = flush_own(status)) return *wait;
  EKIDEN_TRY(status);
  stage_ = Stage::open;
  own_ = {};
  own_sent_ = 0;
  return Wait::nothing;
}

/// Writes what is its own; says what to wait for if it cannot be written whole.
std::optional<Wait> WebSocket::flush_own(Status& status) {
  while (own_left() > 0) {
    auto outcome = write({});
    if (outcome.end) {
      status = std::unexpected(std::move(*outcome.end));
      return std::nullopt;
    }
    if (outcome.blocked) return Wait::writable;
  }
  return std::nullopt;
}

Result<Wait> WebSocket::read_head(MutableBytes buffer) {
  while (true) {
    const ReadOutcome got = below_->read(buffer.first(std::min(buffer.size(), kMaxHead)));
    ByteView bytes = got.bytes;
    auto used = head_.take(bytes);
    if (!used) {
      if (!is_client()) append(own_, as_bytes(refusal_answer({400, used.error().message})));
      return fail("the WebSocket handshake failed", std::move(used).error());
    }
    if (head_.whole()) {
      auto status = on_head(bytes.subspan(*used));
      head_.clear();
      if (!status) return std::unexpected(std::move(status).error());
      return Wait::nothing;
    }
    if (got.end) return fail("the WebSocket handshake failed", *got.end);
    if (got.taken == 0) return Wait::readable;
  }
}

Status WebSocket::on_head(ByteView behind) {
  if (!is_client()) return on_request(behind);
  early_ = to_bytes(behind);
  return check_upgrade_answer(head_.text(), key_);
}

Status WebSocket::on_request(ByteView behind) {
  auto key = read_upgrade_request(head_.text());
  if (key && !behind.empty()) key = std::unexpected(Refusal{400, "bytes came before the request was answered"});
  if (key) {
    append(own_, as_bytes(upgrade_answer(*key)));
    return {};
  }
  append(own_, as_bytes(refusal_answer(key.error())));
  return fail(Errc::malformed, "refused with " + std::to_string(key.error().status) + ": " + key.error().why);
}

ReadOutcome WebSocket::read(MutableBytes buffer) {
  ReadOutcome outcome;
  if (!early_.empty()) {
    // It fits: it was read into the same buffer before.
    outcome.taken = early_.size();
    std::ranges::copy(early_, buffer.begin());
    outcome.bytes = buffer.first(early_.size());
    early_ = {};
  } else {
    outcome = below_->read(buffer);
  }
  if (outcome.taken > 0) decode(outcome, buffer.first(outcome.bytes.size()));
  return outcome;
}

void WebSocket::decode(ReadOutcome& outcome, MutableBytes bytes) {
  moved_ = true;
  outcome.bytes = bytes.first(reader_.take(bytes));
  if (auto ping = reader_.take_ping()) pong_ = std::move(*ping);
  if (const auto& closed = reader_.closed()) {
    close_ = closed->code == CloseCode::none ? Bytes{} : close_payload(closed->code, "");
    outcome.end = closed_error(*closed);
  } else if (const auto& broken = reader_.broken()) {
    close_ = close_payload(broken->code, broken->text);
    outcome.end = Error{Errc::malformed, "the other side broke the WebSocket protocol: " + broken->text};
  }
}

bool WebSocket::has_output() const {
  return own_left() > 0 || (frame_sent_ == frame_size_ && (pong_ || ping_ || close_)) || below_->has_output();
}

bool WebSocket::keep_alive() {
  if (!std::exchange(moved_, false)) ping_ = true;
  return true;
}

bool WebSocket::finish() {
  const bool below = below_->finish();
  // Who has asked in vain is told why; who gives up asking says nothing.
  if (stage_ != Stage::open) return !is_client() && (own_left() > 0 || below);
  stage_ = Stage::over;
  if (!close_) close_ = close_payload(CloseCode::normal, "");
  ping_ = false;
  // In the middle of a frame nothing else can be said.
  return frame_sent_ == frame_size_;
}

std::optional<MaskKey> WebSocket::next_key() {
  if (!is_client()) return std::nullopt;
  return shared_.rng.bytes<4>();
}

void WebSocket::queue_control() {
  if (pong_) append_control(own_, Opcode::pong, *std::exchange(pong_, std::nullopt), next_key());
  if (std::exchange(ping_, false)) append_control(own_, Opcode::ping, {}, next_key());
  if (close_) append_control(own_, Opcode::close, *std::exchange(close_, std::nullopt), next_key());
}

/// Control frames stand between frames, never inside one.
void WebSocket::begin_frame(ByteView bytes) {
  own_.clear();
  own_sent_ = 0;
  queue_control();
  frame_sent_ = 0;
  frame_size_ = std::min(bytes.size(), kMaxPayload);
  if (frame_size_ == 0) return;
  mask_ = next_key();
  append_frame_header(own_, Opcode::binary, frame_size_, mask_);
}

/// Puts what is to be written next into the scratch memory; returns how much that is.
std::size_t WebSocket::compose(ByteView bytes) {
  const MutableBytes scratch(*shared_.scratch);
  const std::size_t own = std::min(own_left(), scratch.size());
  std::copy_n(own_.begin() + static_cast<std::ptrdiff_t>(own_sent_), own, scratch.begin());
  const auto left = static_cast<std::size_t>(frame_size_ - frame_sent_);
  const std::size_t size = std::min({left, bytes.size(), scratch.size() - own});
  const MutableBytes payload = scratch.subspan(own, size);
  std::ranges::copy(bytes.first(size), payload.begin());
  if (mask_) apply_mask(payload, *mask_, frame_sent_);
  return own + size;
}

WriteOutcome WebSocket::write(ByteView bytes) {
  if (own_left() == 0 && frame_sent_ == frame_size_) begin_frame(bytes);
  const std::size_t size = compose(bytes);
  WriteOutcome outcome = below_->write(ByteView(*shared_.scratch).first(size));
  const std::size_t own = std::min(own_left(), outcome.bytes);
  own_sent_ += own;
  outcome.bytes -= own;
  frame_sent_ += outcome.bytes;
  if (own + outcome.bytes > 0) moved_ = true;
  return outcome;
}

}  // namespace ekiden::runtime
