// The layer below Beast's WebSocket: memory, so that whoever owns the socket decides when it is read and written.
//
// What came from the socket is lent for one call; what Beast writes gathers, and its writes are done at once. A read
// without anything to read waits, and goes on when more is lent. Nothing runs by itself: completions wait in the loop
// until it is polled.
//
// Meets Beast's requirements for a SyncStream and an AsyncStream; only its writes are ever used as the former.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/system/system_error.hpp>
#include <functional>
#include <utility>

#include "base/bytes.hpp"

namespace ekiden::runtime {

class WebSocketPipe {
 public:
  using Error = boost::system::error_code;
  using executor_type = boost::asio::io_context::executor_type;

  /// `loop` outlives it.
  explicit WebSocketPipe(boost::asio::io_context& loop) : loop_(&loop) {}
  executor_type get_executor() const noexcept { return loop_->get_executor(); }

  /// Lends what came until settle(). REQUIRES: nothing is left.
  void lend(ByteView bytes) {
    input_ = bytes;
    if (reader_ && !input_.empty()) complete(std::exchange(reader_, nullptr), take(reader_wants_));
  }
  /// Keeps what nobody has read yet.
  void settle() {
    rest_ = to_bytes(input_);
    input_ = rest_;
  }
  bool has_input() const { return !input_.empty(); }

  /// What waits to be written to the socket.
  Bytes& output() { return output_; }

  template <class Buffers>
  std::size_t read_some(const Buffers& to, Error& error) {
    error = input_.empty() ? boost::asio::error::would_block : Error();
    return take(first_of(to));
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& to) {
    Error error;
    const std::size_t size = read_some(to, error);
    if (error) throw boost::system::system_error(error);
    return size;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& from, Error& error) {
    error = {};
    const std::size_t before = output_.size();
    for (const boost::asio::const_buffer part : boost::beast::buffers_range_ref(from)) {
      append(output_, ByteView(static_cast<const Byte*>(part.data()), part.size()));
    }
    return output_.size() - before;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& from) {
    Error error;
    return write_some(from, error);
  }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& to, Handler&& handler) {
    const MutableBytes wanted = first_of(to);
    Reader reader(std::forward<Handler>(handler));
    if (!input_.empty() || wanted.empty()) return complete(std::move(reader), take(wanted));
    reader_ = std::move(reader);
    reader_wants_ = wanted;
  }
  template <class Buffers, class Handler>
  void async_write_some(const Buffers& from, Handler&& handler) {
    complete(Reader(std::forward<Handler>(handler)), write_some(from));
  }

 private:
  using Reader = std::move_only_function<void(Error, std::size_t)>;

  /// The first buffer that is not empty: a read may take less than it could.
  template <class Buffers>
  static MutableBytes first_of(const Buffers& buffers) {
    for (const boost::asio::mutable_buffer part : boost::beast::buffers_range_ref(buffers)) {
      if (part.size() > 0) return {static_cast<Byte*>(part.data()), part.size()};
    }
    return {};
  }

  std::size_t take(MutableBytes to) {
    const std::size_t size = std::min(to.size(), input_.size());
    std::ranges::copy(input_.first(size), to.begin());
    input_ = input_.subspan(size);
    return size;
  }

  void complete(Reader done, std::size_t size) {
    boost::asio::post(*loop_, [done = std::move(done), size]() mutable { done({}, size); });
  }

  boost::asio::io_context* loop_;
  ByteView input_;
  Bytes rest_;
  Bytes output_;
  Reader reader_;
  MutableBytes reader_wants_;
};

/// The next three end nothing: the socket is not the pipe's.
inline void beast_close_socket(WebSocketPipe& /*pipe*/) {}
inline void teardown(boost::beast::role_type /*role*/, WebSocketPipe& /*pipe*/, WebSocketPipe::Error& error) {
  error = {};
}
template <class Handler>
void async_teardown(boost::beast::role_type /*role*/, WebSocketPipe& pipe, Handler&& handler) {
  boost::asio::post(pipe.get_executor(),
                    [handler = std::forward<Handler>(handler)]() mutable { handler(WebSocketPipe::Error()); });
}

}  // namespace ekiden::runtime
