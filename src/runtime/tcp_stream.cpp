#include "runtime/tcp_stream.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace ekiden::runtime {

Error connection_error(int error_number) {
  const Errc code = error_number == ETIMEDOUT ? Errc::timed_out : Errc::closed;
  return {code, "the connection broke: " + std::generic_category().message(error_number)};
}

ReadOutcome TcpStream::read(MutableBytes buffer) {
  ::ssize_t got;
  do {
    got = ::recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    const auto taken = static_cast<std::size_t>(got);
    return {.taken = taken, .bytes = buffer.first(taken)};
  }
  if (got == 0) return {.end = Error{Errc::closed, "the other side closed the connection"}};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {};
  return {.end = connection_error(errno)};
}

WriteOutcome TcpStream::write(ByteView bytes) {
  if (bytes.empty()) return {};
  ::ssize_t sent;
  do {
    sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return {.bytes = static_cast<std::size_t>(sent)};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {.blocked = true};
  return {.end = connection_error(errno)};
}

}  // namespace ekiden::runtime
