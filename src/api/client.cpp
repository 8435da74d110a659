#include "api/client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <charconv>
#include <chrono>
#include <utility>

#include "api/http_grammar.hpp"
#include "api/http_target.hpp"
#include "runtime/files.hpp"

namespace ekiden::api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using WebSocket = websocket::stream<tcp::socket, /*deflateSupported=*/false>;

/// An answer larger than this is not from a node: pages are bounded (api/service.hpp), text grows at most sixfold as
/// JSON.
constexpr std::size_t kMaxAnswer = 32 << 20;

struct Address {
  tcp::endpoint endpoint;
  std::string host;  ///< With the port, for the Host field.
  std::string token;
};

std::unexpected<Error> not_running(const std::filesystem::path& data_dir) {
  return fail(Errc::closed, "no node is running on " + data_dir.string() + ": start one with `ekiden up`");
}

Result<std::string> read_line(const std::filesystem::path& data_dir, const char* name) {
  auto file = runtime::read_file(data_dir / name, 256);
  if (!file && file.error().code == Errc::not_found) return not_running(data_dir);
  if (!file) return std::unexpected<Error>(std::move(file).error());
  std::string_view rest = file->text;
  return std::string(grammar::trimmed_line(grammar::take_until(rest, '\n')));
}

Result<Address> find_node(const std::filesystem::path& data_dir) {
  EKIDEN_ASSIGN(const auto text, read_line(data_dir, "api.address"));
  EKIDEN_ASSIGN(auto token, read_line(data_dir, "api.token"));
  const auto wrong = fail(Errc::malformed, (data_dir / "api.address").string() + " does not hold a loopback address");
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return wrong;
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data() + colon + 1, end, port);
  error_code bad;
  const auto address = asio::ip::make_address(host, bad);
  if (bad || failure != std::errc() || stopped != end || !address.is_loopback()) return wrong;
  return Address{tcp::endpoint(address, port), text, std::move(token)};
}

/// Runs the loop until `done` is set or the time is over. Asio's blocking calls know no timeout; this does.
bool run_until(asio::io_context& loop, const std::optional<error_code>& done, Duration timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  loop.restart();
  while (!done) {
    if (loop.run_one_until(end) == 0) return done.has_value();
  }
  return true;
}

Error to_error(error_code failure, std::string_view what) {
  auto message = std::string(what) + ": the node has stopped";
  // How a connection ended is worth telling only when it did not end well.
  if (failure != websocket::error::closed && failure != asio::error::eof && failure != http::error::end_of_stream) {
    message += " (" + failure.message() + ")";
  }
  return Error{Errc::closed, std::move(message)};
}

/// The error that a problem document tells; another one if it is no such document.
Error read_problem(int status, std::string_view body) {
  if (const auto json = parse_json(body); json && json->is_object()) {
    const auto text = [&](const char* key) {
      const auto found = json->find(key);
      return found != json->end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    if (const auto detail = text("detail"); !detail.empty()) return Error{errc_from_name(text("code")), detail};
  }
  return Error{Errc::internal, "the node answered with status " + std::to_string(status)};
}

}  // namespace

struct Client::Impl {
  Impl(std::filesystem::path dir, Duration limit) : data_dir(std::move(dir)), timeout(limit), socket(loop) {}

  Status connect(tcp::socket& to) {
    std::optional<error_code> done;
    to.async_connect(address.endpoint, [&done](error_code failure) { done = failure; });
    const bool in_time = run_until(loop, done, timeout);
    if (!in_time) abandon(to, done);
    if (!in_time || *done) return not_running(data_dir);
    error_code ignored;
    to.set_option(tcp::no_delay(true), ignored);
    return {};
  }

  /// Closes, and lets the handlers of what was under way run: they point into frames that are about to end.
  void abandon(tcp::socket& to, const std::optional<error_code>& done) {
    error_code ignored;
    to.close(ignored);
    loop.restart();
    while (!done && loop.run_one() > 0) {
    }
  }

  Status ensure_connected() {
    if (is_connected()) return {};
    close();
    return connect(socket);
  }

  /// A node closes connections on which nothing comes for a while. There is nothing to read between requests, so what
  /// can be read is the end.
  bool is_connected() {
    if (!socket.is_open()) return false;
    char byte = 0;
    error_code outcome;
    socket.non_blocking(true, outcome);
    if (!outcome) socket.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, outcome);
    return outcome == asio::error::would_block;
  }

  Result<Json> request(http::verb verb, std::string_view path, const std::string* body) {
    EKIDEN_TRY(ensure_connected());
    http::request<http::string_body> message(verb, {path.data(), path.size()}, 11);
    message.set(http::field::host, address.host);
    message.set(http::field::authorization, "Bearer " + address.token);
    message.set(http::field::user_agent, "ekiden");
    if (body != nullptr) {
      message.set(http::field::content_type, "application/json");
      message.body() = *body;
    }
    if (body != nullptr) message.prepare_payload();
    EKIDEN_ASSIGN(const auto response, exchange(message));
    if (!response.keep_alive()) close();
    const auto status = static_cast<int>(response.result_int());
    if (status >= 400) return std::unexpected<Error>(read_problem(status, response.body()));
    if (response.body().empty()) return Json();
    auto json = parse_json(response.body());
    if (!json) return fail("the answer of the node", std::move(json).error());
    return json;
  }

  Result<http::response<http::string_body>> exchange(const http::request<http::string_body>& message) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMaxAnswer);
    beast::flat_buffer buffer;
    std::optional<error_code> done;
    http::async_write(socket, message, [&](error_code failed, std::size_t) {
      if (failed) {
        done = failed;
        return;
      }
      http::async_read(socket, buffer, parser, [&done](error_code failure, std::size_t) { done = failure; });
    });
    if (!run_until(loop, done, timeout)) {
      abandon(socket, done);
      return fail(Errc::timed_out, "the node did not answer in time");
    }
    if (*done) {
      close();
      return std::unexpected<Error>(to_error(*done, "asking the node"));
    }
    return parser.release();
  }

  void close() {
    error_code ignored;
    socket.close(ignored);
  }

  /// The events that these parameters ask for.
  Result<EventStream> listen(const std::string& wanted);

  std::filesystem::path data_dir;
  Duration timeout;
  Address address;
  asio::io_context loop;
  tcp::socket socket;
};

struct EventStream::Impl {
  Impl() : socket(loop) {}

  ~Impl() {
    // The handler of a read under way points at us.
    error_code ignored;
    beast::get_lowest_layer(socket).close(ignored);
    loop.restart();
    while (reading && loop.run_one() > 0) {
    }
  }

  void read() {
    done.reset();
    reading = true;
    socket.async_read(buffer, [this](error_code failure, std::size_t) {
      reading = false;
      done = failure;
    });
  }

  Error ended(error_code failure) const {
    const auto& why = socket.reason();
    if (why.code == websocket::close_code::try_again_later) {
      return Error{Errc::limit_exceeded, "events came faster than they were read, and some were dropped"};
    }
    // The node goes on, and says why there is nothing more to hear.
    if (why.code == websocket::close_code::normal && !why.reason.empty()) {
      return Error{Errc::not_found, std::string(why.reason.data(), why.reason.size())};
    }
    return to_error(failure, "waiting for events");
  }

  asio::io_context loop;
  WebSocket socket;
  beast::flat_buffer buffer;
  std::optional<error_code> done;
  bool reading = false;
};

Result<Client> Client::open(const std::filesystem::path& data_dir, Duration timeout) {
  auto impl = std::make_unique<Impl>(data_dir, timeout);
  EKIDEN_ASSIGN(impl->address, find_node(data_dir));
  EKIDEN_TRY(impl->connect(impl->socket));
  return Client(std::move(impl));
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<Json> Client::get(std::string_view path) { return impl_->request(http::verb::get, path, nullptr); }

Result<Json> Client::post(std::string_view path, const Json& body) {
  const auto text = dump_json(body);
  return impl_->request(http::verb::post, path, &text);
}

Result<Json> Client::post(std::string_view path) { return impl_->request(http::verb::post, path, nullptr); }

Result<Json> Client::put(std::string_view path, const Json& body) {
  const auto text = dump_json(body);
  return impl_->request(http::verb::put, path, &text);
}

Result<Json> Client::put(std::string_view path) { return impl_->request(http::verb::put, path, nullptr); }

Result<Json> Client::remove(std::string_view path) { return impl_->request(http::verb::delete_, path, nullptr); }

Result<EventStream> Client::events(std::string_view kinds) { return impl_->listen("kinds=" + std::string(kinds)); }

Result<EventStream> Client::topic(std::string_view name, std::string_view realm) {
  const std::string within = realm.empty() ? "" : "&realm=" + escape_segment(realm);
  return impl_->listen("topic=" + escape_segment(name) + within);
}

Result<EventStream> Client::Impl::listen(const std::string& wanted) {
  auto stream = std::make_unique<EventStream::Impl>();
  auto& events = stream->socket;
  events.set_option(websocket::stream_base::timeout{timeout, std::chrono::minutes(5), true});
  events.read_message_max(kMaxAnswer);
  events.set_option(websocket::stream_base::decorator([this](websocket::request_type& request) {
    request.set(http::field::authorization, "Bearer " + address.token);
    request.set(http::field::user_agent, "ekiden");
  }));
  websocket::response_type response;
  const auto target = "/v1/events?" + wanted;
  auto& lowest = beast::get_lowest_layer(events);
  lowest.async_connect(address.endpoint, [&](error_code failed) {
    if (failed) {
      stream->done = failed;
      return;
    }
    events.async_handshake(response, address.host, target, [&](error_code failure) { stream->done = failure; });
  });
  if (!run_until(stream->loop, stream->done, timeout)) {
    error_code ignored;
    lowest.close(ignored);
    stream->loop.restart();
    while (!stream->done && stream->loop.run_one() > 0) {
    }
    return fail(Errc::timed_out, "the node did not answer in time");
  }
  if (*stream->done == websocket::error::upgrade_declined) {
    return std::unexpected<Error>(read_problem(static_cast<int>(response.result_int()), response.body()));
  }
  if (*stream->done) return not_running(data_dir);
  return EventStream(std::move(stream));
}

EventStream::EventStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventStream::~EventStream() = default;
EventStream::EventStream(EventStream&&) noexcept = default;
EventStream& EventStream::operator=(EventStream&&) noexcept = default;

Result<Json> EventStream::next(Duration timeout) {
  if (!impl_->reading) impl_->read();
  if (!run_until(impl_->loop, impl_->done, timeout)) return fail(Errc::timed_out, "no event in time");
  if (*impl_->done) return std::unexpected<Error>(impl_->ended(*impl_->done));
  const auto data = impl_->buffer.data();
  auto json = parse_json({static_cast<const char*>(data.data()), data.size()});
  impl_->buffer.consume(impl_->buffer.size());
  impl_->done.reset();
  if (!json) return fail("an event of the node", std::move(json).error());
  return json;
}

}  // namespace ekiden::api
