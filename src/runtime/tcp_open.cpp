// How the connections of runtime/tcp.hpp come to be: dials, and the handshakes of streams.
#include <chrono>
#include <string>
#include <utility>

#include "runtime/tcp.hpp"

namespace ekiden::runtime {
namespace {

using Transport = identity::Endpoint::Transport;

Error with_name(const std::string& name, Error why) {
  why.message.insert(0, name + ": ");
  return why;
}

}  // namespace

void Tcp::dial(ConnId conn, const identity::Endpoint& endpoint, identity::LearnedFrom learned_from,
               std::vector<identity::IpAddress> only) {
  auto [entry, fresh] = connections_.try_emplace(conn, Socket(loop_));
  entry->second.dialling = std::make_unique<Dialling>(endpoint, loop_);
  if (auto begun = begin_dial(conn, entry->second, learned_from, std::move(only)); !begun) {
    // Said later: nothing calls the user from within dial().
    asio::post(loop_, [this, conn, why = std::move(begun).error()] {
      on_open_failed(conn, why);
      user_.end_round();
    });
  }
}

Status Tcp::begin_dial(ConnId conn, Connection& connection, identity::LearnedFrom learned_from,
                       std::vector<identity::IpAddress> only) {
  Dialling& dialling = *connection.dialling;
  if (dialling.endpoint.transport == Transport::udp) {
    return fail(Errc::unsupported, "links are not carried over UDP");
  }
  EKIDEN_ASSIGN(dialling.proxy, carriers_.options().proxies.find(dialling.endpoint));
  if (dialling.proxy && !only.empty()) {
    return fail(Errc::not_found, "a proxy resolves names here: nobody sees where they lead");
  }
  if (dialling.proxy && learned_from != identity::LearnedFrom::configuration) {
    const auto address = dialling.endpoint.address();
    if (!address) {
      return fail(Errc::refused,
                  "the proxy would resolve this name, which is another's word: it may lead anywhere there");
    }
    EKIDEN_TRY(identity::check_dial(*address, learned_from));
  }
  const identity::Endpoint to =
      dialling.proxy
          ? identity::Endpoint{.transport = Transport::tcp, .host = dialling.proxy->host, .port = dialling.proxy->port}
          : dialling.endpoint;
  const auto source = dialling.proxy ? identity::LearnedFrom::configuration : learned_from;
  dialling.connector = std::make_shared<Connector>(
      loop_, to, source, [this, conn](Result<Socket> socket) { on_dialled(conn, std::move(socket)); }, std::move(only));
  if (dialling.endpoint.transport != Transport::tcp) {
    const Duration limit = carriers_.options().open_timeout;
    dialling.deadline.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(limit));
    dialling.deadline.async_wait([this, conn](ErrorCode stopped) {
      if (!stopped) on_open_deadline(conn);
    });
  }
  dialling.connector->start(resolver_);
  return {};
}

void Tcp::on_dialled(ConnId conn, Result<Socket> socket) {
  Connection* const connection = find(conn);
  if (connection == nullptr) return;
  Dialling& dialling = *connection->dialling;
  dialling.connector.reset();
  if (socket) {
    connection->socket = std::move(*socket);
    const int descriptor = connection->socket.native_handle();
    set_tcp_options(descriptor);
    auto stream = carriers_.dialled(dialling.endpoint, dialling.proxy, descriptor);
    if (stream) {
      connection->stream = std::move(*stream);
      return shake_hands(conn);
    }
    on_open_failed(conn, std::move(stream).error());
  } else {
    Error why = std::move(socket).error();
    on_open_failed(conn, dialling.proxy ? with_name("the proxy " + dialling.proxy->text(), std::move(why)) : why);
  }
  user_.end_round();
}

/// As far as it gets; goes on when the socket is ready.
void Tcp::shake_hands(ConnId conn) {
  if (Connection* const connection = find(conn)) {
    auto wait = connection->stream->open(*buffer_);
    if (!wait) {
      on_open_failed(conn, std::move(wait).error());
    } else if (*wait == Wait::nothing) {
      on_open(conn, *connection);
    } else {
      const auto what = *wait == Wait::readable ? Socket::wait_read : Socket::wait_write;
      connection->socket.async_wait(what, [this, conn](ErrorCode error) {
        if (!error) shake_hands(conn);
      });
    }
  }
  user_.end_round();
}

void Tcp::on_open(ConnId conn, Connection& connection) {
  connection.open = true;
  const bool dialled = connection.dialling != nullptr;
  std::optional<identity::SocketAddress> address;
  if (dialled && !connection.dialling->proxy) {
    ErrorCode gone;
    const auto remote = connection.socket.remote_endpoint(gone);
    if (!gone) address = {to_ip(remote.address()), remote.port()};
  }
  connection.dialling.reset();
  wait_readable(conn, connection);
  want_write(conn);
  if (!keeping_alive_ && connection.stream->keep_alive()) keep_alive();
  if (dialled) user_.on_connected(conn, address);
}

void Tcp::on_open_failed(ConnId conn, Error why) {
  Connection* const connection = find(conn);
  if (connection == nullptr) return;
  if (!connection->dialling) return close(conn, std::move(why));
  const std::string name = connection->dialling->endpoint.text();
  give_up(conn);
  user_.on_connect_failed(conn, with_name(name, std::move(why)));
}

void Tcp::on_open_deadline(ConnId conn) {
  Connection* const connection = find(conn);
  if (connection == nullptr || !connection->dialling) return;
  const auto& proxy = connection->dialling->proxy;
  std::string step = proxy ? "a connection to the proxy " + proxy->text() : "a connection";
  if (connection->stream) step = connection->stream->opening();
  const auto limit = std::chrono::duration_cast<milliseconds>(carriers_.options().open_timeout).count();
  on_open_failed(conn, {Errc::timed_out, "given up after " + std::to_string(limit) + " ms while waiting for " + step});
  user_.end_round();
}

}  // namespace ekiden::runtime
