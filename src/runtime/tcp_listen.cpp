// The accepting side of runtime/tcp.hpp.
#include <cerrno>
#include <utility>

#include "runtime/listen_error.hpp"
#include "runtime/tcp.hpp"

namespace ekiden::runtime {
namespace {

/// Failures of the one connection that was to be accepted: it was reset meanwhile, or its network broke. Source:
/// accept(2), which passes on what is pending on the new socket.
bool concerns_one_connection(const ErrorCode& error) {
  switch (error.value()) {
    case ECONNABORTED:
    case EINTR:
    case EAGAIN:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case EOPNOTSUPP:
    case EPERM:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<identity::Endpoint> Tcp::listen(const identity::Endpoint& endpoint) {
  const auto address = endpoint.address();
  if (!address) return fail(Errc::invalid_argument, "cannot listen on the name " + endpoint.host + ": use an address");
  if (endpoint.transport == identity::Endpoint::Transport::udp) {
    return fail(Errc::unsupported, "cannot listen on " + endpoint.text() + ": links are not carried over UDP");
  }
  if (endpoint.transport == identity::Endpoint::Transport::wss && !carriers_.has_certificate()) {
    return fail(Errc::not_found, "cannot listen on " + endpoint.text() + " without a certificate");
  }
  const asio::ip::tcp::endpoint at(from_ip(*address), endpoint.port);
  auto listening = std::make_unique<Listening>(loop_, endpoint.transport);
  Acceptor& acceptor = listening->acceptor;
  ErrorCode error;
  acceptor.open(at.protocol(), error);
  // Connections of an earlier run that still wait for late packets are no reason not to listen.
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && address->family == identity::IpAddress::Family::v6) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(at, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return listen_error(endpoint, error);
  identity::Endpoint bound = endpoint;
  bound.port = acceptor.local_endpoint(error).port();
  listening_.push_back(std::move(listening));
  return bound;
}

void Tcp::start_accepting() {
  for (auto& listening : listening_) accept(*listening);
}

void Tcp::stop_accepting() {
  for (auto& listening : listening_) {
    ErrorCode ignored;
    listening->acceptor.close(ignored);
    listening->pause.cancel();
  }
}

void Tcp::accept(Listening& listening) {
  listening.acceptor.async_accept(listening.from, [this, &listening](ErrorCode error, Socket socket) {
    if (listening.acceptor.is_open()) on_accept(listening, error, std::move(socket));
  });
}

void Tcp::on_accept(Listening& listening, ErrorCode error, Socket socket) {
  if (error && !concerns_one_connection(error)) {
    pause_accepting(listening, error);
    return;
  }
  if (!error) {
    listening.paused = false;
    set_tcp_options(socket.native_handle());
    if (auto stream = carriers_.accepted(listening.transport, socket.native_handle())) {
      const auto conn = static_cast<ConnId>(link::kFirstAccepted + accepted_++);
      connections_.try_emplace(conn, std::move(socket)).first->second.stream = std::move(*stream);
      user_.on_accepted(conn, {to_ip(listening.from.address()), listening.from.port()}, listening.transport);
      shake_hands(conn);
    }
  }
  accept(listening);
}

/// Out of descriptors or memory, most likely: trying again at once would spin. Said once, not at every attempt.
void Tcp::pause_accepting(Listening& listening, const ErrorCode& error) {
  if (!std::exchange(listening.paused, true)) {
    user_.on_accept_paused({Errc::limit_exceeded, "accepting connections pauses: " + error.message()});
  }
  listening.pause.expires_after(kAcceptPause);
  listening.pause.async_wait([this, &listening](ErrorCode stopped) {
    if (!stopped && listening.acceptor.is_open()) accept(listening);
  });
  user_.end_round();
}

}  // namespace ekiden::runtime
