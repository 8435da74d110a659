// Connections that have been given up and still have something to say: a close frame, an answer to a request that was
// refused, an alert of TLS.
//
// Each is written as far as it goes, the sending side is shut, and what still comes is dropped until the other side
// closes. Rationale: closing a socket with unread input resets the connection, and the other side would lose the words
// that say why.
//
// Bounds: the time of each, kMaxLeaving of them (the oldest goes), kMaxDropped bytes from each.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "base/time.hpp"
#include "runtime/asio.hpp"
#include "runtime/stream.hpp"

namespace ekiden::runtime {

class Leaving {
 public:
  static constexpr std::size_t kMaxLeaving = 64;
  static constexpr std::size_t kMaxDropped = 1024 * 1024;

  /// Outlived by the loop.
  explicit Leaving(asio::io_context& loop) : loop_(loop) {}

  /// REQUIRES: finish() was called. What can be written is written before this returns.
  void add(Socket socket, std::unique_ptr<Stream> stream, Duration timeout);
  void clear() { guests_.clear(); }
  std::size_t size() const { return guests_.size(); }

 private:
  using Id = std::uint64_t;
  struct Guest {
    Guest(Socket s, std::unique_ptr<Stream> b, asio::io_context& loop)
        : socket(std::move(s)), stream(std::move(b)), timer(loop) {}
    Socket socket;
    std::unique_ptr<Stream> stream;
    Timer timer;
    bool shut = false;
    std::size_t dropped = 0;
  };

  void go_on(Id id);
  bool write(Id id, Guest& guest);
  void wait(Id id, Guest& guest, Socket::wait_type what);

  asio::io_context& loop_;
  Id last_ = 0;
  std::map<Id, Guest> guests_;
};

}  // namespace ekiden::runtime
