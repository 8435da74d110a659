#include "runtime/leaving.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace ekiden::runtime {
namespace {

constexpr std::size_t kDropSize = 4096;

}  // namespace

void Leaving::add(Socket socket, std::unique_ptr<Stream> stream, Duration timeout) {
  if (guests_.size() == kMaxLeaving) guests_.erase(guests_.begin());
  const Id id = ++last_;
  Guest& guest = guests_.try_emplace(id, std::move(socket), std::move(stream), loop_).first->second;
  guest.timer.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(timeout));
  guest.timer.async_wait([this, id](ErrorCode stopped) {
    if (!stopped) guests_.erase(id);
  });
  go_on(id);
}

void Leaving::wait(Id id, Guest& guest, Socket::wait_type what) {
  guest.socket.async_wait(what, [this, id](ErrorCode error) {
    if (!error) go_on(id);
  });
}

/// False if there is more to write, or nobody to write to.
bool Leaving::write(Id id, Guest& guest) {
  while (guest.stream->has_output()) {
    const auto outcome = guest.stream->write({});
    if (outcome.end) {
      guests_.erase(id);
      return false;
    }
    if (outcome.blocked) {
      wait(id, guest, Socket::wait_write);
      return false;
    }
  }
  return true;
}

void Leaving::go_on(Id id) {
  const auto found = guests_.find(id);
  if (found == guests_.end()) return;
  Guest& guest = found->second;
  if (!guest.shut) {
    if (!write(id, guest)) return;
    ErrorCode ignored;
    guest.socket.shutdown(Socket::shutdown_send, ignored);
    guest.shut = true;
  }
  ByteArray<kDropSize> dropped;
  ::ssize_t got = 0;
  do {
    got = ::recv(guest.socket.native_handle(), dropped.data(), dropped.size(), MSG_DONTWAIT);
    if (got > 0) guest.dropped += static_cast<std::size_t>(got);
  } while (got > 0 && guest.dropped < kMaxDropped);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    wait(id, guest, Socket::wait_read);
  } else {
    guests_.erase(found);
  }
}

}  // namespace ekiden::runtime
