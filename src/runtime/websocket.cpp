#include "runtime/websocket.hpp"

#include <algorithm>
#include <boost/beast/websocket/stream.hpp>
#include <optional>
#include <utility>

#include "base/check.hpp"
#include "runtime/websocket_pipe.hpp"

namespace ekiden::runtime {
namespace {

namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using websocket::close_code;

constexpr std::size_t kScratchSize = 64 * 1024;

}  // namespace

struct WebSocket::Shared::Impl {
  boost::asio::io_context loop{1};  ///< nobody runs it: it is polled when a stream is called
  ByteArray<kScratchSize> raw;      ///< what came from the layer below, for the length of a call
  ByteArray<kScratchSize> payload;  ///< where all reads of Beast point; filled within a call alone
};

WebSocket::Shared::Shared() : impl_(std::make_unique_for_overwrite<Impl>()) {}
WebSocket::Shared::~Shared() = default;

/// Beast's stream, and what has come out of it.
class WebSocket::Beast {
 public:
  explicit Beast(Shared::Impl& shared) : shared_(shared), stream_(shared.loop) {
    stream_.binary(true);
    stream_.auto_fragment(false);
    stream_.read_message_max(kMaxMessage);
    stream_.set_option(websocket::stream_base::timeout{websocket::stream_base::none(), websocket::stream_base::none(),
                                                       /*keep_alive_pings=*/false});
    stream_.set_option(websocket::stream_base::decorator([](http::fields& fields) {
      fields.erase(http::field::user_agent);
      fields.erase(http::field::server);
    }));
  }

  WebSocketPipe& pipe() { return stream_.next_layer(); }
  MutableBytes raw() { return shared_.raw; }

  void ask(const std::string& host) {
    stream_.async_handshake(host, std::string(kWebSocketPath), [this](error_code failure) { answer_ = failure; });
    run();
  }
  /// `head` is a whole answer; what is `behind` it is read later.
  Status take_answer(ByteView head, ByteView behind) {
    pipe().lend(head);
    run();
    pipe().settle();
    if (!answer_ || *answer_) {
      return fail(Errc::malformed, "it agreed to an upgrade, but not to the WebSocket that was asked for");
    }
    pipe().lend(behind);
    pipe().settle();
    return {};
  }

  /// The request has been judged: what counts of it is told to Beast.
  Status accept(const std::string& key) {
    http::request<http::empty_body> request(http::verb::get, std::string(kWebSocketPath), 11);
    request.set(http::field::host, "node");
    request.set(http::field::upgrade, "websocket");
    request.set(http::field::connection, "upgrade");
    request.set(http::field::sec_websocket_key, key);
    request.set(http::field::sec_websocket_version, "13");
    error_code failure;
    stream_.accept(request, failure);
    if (failure) return fail(Errc::malformed, failure.message());
    return {};
  }

  /// Puts the payload of what came into `to`; returns how much that is.
  std::size_t take(ByteView bytes, MutableBytes to) {
    to_ = to;
    got_ = 0;
    if (!bytes.empty()) pipe().lend(bytes);
    if (!reading_) read();
    run();
    pipe().settle();
    return got_;
  }
  /// False: there may be more to take without anything new.
  bool is_reading() const { return reading_; }

  std::optional<error_code> write(ByteView message) {
    error_code failure;
    stream_.write(boost::asio::buffer(message.data(), message.size()), failure);
    return failure ? std::optional(failure) : std::nullopt;
  }
  void ping() {
    error_code ignored;
    if (!end_) stream_.ping({}, ignored);
  }
  void close(close_code code, const char* reason) {
    if (stream_.is_open()) stream_.async_close({code, reason}, [](error_code) {});
    run();
  }
  void break_off(close_code code, const char* what) {
    if (end_) return;
    close(code, what);
    end_ = Error{Errc::malformed, std::string("the other side broke the WebSocket protocol: ") + what};
  }
  /// Why it is over, if it is.
  const std::optional<Error>& end() const { return end_; }

 private:
  void read() {
    const std::size_t room = std::min(shared_.payload.size(), to_.size() - got_);
    if (room == 0 || end_) return;
    reading_ = true;
    stream_.async_read_some(boost::asio::buffer(shared_.payload.data(), room),
                            [this](error_code failure, std::size_t size) { on_read(failure, size); });
  }

  void on_read(error_code failure, std::size_t size) {
    reading_ = false;
    if (failure) {
      if (!end_) end_ = error_of(failure);
      return;
    }
    if (!stream_.got_binary()) return break_off(close_code::unknown_data, "text was sent, and nothing here is text");
    CHECK(size <= to_.size() - got_);
    std::copy_n(shared_.payload.begin(), size, to_.begin() + static_cast<std::ptrdiff_t>(got_));
    got_ += size;
    read();
  }

  /// How an end is told to the user.
  Error error_of(error_code failure) const {
    if (failure != websocket::error::closed) {
      return {Errc::malformed, "the other side broke the WebSocket protocol: " + failure.message()};
    }
    const websocket::close_reason& reason = stream_.reason();
    std::string text = "the other side closed the WebSocket";
    if (reason.code != close_code::none && reason.code != close_code::normal) {
      text += " with code " + std::to_string(reason.code);
    }
    if (!reason.reason.empty()) text += ": " + std::string(reason.reason.data(), reason.reason.size());
    return {Errc::closed, std::move(text)};
  }

  void run() {
    shared_.loop.restart();
    shared_.loop.poll();
  }

  Shared::Impl& shared_;
  websocket::stream<WebSocketPipe, false> stream_;
  std::optional<error_code> answer_;  ///< what the handshake of a client has come to
  MutableBytes to_;
  std::size_t got_ = 0;
  bool reading_ = false;
  std::optional<Error> end_;
};

WebSocket::WebSocket(std::unique_ptr<Stream> below, Shared& shared, std::string host)
    : below_(std::move(below)), host_(std::move(host)), beast_(std::make_unique<Beast>(*shared.impl_)) {}
WebSocket::~WebSocket() = default;

std::unique_ptr<WebSocket> WebSocket::client(std::unique_ptr<Stream> below, Shared& shared, std::string host) {
  return std::unique_ptr<WebSocket>(new WebSocket(std::move(below), shared, std::move(host)));
}

std::unique_ptr<WebSocket> WebSocket::server(std::unique_ptr<Stream> below, Shared& shared) {
  return std::unique_ptr<WebSocket>(new WebSocket(std::move(below), shared, {}));
}

std::string_view WebSocket::opening() const {
  return stage_ == Stage::below ? below_->opening() : "the WebSocket handshake";
}

Result<Wait> WebSocket::open(MutableBytes buffer) {
  if (stage_ == Stage::below) {
    EKIDEN_ASSIGN(const Wait wait, below_->open(buffer));
    if (wait != Wait::nothing) return wait;
    stage_ = Stage::upgrading;
    if (is_client()) beast_->ask(host_);
  }
  if (stage_ == Stage::upgrading) {
    EKIDEN_ASSIGN(Wait wait, flush());
    if (wait != Wait::nothing) return wait;
    EKIDEN_ASSIGN(wait, upgrade(buffer));
    if (wait != Wait::nothing) return wait;
    stage_ = Stage::answering;
  }
  EKIDEN_ASSIGN(const Wait wait, flush());
  if (wait == Wait::nothing) stage_ = Stage::open;
  return wait;
}

/// Writes what there is; says what to wait for if it cannot be written whole.
Result<Wait> WebSocket::flush() {
  while (!beast_->pipe().output().empty()) {
    auto outcome = write({});
    if (outcome.end) return std::unexpected(std::move(*outcome.end));
    if (outcome.blocked) return Wait::writable;
  }
  return Wait::nothing;
}

Result<Wait> WebSocket::upgrade(MutableBytes buffer) {
  while (true) {
    const ReadOutcome got = below_->read(buffer.first(std::min(buffer.size(), kMaxHead)));
    EKIDEN_ASSIGN(const bool done, take_head(got.bytes));
    if (done) return Wait::nothing;
    if (got.end) return fail("the WebSocket handshake failed", *got.end);
    if (got.taken == 0) return Wait::readable;
  }
}

Result<bool> WebSocket::take_head(ByteView bytes) {
  const auto used = head_.take(bytes);
  if (!used) {
    if (!is_client()) append(beast_->pipe().output(), as_bytes(refusal_answer({400, used.error().message})));
    return fail("the WebSocket handshake failed", used.error());
  }
  if (!head_.whole()) return false;
  const std::string head = head_.text();
  head_.clear();
  const ByteView behind = bytes.subspan(*used);
  if (is_client()) {
    EKIDEN_TRY(check_upgrade_answer(head));
    EKIDEN_TRY(beast_->take_answer(as_bytes(head), behind));
    return true;
  }
  auto key = read_upgrade_request(head);
  if (key && !behind.empty()) key = std::unexpected(Refusal{400, "bytes came before the request was answered"});
  if (!key) EKIDEN_TRY(refuse(key.error()));
  EKIDEN_TRY(beast_->accept(*key));
  return true;
}

Status WebSocket::refuse(const Refusal& refusal) {
  append(beast_->pipe().output(), as_bytes(refusal_answer(refusal)));
  return fail(Errc::malformed, "refused with " + std::to_string(refusal.status) + ": " + refusal.why);
}

ReadOutcome WebSocket::read(MutableBytes buffer) {
  ReadOutcome outcome;
  const bool had_rest = !beast_->is_reading();
  if (!beast_->pipe().has_input()) {
    const MutableBytes raw = beast_->raw();
    outcome = below_->read(raw.first(std::min(raw.size(), buffer.size())));
  }
  if (outcome.taken == 0 && !had_rest) {
    outcome.bytes = {};
    return outcome;
  }
  const std::size_t carried = beast_->take(outcome.bytes, buffer);
  moved_ = moved_ || outcome.taken > 0;
  overhead_ += outcome.bytes.size();
  overhead_ -= std::min(overhead_, 2 * carried);
  if (overhead_ > kMaxOverhead || beast_->pipe().output().size() - sent_ > kMaxPayload + kMaxOwnOutput) {
    beast_->break_off(close_code::policy_error, "more frames than they carry");
  }
  outcome.bytes = buffer.first(carried);
  if (beast_->end()) outcome.end = beast_->end();
  return outcome;
}

bool WebSocket::has_input() const {
  return (stage_ == Stage::open && !beast_->is_reading() && !beast_->end()) || below_->has_input();
}

bool WebSocket::has_output() const { return !beast_->pipe().output().empty() || below_->has_output(); }

WriteOutcome WebSocket::write(ByteView bytes) {
  Bytes& output = beast_->pipe().output();
  std::size_t taken = 0;
  if (output.empty() && !bytes.empty()) {
    taken = std::min(bytes.size(), kMaxPayload);
    if (const auto failure = beast_->write(bytes.first(taken))) {
      return {.end = beast_->end().value_or(Error{Errc::closed, failure->message()})};
    }
  }
  WriteOutcome outcome = below_->write(ByteView(output).subspan(sent_));
  sent_ += outcome.bytes;
  if (outcome.bytes > 0) moved_ = true;
  if (sent_ == output.size()) {
    output = {};
    sent_ = 0;
  } else if (sent_ >= kMaxPayload) {
    output.erase(output.begin(), output.begin() + static_cast<std::ptrdiff_t>(std::exchange(sent_, 0)));
  }
  outcome.bytes = taken;
  return outcome;
}

std::size_t WebSocket::kept() const { return beast_->pipe().output().size(); }

bool WebSocket::keep_alive() {
  if (!std::exchange(moved_, false)) beast_->ping();
  overhead_ -= std::min(overhead_, kForgiven);
  return true;
}

bool WebSocket::finish() {
  const bool below = below_->finish();
  // Who has asked in vain is told why; who gives up asking says nothing.
  if (stage_ != Stage::open) return !is_client() && (!beast_->pipe().output().empty() || below);
  stage_ = Stage::over;
  beast_->close(close_code::normal, "");
  return has_output();
}

}  // namespace ekiden::runtime
