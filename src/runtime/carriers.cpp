#include "runtime/carriers.hpp"

#include <string>
#include <utility>

#include "base/check.hpp"
#include "runtime/tcp_stream.hpp"
#include "runtime/tls_stream.hpp"
#include "runtime/tunnel.hpp"

namespace ekiden::runtime {
namespace {

using Transport = identity::Endpoint::Transport;

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

/// host:port
std::string authority(const identity::Endpoint& endpoint) {
  const std::string text = endpoint.text();
  return text.substr(text.find("://") + 3);
}

/// The Host field of a request: without the port that its transport has anyway (RFC 9110 section 7.2).
std::string host_field(const identity::Endpoint& endpoint) {
  std::string text = authority(endpoint);
  const auto usual = endpoint.transport == Transport::wss ? kHttpsPort : kHttpPort;
  if (endpoint.port == usual) text.resize(text.rfind(':'));
  return text;
}

}  // namespace

Status Carriers::use(WebOptions options) {
  client_.reset();
  if (!options.trust.authorities.empty()) {
    EKIDEN_ASSIGN(client_, make_client_context(options.trust));
  }
  options_ = std::move(options);
  return {};
}

Status Carriers::load_certificate(WallTime now) {
  if (options_.server.certificate.empty() || options_.server.key.empty()) {
    return fail(Errc::not_found, std::string("name a certificate and its key in tls_certificate and tls_key under "
                                             "[network] in ekiden.toml"));
  }
  EKIDEN_ASSIGN(server_, make_server_context(options_.server, now));
  return {};
}

Result<std::unique_ptr<Stream>> Carriers::accepted(Transport transport, int descriptor) {
  std::unique_ptr<Stream> stream = std::make_unique<TcpStream>(descriptor);
  if (transport == Transport::tcp) return stream;
  if (transport == Transport::wss) {
    CHECK(server_ != nullptr);
    EKIDEN_ASSIGN(stream, TlsStream::server(std::move(stream), *server_));
  }
  return WebSocket::server(std::move(stream), shared_);
}

Result<std::unique_ptr<Stream>> Carriers::dialled(const identity::Endpoint& endpoint, const std::optional<Proxy>& proxy,
                                                  int descriptor) {
  std::unique_ptr<Stream> stream = std::make_unique<TcpStream>(descriptor);
  if (endpoint.transport == Transport::tcp) return stream;
  if (proxy) stream = std::make_unique<Tunnel>(std::move(stream), *proxy, authority(endpoint));
  if (endpoint.transport == Transport::wss) {
    if (!client_) {
      EKIDEN_ASSIGN(client_, make_client_context(options_.trust));
    }
    EKIDEN_ASSIGN(stream, TlsStream::client(std::move(stream), *client_, endpoint.host));
  }
  return WebSocket::client(std::move(stream), shared_, host_field(endpoint));
}

}  // namespace ekiden::runtime
