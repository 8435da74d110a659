// What a link sends: frames become records when they are pulled.
#include <utility>

#include "base/check.hpp"
#include "link/link.hpp"
#include "wire/message_type.hpp"

namespace ekiden::link {
namespace {

/// Records of control frames alone fit.
constexpr std::size_t kControlRoom = 64;

}  // namespace

Status Link::send(Now now, wire::Priority priority, ByteView message) {
  CHECK(is_open());
  EKIDEN_TRY(queue_.push(priority, message, config_->max_queued_bytes));
  if (message.empty() || wire::is_use(message.front())) last_message_ = now.mono;
  return {};
}

bool Link::has_to_say() const {
  if (!writer_ || stage_ == Stage::over || said_close_) return false;
  return ping_to_send_ || pong_to_send_ || close_to_send_ || !queue_.empty();
}

bool Link::has_output() const { return unsent() > 0 || has_to_say(); }

bool Link::close_is_written() const { return said_close_ && unsent() == 0; }

ByteView Link::to_send(Now now) {
  if (unsent() == 0 && has_to_say()) seal_next(now);
  return ByteView(output_).subspan(output_sent_);
}

void Link::seal_next(Now now) {
  Bytes buffer = queue_.pop();
  if (buffer.empty()) {
    buffer.reserve(kControlRoom);
    buffer.resize(kRecordHeader);
  }
  const bool rekeys = append_control(now, buffer);
  if (auto status = writer_->seal(buffer); !status) return end(std::move(status).error());
  key_bytes_ += buffer.size();
  if (rekeys) {
    writer_->rekey();
    ++rekeys_;
    key_since_ = now.mono;
    key_bytes_ = 0;
  }
  output_ = std::move(buffer);
  output_sent_ = 0;
  output_moved_ = now.mono;
}

/// Puts what is not a message behind the messages. True if the key changes after this record.
bool Link::append_control(Now now, Bytes& buffer) {
  if (pong_to_send_) append_probe(buffer, FrameKind::pong, *std::exchange(pong_to_send_, std::nullopt));
  if (ping_to_send_) {
    append_probe(buffer, FrameKind::ping, *std::exchange(ping_to_send_, std::nullopt));
    ping_sent_ = now.mono;
  }
  if (close_to_send_ && queue_.empty()) {
    append_close(buffer, *std::exchange(close_to_send_, std::nullopt));
    said_close_ = true;
    return false;
  }
  const bool rekeys = now.mono >= key_since_ + config_->rekey_age || key_bytes_ >= config_->rekey_bytes;
  if (rekeys) append_frame(buffer, FrameKind::rekey, {});
  return rekeys;
}

void Link::mark_sent(Now now, std::size_t bytes) {
  CHECK(bytes <= unsent());
  output_sent_ += bytes;
  bytes_out_ += bytes;
  output_moved_ = now.mono;
  if (unsent() > 0) return;
  output_ = {};
  output_sent_ = 0;
  if (stage_ == Stage::closing && said_close_ && (peer_closed_ || !drains_)) stage_ = Stage::over;
}

}  // namespace ekiden::link
