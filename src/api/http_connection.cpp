// One HTTP connection: read a request, check it, have it served, write the answer, again.
//
//        bytes                head complete            body complete         answered
//   idle ------> reading head -------------> reading body ------------> serving -------> writing --+
//    ^                |  refused: answer and close   |                                             |
//    +----------------+------------------------------+---------------------------------------------+
//
// Each phase has its deadline, armed once when the phase begins: a client that sends a byte now and then gains nothing.
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <utility>

#include "api/connection.hpp"
#include "api/http_grammar.hpp"
#include "api/service.hpp"

namespace ekiden::api {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

class HttpConnection final : public Connection, public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(ContextPtr context, ConnectionId id, Socket socket)
      : context_(std::move(context)),
        id_(id),
        socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        reader_(context_->config.limits) {}

  void start() {
    enter(Phase::head);
    read();
  }

  void stop() override {
    error_code ignored;
    timer_.cancel();
    socket_.close(ignored);
    enter(Phase::closed);
  }

 private:
  enum class Phase { idle, head, body, serving, writing, lingering, upgraded, closed };

  Duration deadline_of(Phase phase) const {
    const auto& config = context_->config;
    switch (phase) {
      case Phase::idle:
        return config.idle_deadline;
      case Phase::head:
        return config.head_deadline;
      case Phase::body:
        return config.body_deadline;
      case Phase::serving:
        // A question ends by its own deadline.
        return config.answer_deadline + (route_.endpoint == Endpoint::ask ? router::kMaxAskTimeout : Duration{});
      case Phase::writing:
        return config.write_deadline;
      case Phase::lingering:
      case Phase::upgraded:
      case Phase::closed:
        break;
    }
    return config.linger;
  }

  void enter(Phase phase) {
    if (phase_ == phase || phase_ == Phase::closed) return;
    phase_ = phase;
    if (phase == Phase::closed || phase == Phase::upgraded) return;
    timer_.expires_after(deadline_of(phase));
    timer_.async_wait([self = shared_from_this(), phase](error_code failure) {
      if (!failure && self->phase_ == phase) self->on_deadline();
    });
  }

  void on_deadline() {
    switch (phase_) {
      case Phase::head:
      case Phase::body:
        if (reader_.idle()) return close();
        if (refusal_) return answer(std::move(*refusal_), /*keep=*/false);
        return answer(problem(408, Error{Errc::timed_out, "the request did not come in time"}), /*keep=*/false);
      case Phase::serving:
        return answer(
            problem(Error{Errc::timed_out, "the node did not answer in time; it may still do what was asked"}),
            /*keep=*/false);
      default:
        return close();
    }
  }

  void close() {
    if (phase_ == Phase::closed) return;
    stop();
    if (const auto table = context_->table.lock()) table->remove(id_);
  }

  void read() {
    if (std::exchange(reading_, true)) return;
    socket_.async_read_some(asio::buffer(input_), [self = shared_from_this()](error_code failure, std::size_t count) {
      self->on_read(failure, count);
    });
  }

  void on_read(error_code failure, std::size_t count) {
    reading_ = false;
    if (phase_ == Phase::closed || phase_ == Phase::upgraded) return;
    if (failure) return close();
    if (phase_ == Phase::lingering) return read();
    // The deadline may have answered while this read was under way: what came then is nobody's.
    if (phase_ == Phase::writing || phase_ == Phase::serving) return;
    pending_ = ByteView(input_).first(count);
    if (phase_ == Phase::idle) enter(Phase::head);
    advance();
  }

  void advance() {
    while (true) {
      switch (reader_.state()) {
        case RequestReader::State::head:
        case RequestReader::State::body:
          if (pending_.empty()) return read();
          if (phase_ == Phase::idle) enter(Phase::head);
          pending_ = pending_.subspan(reader_.feed(pending_));
          break;
        case RequestReader::State::ready:
          if (!on_head()) return;
          break;
        case RequestReader::State::done:
          return serve_request();
        case RequestReader::State::failed:
          return answer(problem(reader_.refusal().status, reader_.refusal().error), /*keep=*/false);
      }
    }
  }

  /// Everything that can be decided before the body is taken. False if the request was answered here.
  bool on_head() {
    const auto& head = reader_.head();
    const bool is_open = context_->config.audience == Audience::monitors;
    // RFC 9112 section 3.2.
    if (head.find("host") == nullptr) return refuse(problem(Error{Errc::malformed, "the request has no Host field"}));
    if (is_open && head.has_body()) return refuse(problem(Error{Errc::malformed, "nothing here takes a body"}));
    if (auto refused = is_open ? std::nullopt : context_->access.refuse(head)) return refuse(std::move(*refused));
    auto target = parse_target(head.target);
    if (!target) return refuse(problem(target.error()));
    target_ = std::move(*target);
    auto route = find_route(head.method, target_, context_->config.audience);
    if (auto* refused = std::get_if<Response>(&route)) return refuse(std::move(*refused));
    route_ = std::get<Route>(std::move(route));
    if (!route_.has_body && head.has_body()) {
      return refuse(problem(Error{Errc::invalid_argument, "this request must not have a body"}));
    }
    if (route_.has_body && !is_json(head)) {
      return refuse(problem(415, Error{Errc::unsupported, "send the body with 'Content-Type: application/json'"}));
    }
    return take_body();
  }

  /// False if nothing is to be read yet.
  bool take_body() {
    reader_.read_body();
    if (reader_.state() != RequestReader::State::body) return true;
    enter(Phase::body);
    if (!reader_.head().expects_continue) return true;
    asio::async_write(socket_, asio::buffer(kContinue), [self = shared_from_this()](error_code failure, std::size_t) {
      if (failure) return self->close();
      if (self->phase_ == Phase::body) self->advance();
    });
    return false;
  }

  /// A refused request whose body is still to come ends the connection: where the next one begins is not worth finding
  /// out. Whether chunks end where they say is seen only by reading them, and 400 if they do not: then the refusal
  /// waits for the end of the body, which is dropped.
  bool refuse(Response response) {
    if (!reader_.head().chunked || reader_.head().expects_continue) {
      answer(std::move(response), /*keep=*/!reader_.head().has_body());
      return false;
    }
    refusal_ = std::move(response);
    return take_body();
  }

  static bool is_json(const RequestHead& head) {
    const auto* type = head.find("content-type");
    if (type == nullptr) return false;
    std::string_view rest = *type;
    return grammar::lower_case(grammar::trimmed(grammar::take_until(rest, ';'))) == "application/json";
  }

  void serve_request() {
    if (refusal_) return answer(std::move(*refusal_), /*keep=*/false);
    enter(Phase::serving);
    if (route_.endpoint == Endpoint::events) return upgrade();
    // The answer belongs to this request only: one that comes after its deadline finds another number.
    serve(context_->backend, route_, target_, reader_.body(),
          [weak = weak_from_this(), request = ++requests_](Response response) {
            const auto self = weak.lock();
            if (self && self->phase_ == Phase::serving && self->requests_ == request) {
              self->answer(std::move(response), /*keep=*/true);
            }
          });
  }

  void upgrade() {
    const auto& head = reader_.head();
    const auto* upgrade = head.find("upgrade");
    if (upgrade == nullptr || grammar::lower_case(*upgrade) != "websocket" || !pending_.empty()) {
      auto response = problem(426, Error{Errc::invalid_argument, "events come over a WebSocket: ask for the upgrade"});
      response.fields.emplace_back("Upgrade", "websocket");
      return answer(std::move(response), /*keep=*/false);
    }
    const auto* wanted = target_.parameter("kinds");
    const auto* topic = target_.parameter("topic");
    auto kinds = parse_event_kinds(wanted == nullptr ? "" : *wanted);
    if (!kinds) return answer(problem(kinds.error()), /*keep=*/true);
    if (topic == nullptr) return become_events({.kinds = *kinds});
    const auto realm = realm_of(target_);
    if (!realm) return answer(problem(realm.error()), /*keep=*/true);
    subscribe(*topic, *realm, wanted == nullptr ? EventKinds::none : *kinds);
  }

  /// The upgrade follows once the node has joined the topic.
  void subscribe(const std::string& topic, const std::string& realm, EventKinds kinds) {
    context_->backend.subscribe_topic(
        topic, realm,
        [weak = weak_from_this(), context = context_, topic, realm, kinds, request = ++requests_](const Status& done) {
          std::shared_ptr<Subscription> subscription;
          if (done) subscription = std::make_shared<Subscription>(context->backend, topic, realm);
          const auto self = weak.lock();
          if (!self || self->phase_ != Phase::serving || self->requests_ != request) return;
          if (!done) return self->answer(problem(done.error()), /*keep=*/true);
          self->become_events({.kinds = kinds, .subscription = std::move(subscription)});
        });
  }

  void become_events(Wanted wanted) {
    enter(Phase::upgraded);
    timer_.cancel();
    auto events = make_event_connection(context_, id_, std::move(socket_), reader_.head(), std::move(wanted));
    if (const auto table = context_->table.lock()) table->replace(id_, std::move(events));
  }

  void answer(Response response, bool keep) {
    keep = keep && reader_.state() != RequestReader::State::failed && reader_.head().keep_alive;
    enter(Phase::writing);
    output_ = serialize(response, keep);
    asio::async_write(
        socket_, asio::buffer(output_),
        [self = shared_from_this(), keep](error_code failure, std::size_t) { self->on_written(failure, keep); });
  }

  void on_written(error_code failure, bool keep) {
    output_ = {};
    if (phase_ != Phase::writing) return;
    if (failure) return close();
    if (!keep) return linger();
    if (reader_.state() == RequestReader::State::ready) reader_.read_body();
    reader_.next();
    enter(Phase::idle);
    advance();
  }

  // Closing a socket with unread input resets the connection, and the client would lose the answer that says why.
  void linger() {
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    enter(Phase::lingering);
    read();
  }

  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

  ContextPtr context_;
  ConnectionId id_;
  Socket socket_;
  asio::steady_timer timer_;
  RequestReader reader_;
  Phase phase_ = Phase::idle;
  std::array<Byte, 4096> input_;
  bool reading_ = false;
  ByteView pending_;  ///< Of input_, not read yet.
  Target target_;
  Route route_{};
  std::optional<Response> refusal_;  ///< The answer, once the body has ended.
  std::uint64_t requests_ = 0;
  std::string output_;
};

}  // namespace

std::shared_ptr<Connection> make_http_connection(ContextPtr context, ConnectionId id, Socket socket) {
  auto connection = std::make_shared<HttpConnection>(std::move(context), id, std::move(socket));
  connection->start();
  return connection;
}

}  // namespace ekiden::api
