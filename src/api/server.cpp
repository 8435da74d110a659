#include "api/server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <map>
#include <utility>

#include "api/connection.hpp"
#include "base/encoding.hpp"
#include "identity/address.hpp"
#include "runtime/entropy.hpp"
#include "runtime/files.hpp"

namespace ekiden::api {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::string_view name_of(Audience audience) {
  return audience == Audience::owner ? "the local API" : "metrics and health";
}

/// "127.0.0.1:0" or "[::1]:7421". Names are not resolved: what "localhost" means is for others to change.
Result<tcp::endpoint> parse_listen(const std::string& text, Audience audience) {
  const auto wrong = fail(Errc::invalid_argument, "'" + text + "' is no address for " + std::string(name_of(audience)) +
                                                      "; for example 127.0.0.1:0");
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return wrong;
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data() + colon + 1, end, port);
  const auto address = identity::IpAddress::parse(host);
  if (failure != std::errc() || stopped != end || !address) return wrong;
  if (audience == Audience::owner && identity::classify(*address) != identity::AddressClass::loopback) {
    return fail(Errc::refused, "the local API listens on loopback only (127.0.0.1 or [::1]), not on " + text);
  }
  error_code bad;
  const auto parsed = asio::ip::make_address(host, bad);
  if (bad) return wrong;
  return tcp::endpoint(parsed, port);
}

std::string host_text(const tcp::endpoint& endpoint) {
  const auto host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? "[" + host + "]" : host;
}

std::string address_text(const tcp::endpoint& endpoint) {
  return host_text(endpoint) + ":" + std::to_string(endpoint.port());
}

std::string_view setting_of(Audience audience) {
  return audience == Audience::owner ? "--api, or `listen` under [api] in ekiden.toml"
                                     : "--metrics, or `metrics` under [api] in ekiden.toml";
}

Status bind(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, Audience audience) {
  error_code failure;
  acceptor.open(endpoint.protocol(), failure);
  if (!failure) acceptor.set_option(tcp::acceptor::reuse_address(true), failure);
  if (!failure) acceptor.bind(endpoint, failure);
  if (!failure) acceptor.listen(tcp::acceptor::max_listen_connections, failure);
  if (!failure) return {};
  const std::string where = "cannot listen for " + std::string(name_of(audience)) + " on " + address_text(endpoint);
  if (failure != asio::error::address_in_use) return fail(Errc::internal, where + ": " + failure.message());
  return fail(Errc::busy, where + ": the port is in use; end the program that holds it, or choose another by " +
                              std::string(setting_of(audience)));
}

}  // namespace

struct Server::Impl final : ConnectionTable, std::enable_shared_from_this<Server::Impl> {
  Impl(asio::io_context& loop, std::filesystem::path dir) : acceptor(loop), retry(loop), data_dir(std::move(dir)) {}

  void accept() {
    acceptor.async_accept([weak = weak_from_this()](error_code failure, Socket socket) {
      if (const auto self = weak.lock()) self->on_accepted(failure, std::move(socket));
    });
  }

  void on_accepted(error_code failure, Socket socket) {
    if (!acceptor.is_open()) return;
    if (failure) return accept_later();
    if (connections.size() >= context->config.max_connections) {
      turn_away(std::move(socket));
    } else {
      socket.set_option(tcp::no_delay(true), failure);
      const ConnectionId id{++last_id};
      connections.emplace(id, make_http_connection(context, id, std::move(socket)));
    }
    accept();
  }

  // Out of descriptors, most likely: trying again at once would spin.
  void accept_later() {
    retry.expires_after(milliseconds(100));
    retry.async_wait([weak = weak_from_this()](error_code failure) {
      const auto self = weak.lock();
      if (self && !failure && self->acceptor.is_open()) self->accept();
    });
  }

  static void turn_away(Socket socket) {
    const auto text = serialize(problem(503, Error{Errc::limit_exceeded, "too many connections"}),
                                /*keep_alive=*/false);
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(text), ignored);
    socket.shutdown(Socket::shutdown_send, ignored);
  }

  void replace(ConnectionId id, std::shared_ptr<Connection> connection) override {
    if (const auto found = connections.find(id); found != connections.end()) found->second = std::move(connection);
  }

  void remove(ConnectionId id) override { connections.erase(id); }

  Status publish() {
    const auto endpoint = acceptor.local_endpoint();
    address = address_text(endpoint);
    if (context->config.audience == Audience::monitors) return {};
    const auto token = to_hex(runtime::entropy_seed());
    context->access = AccessPolicy(token, host_text(endpoint), endpoint.port());
    EKIDEN_TRY(runtime::replace_file(data_dir / "api.token", as_bytes(token + "\n")));
    return runtime::replace_file(data_dir / "api.address", as_bytes(address + "\n"));
  }

  void stop() {
    if (!acceptor.is_open()) return;
    error_code ignored;
    acceptor.close(ignored);
    retry.cancel();
    if (context->config.audience == Audience::owner) remove_files();
    // Stopping one may remove it from the table.
    const auto copies = connections;
    for (const auto& [id, connection] : copies) connection->stop();
  }

  void remove_files() {
    std::error_code missing;
    std::filesystem::remove(data_dir / "api.address", missing);
    std::filesystem::remove(data_dir / "api.token", missing);
  }

  tcp::acceptor acceptor;
  asio::steady_timer retry;
  std::filesystem::path data_dir;
  std::string address;
  std::shared_ptr<ConnectionContext> context;
  std::map<ConnectionId, std::shared_ptr<Connection>> connections;
  std::uint64_t last_id = 0;
};

Result<std::unique_ptr<Server>> Server::open(asio::io_context& loop, Backend& backend,
                                             const std::filesystem::path& data_dir, ServerConfig config) {
  EKIDEN_ASSIGN(const auto endpoint, parse_listen(config.listen, config.audience));
  const auto impl = std::make_shared<Impl>(loop, data_dir);
  EKIDEN_TRY(bind(impl->acceptor, endpoint, config.audience));
  auto hub = std::make_shared<EventHub>(backend);
  backend.subscribe(hub);
  impl->context = std::make_shared<ConnectionContext>(
      ConnectionContext{std::move(config), AccessPolicy("", "", 0), backend, std::move(hub), impl});
  EKIDEN_TRY(impl->publish());
  impl->accept();
  return std::unique_ptr<Server>(new Server(impl));
}

Server::Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() { stop(); }

void Server::stop() { impl_->stop(); }

const std::string& Server::address() const { return impl_->address; }

std::size_t Server::connections() const { return impl_->connections.size(); }

}  // namespace ekiden::api
