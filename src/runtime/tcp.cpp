#include "runtime/tcp.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

namespace ekiden::runtime {

void set_tcp_options(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int timeout = Tcp::kUserTimeoutMs;
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
}

Tcp::Tcp(asio::io_context& loop, TcpUser& user)
    : loop_(loop),
      user_(user),
      resolver_(loop),
      leaving_(loop),
      keep_alive_(loop),
      buffer_(std::make_unique<ByteArray<kReadSize>>()) {}

Tcp::~Tcp() { close_all(); }

void Tcp::close_all() {
  stop_accepting();
  for (auto& [conn, connection] : connections_) {
    if (connection.dialling && connection.dialling->connector) connection.dialling->connector->cancel();
  }
  connections_.clear();
  leaving_.clear();
}

Tcp::Connection* Tcp::find(ConnId conn) {
  const auto found = connections_.find(conn);
  return found == connections_.end() ? nullptr : &found->second;
}

void Tcp::hang_up(ConnId conn) { give_up(conn); }

/// Forgets a connection, and lets its stream say its last words. False if there is none.
bool Tcp::give_up(ConnId conn) {
  auto node = connections_.extract(conn);
  if (!node) return false;
  Connection& connection = node.mapped();
  if (connection.dialling && connection.dialling->connector) connection.dialling->connector->cancel();
  if (connection.stream && connection.stream->finish()) {
    leaving_.add(std::move(connection.socket), std::move(connection.stream), carriers_.options().leave_timeout);
  }
  return true;
}

void Tcp::close(ConnId conn, Error why) {
  if (give_up(conn)) user_.on_closed(conn, std::move(why));
}

void Tcp::resume_reading() {
  reading_ = true;
  for (auto& [conn, connection] : connections_) {
    if (connection.open) wait_readable(conn, connection);
  }
}

void Tcp::resume(ConnId conn) {
  Connection* const connection = find(conn);
  if (connection == nullptr || !connection->unread) return;
  connection->unread = false;
  if (connection->open) wait_readable(conn, *connection);
}

void Tcp::wait_readable(ConnId conn, Connection& connection) {
  if (!reading_ || connection.waiting || connection.unread) return;
  connection.waiting = true;
  if (connection.stream->has_input()) {
    asio::post(loop_, [this, conn] { on_readable(conn); });
    return;
  }
  connection.socket.async_wait(Socket::wait_read, [this, conn](ErrorCode error) {
    if (!error) on_readable(conn);
  });
}

void Tcp::on_readable(ConnId conn) {
  if (Connection* const connection = find(conn)) connection->waiting = false;
  Got got{.taken = 0, .more = true};
  std::size_t half = 0;
  for (std::size_t all = 0; got.more && all < kReadPerRound && reading_; all += got.taken) {
    got = read_once(conn);
    if (!got.more) break;
    half += got.taken;
    const bool halved = half >= kHalf && waiting(conn) >= kOtherHalf;
    if (halved) half = 0;
    user_.between_reads(halved);
  }
  // Answers first: waiting again costs a system call that nobody should wait for.
  user_.end_round();
  if (Connection* const connection = find(conn)) wait_readable(conn, *connection);
}

Tcp::Got Tcp::read_once(ConnId conn) {
  Connection* const connection = find(conn);
  if (connection == nullptr) return {};
  if (!user_.may_read(conn)) {
    connection->unread = true;
    return {};
  }
  ReadOutcome outcome = connection->stream->read(*buffer_);
  const Got got{.taken = outcome.taken, .more = outcome.taken >= kMuch || connection->stream->has_input()};
  if (connection->stream->has_output()) want_write(conn);
  if (!outcome.bytes.empty()) user_.on_bytes(conn, outcome.bytes);
  if (!outcome.end) return got;
  close(conn, std::move(*outcome.end));
  return {};
}

/// Bytes that the system has for a connection.
std::size_t Tcp::waiting(ConnId conn) {
  Connection* const connection = find(conn);
  ErrorCode ignored;
  return connection == nullptr ? 0 : connection->socket.available(ignored);
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
        if (!connection->blocked && connection->open) write(conn);
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
    if (bytes.empty() && !connection->stream->has_output()) return;
    WriteOutcome outcome = connection->stream->write(bytes);
    if (outcome.end) return close(conn, std::move(*outcome.end));
    if (outcome.blocked) wait_writable(conn, *connection);
    written += outcome.bytes;
    if (outcome.bytes > 0) user_.mark_sent(conn, outcome.bytes);
    if (outcome.blocked) return;
  }
}

void Tcp::wait_writable(ConnId conn, Connection& connection) {
  connection.blocked = true;
  connection.socket.async_wait(Socket::wait_write, [this, conn](ErrorCode error) {
    if (!error) on_writable(conn);
  });
}

void Tcp::on_writable(ConnId conn) {
  Connection* const connection = find(conn);
  if (connection == nullptr) return;
  connection->blocked = false;
  want_write(conn);
  user_.end_round();
}

/// One timer for all: connections that have been quiet since it fired last give a sign of life.
void Tcp::keep_alive() {
  keeping_alive_ = true;
  const Duration interval = carriers_.options().keep_alive;
  keep_alive_.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(interval));
  keep_alive_.async_wait([this](ErrorCode stopped) {
    if (stopped) return;
    bool wanted = false;
    for (auto& [conn, connection] : connections_) {
      if (!connection.open || !connection.stream->keep_alive()) continue;
      wanted = true;
      if (connection.stream->has_output()) want_write(conn);
    }
    user_.end_round();
    keeping_alive_ = false;
    if (wanted) keep_alive();
  });
}

}  // namespace ekiden::runtime
