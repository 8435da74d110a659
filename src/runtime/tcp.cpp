#include "runtime/tcp.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace ekiden::runtime {
namespace {

std::string error_text(int error_number) { return std::generic_category().message(error_number); }

Error read_error(int error_number) {
  const Errc code = error_number == ETIMEDOUT ? Errc::timed_out : Errc::closed;
  return {code, "the connection broke: " + error_text(error_number)};
}

}  // namespace

void set_tcp_options(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int timeout = Tcp::kUserTimeoutMs;
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
}

Tcp::Tcp(asio::io_context& loop, TcpUser& user)
    : loop_(loop), user_(user), resolver_(loop), buffer_(std::make_unique<ByteArray<kReadSize>>()) {}

Tcp::~Tcp() { close_all(); }

void Tcp::close_all() {
  stop_accepting();
  for (auto& [conn, connection] : connections_) {
    if (connection.connector) connection.connector->cancel();
  }
  connections_.clear();
}

Tcp::Connection* Tcp::find(ConnId conn) {
  const auto found = connections_.find(conn);
  return found == connections_.end() ? nullptr : &found->second;
}

void Tcp::dial(ConnId conn, const identity::Endpoint& endpoint) {
  auto connector = std::make_shared<Connector>(loop_, endpoint, [this, conn, endpoint](Result<Socket> socket) {
    on_dialled(conn, endpoint, std::move(socket));
  });
  auto [entry, fresh] = connections_.try_emplace(conn, Socket(loop_));
  entry->second.connector = connector;
  connector->start(resolver_);
}

void Tcp::on_dialled(ConnId conn, const identity::Endpoint& endpoint, Result<Socket> socket) {
  Connection* const connection = find(conn);
  if (connection == nullptr) return;
  connection->connector.reset();
  if (socket) {
    connection->socket = std::move(*socket);
    set_tcp_options(connection->socket.native_handle());
    wait_readable(conn, *connection);
    user_.on_connected(conn);
  } else {
    connections_.erase(conn);
    socket.error().message.insert(0, endpoint.text() + ": ");
    user_.on_connect_failed(conn, std::move(socket).error());
  }
  user_.end_round();
}

void Tcp::hang_up(ConnId conn) {
  Connection* const connection = find(conn);
  if (connection == nullptr) return;
  if (connection->connector) connection->connector->cancel();
  connections_.erase(conn);
}

void Tcp::resume_reading() {
  reading_ = true;
  for (auto& [conn, connection] : connections_) {
    if (!connection.connector) wait_readable(conn, connection);
  }
}

void Tcp::wait_readable(ConnId conn, Connection& connection) {
  if (!reading_ || connection.waiting) return;
  connection.waiting = true;
  connection.socket.async_wait(Socket::wait_read, [this, conn](ErrorCode error) {
    if (!error) on_readable(conn);
  });
}

void Tcp::on_readable(ConnId conn) {
  if (Connection* const connection = find(conn)) connection->waiting = false;
  for (std::size_t got = kMuch, all = 0; got >= kMuch && all < kReadPerRound && reading_; all += got) {
    got = read_once(conn);
  }
  // Answers first: waiting again costs a system call that nobody should wait for.
  user_.end_round();
  if (Connection* const connection = find(conn)) wait_readable(conn, *connection);
}

/// Bytes read: none if there are no more, or no connection any more.
std::size_t Tcp::read_once(ConnId conn) {
  Connection* const connection = find(conn);
  if (connection == nullptr) return 0;
  const int fd = connection->socket.native_handle();
  ::ssize_t got;
  do {
    got = ::recv(fd, buffer_->data(), buffer_->size(), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    user_.on_bytes(conn, ByteView(*buffer_).first(static_cast<std::size_t>(got)));
    return static_cast<std::size_t>(got);
  }
  if (got == 0) {
    close(conn, {Errc::closed, "the other side closed the connection"});
  } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
    close(conn, read_error(errno));
  }
  return 0;
}

void Tcp::want_write(ConnId conn) {
  Connection* const connection = find(conn);
  if (connection == nullptr || connection->writer) return;
  connection->writer = true;
  writers_.push_back(conn);
}

void Tcp::flush() {
  while (!writers_.empty()) {
    writing_.swap(writers_);
    for (const ConnId conn : writing_) {
      if (Connection* const connection = find(conn)) {
        connection->writer = false;
        if (!connection->blocked && !connection->connector) write(conn);
      }
    }
    writing_.clear();
  }
}

void Tcp::write(ConnId conn) {
  std::size_t written = 0;
  // The user may hang up at each call, so the connection is looked up each time.
  for (Connection* connection = find(conn); connection != nullptr; connection = find(conn)) {
    if (written >= kWritePerRound) {
      connection->blocked = true;
      asio::post(loop_, [this, conn] { on_writable(conn); });
      return;
    }
    const ByteView bytes = user_.to_send(conn);
    if (bytes.empty()) return;
    const ::ssize_t sent =
        ::send(connection->socket.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      written += static_cast<std::size_t>(sent);
      user_.mark_sent(conn, static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      connection->blocked = true;
      connection->socket.async_wait(Socket::wait_write, [this, conn](ErrorCode error) {
        if (!error) on_writable(conn);
      });
      return;
    } else if (errno != EINTR) {
      close(conn, read_error(errno));
      return;
    }
  }
}

void Tcp::on_writable(ConnId conn) {
  Connection* const connection = find(conn);
  if (connection == nullptr) return;
  connection->blocked = false;
  want_write(conn);
  user_.end_round();
}

void Tcp::close(ConnId conn, Error why) {
  connections_.erase(conn);
  user_.on_closed(conn, std::move(why));
}

}  // namespace ekiden::runtime
