// What carries the bytes of a connection, by its transport: tcp is the socket itself, ws is WebSocket on it, wss is
// WebSocket on TLS; a dial through a proxy has a tunnel in between.
//
// The certificate of wss:// is read when listening begins and again when load_certificate() is called; a pair of files
// that cannot be used leaves the one that is in use. Connections keep what they were made from.
#pragma once

#include <memory>
#include <optional>

#include "identity/endpoint.hpp"
#include "runtime/proxy.hpp"
#include "runtime/stream.hpp"
#include "runtime/tls_context.hpp"
#include "runtime/websocket.hpp"

namespace ekiden::runtime {

/// What WebSocket links need to know beside their endpoints.
struct WebOptions {
  TlsFiles server = {};  ///< empty: no listening on wss://
  TlsTrust trust = {};
  Proxies proxies = {};
  Duration open_timeout = seconds(9);  ///< for a dial, with all handshakes
  /// Of silence until a ping, at most twice that: proxies cut tunnels that are silent for a minute, many for 30 s.
  Duration keep_alive = seconds(10);
  Duration leave_timeout = seconds(2);  ///< for last words and the other side's end
};

class Carriers {
 public:
  /// Errors: those of the file of authorities.
  Status use(WebOptions options);
  const WebOptions& options() const { return options_; }

  /// Errors: those of make_server_context(), and not_found if there are no files in the options.
  Status load_certificate(WallTime now);
  bool has_certificate() const { return server_ != nullptr; }
  /// Of the certificate that new connections get.
  std::optional<WallTime> certificate_end() const {
    return server_ == nullptr ? std::nullopt : runtime::certificate_end(*server_);
  }

  /// The bytes of an accepted socket. REQUIRES for wss: load_certificate() has succeeded once.
  Result<std::unique_ptr<Stream>> accepted(identity::Endpoint::Transport transport, int descriptor);
  /// The bytes of a socket that is connected to the endpoint, or to the proxy.
  Result<std::unique_ptr<Stream>> dialled(const identity::Endpoint& endpoint, const std::optional<Proxy>& proxy,
                                          int descriptor);

 private:
  WebOptions options_;
  WebSocket::Shared shared_;
  TlsContext server_;
  TlsContext client_;  ///< made at the first dial: reading the authorities of a system takes a while
};

}  // namespace ekiden::runtime
