// One subscriber: a WebSocket on which the node writes and the client listens.
//
// Each event is one text message. The queue is bounded in events and bytes; when it overflows, what waits in it is
// dropped and the connection is closed with 1013 and the reason, for a subscriber that believes it has heard everything
// while it has not is worse off than one that knows: it reconnects and reads the inbox. Pings go out after half of
// `websocket_idle` and silence for all of it ends the connection. No extension is negotiated. What the client sends is
// read, bounded, and dropped.
//
// Source: RFC 6455.
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "api/connection.hpp"
#include "api/version.hpp"

namespace ekiden::api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

/// Bytes: a control frame holds no more beside the code.
constexpr std::size_t kMaxReason = 123;

class EventConnection final : public Connection,
                              public EventSubscriber,
                              public std::enable_shared_from_this<EventConnection> {
 public:
  EventConnection(ContextPtr context, ConnectionId id, Socket socket)
      : context_(std::move(context)),
        id_(id),
        socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        input_(context_->config.max_websocket_message) {}

  void start(const RequestHead& head, Wanted wanted) {
    const auto idle = context_->config.websocket_idle;
    socket_.set_option(
        websocket::stream_base::timeout{context_->config.head_deadline, idle, /*keep_alive_pings=*/true});
    socket_.read_message_max(context_->config.max_websocket_message);
    socket_.set_option(websocket::stream_base::decorator(
        [](websocket::response_type& response) { response.set(beast::http::field::server, "ekiden"); }));
    // Subscribed before the client knows: nothing that happens after the handshake is missed.
    subscription_ = wanted.subscription;
    context_->hub->add(weak_from_this(), std::move(wanted));
    beast::http::request<beast::http::empty_body> request;
    request.method_string(head.method);
    request.target(head.target);
    request.version(11);
    for (const auto& field : head.fields) request.insert(field.name, field.value);
    socket_.async_accept(request, [self = shared_from_this()](error_code failure) { self->on_accepted(failure); });
  }

  void on_event(const EventText& line) override {
    if (state_ == State::closing || state_ == State::closed) return;
    const auto& config = context_->config;
    if (queue_.size() >= config.max_queued_events || queued_bytes_ + line->size() > config.max_queued_event_bytes) {
      return close_with(websocket::close_code::try_again_later, "events came faster than you read them: reconnect");
    }
    queue_.push_back(line);
    queued_bytes_ += line->size();
    if (state_ == State::open && !writing_) write();
  }

  void on_subscription_over(std::string_view reason) override {
    if (state_ == State::closing || state_ == State::closed) return;
    // Events of the node, if it also wants these, would hide that the topic is over.
    close_with(websocket::close_code::normal, reason);
  }

  void stop() override {
    subscription_.reset();
    if (state_ != State::open) return end();
    close_with(websocket::close_code::going_away, "the node stops");
  }

 private:
  enum class State { accepting, open, closing, closed };

  void on_accepted(error_code failure) {
    writing_ = false;
    if (failure || state_ == State::closed) return end();
    if (state_ == State::closing) return send_close();
    state_ = State::open;
    read();
    if (!queue_.empty()) write();
  }

  void read() {
    socket_.async_read(input_, [self = shared_from_this()](error_code failure, std::size_t) {
      if (failure) return self->end();
      self->input_.clear();
      self->read();
    });
  }

  void write() {
    writing_ = true;
    const auto line = queue_.front();
    queue_.pop_front();
    queued_bytes_ -= line->size();
    socket_.text(true);
    socket_.async_write(asio::buffer(*line), [self = shared_from_this(), line](error_code failure, std::size_t) {
      self->on_written(failure);
    });
  }

  void on_written(error_code failure) {
    writing_ = false;
    if (failure) return end();
    if (state_ == State::closing) return send_close();
    if (state_ == State::open && !queue_.empty()) write();
  }

  void close_with(websocket::close_code code, std::string_view reason) {
    state_ = State::closing;
    queue_.clear();
    queued_bytes_ = 0;
    reason_ = websocket::close_reason(code, std::string(reason.substr(0, kMaxReason)));
    timer_.expires_after(context_->config.slow_close);
    timer_.async_wait([self = shared_from_this()](error_code failure) {
      if (!failure) self->end();
    });
    if (!writing_) send_close();
  }

  void send_close() {
    if (std::exchange(close_sent_, true)) return;
    socket_.async_close(reason_, [self = shared_from_this()](error_code) { self->end(); });
  }

  void end() {
    if (std::exchange(state_, State::closed) == State::closed) return;
    subscription_.reset();
    error_code ignored;
    timer_.cancel();
    beast::get_lowest_layer(socket_).close(ignored);
    if (const auto table = context_->table.lock()) table->remove(id_);
  }

  ContextPtr context_;
  ConnectionId id_;
  websocket::stream<Socket, /*deflateSupported=*/false> socket_;
  asio::steady_timer timer_;
  beast::flat_buffer input_;
  std::deque<EventText> queue_;
  std::size_t queued_bytes_ = 0;
  State state_ = State::accepting;
  bool writing_ = true;  ///< The handshake, and then one message at a time: no close frame may come in between.
  bool close_sent_ = false;
  std::shared_ptr<Subscription> subscription_;  ///< until the end of the connection
  websocket::close_reason reason_;
};

}  // namespace

std::shared_ptr<Connection> make_event_connection(ContextPtr context, ConnectionId id, Socket socket,
                                                  const RequestHead& head, Wanted wanted) {
  auto connection = std::make_shared<EventConnection>(std::move(context), id, std::move(socket));
  connection->start(head, std::move(wanted));
  return connection;
}

}  // namespace ekiden::api
