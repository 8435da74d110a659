// A peer that speaks bytes, for tests: what it is sent is kept, and it says what the test makes it say.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/asio.hpp"

namespace ekiden::runtime {

class RawPeer {
 public:
  explicit RawPeer(Socket socket) : parts_(std::make_shared<Parts>(std::move(socket))) { read(parts_); }
  ~RawPeer() { close(); }
  RawPeer(RawPeer&&) = default;
  RawPeer& operator=(RawPeer&&) = default;

  static RawPeer connected(asio::io_context& loop, std::uint16_t port) {
    Socket socket(loop);
    socket.connect({asio::ip::address_v4::loopback(), port});
    return RawPeer(std::move(socket));
  }

  /// REQUIRES: it fits in the socket.
  void send(std::string_view text) {
    ErrorCode ignored;
    parts_->socket.write_some(asio::buffer(text.data(), text.size()), ignored);
  }
  void close() {
    ErrorCode ignored;
    if (parts_) parts_->socket.close(ignored);
  }
  /// Resets the connection.
  void reset() {
    ErrorCode ignored;
    parts_->socket.set_option(asio::socket_base::linger(true, 0), ignored);
    close();
  }

  const std::string& got() const { return parts_->got; }
  bool has(std::string_view text) const { return got().find(text) != std::string::npos; }
  void forget() { parts_->got.clear(); }
  bool ended() const { return parts_->ended; }
  /// Sending does not work any more.
  bool fails() {
    ErrorCode error;
    parts_->socket.write_some(asio::buffer("x", 1), error);
    return static_cast<bool>(error);
  }

 private:
  struct Parts {
    explicit Parts(Socket s) : socket(std::move(s)) {}
    Socket socket;
    std::string got;
    bool ended = false;
    std::array<char, 4096> buffer{};
  };

  static void read(const std::shared_ptr<Parts>& parts) {
    parts->socket.async_read_some(asio::buffer(parts->buffer), [parts](ErrorCode error, std::size_t size) {
      parts->got.append(parts->buffer.data(), size);
      parts->ended = static_cast<bool>(error);
      if (!error) read(parts);
    });
  }

  std::shared_ptr<Parts> parts_;
};

/// Listens on loopback, and keeps whoever comes.
class RawServer {
 public:
  explicit RawServer(asio::io_context& loop)
      : acceptor_(loop, {asio::ip::address_v4::loopback(), 0}), port_(acceptor_.local_endpoint().port()) {
    accept();
  }

  std::uint16_t port() const { return port_; }
  std::vector<RawPeer> peers;

 private:
  void accept() {
    acceptor_.async_accept([this](ErrorCode error, Socket socket) {
      if (error) return;
      peers.emplace_back(std::move(socket));
      accept();
    });
  }

  Acceptor acceptor_;
  std::uint16_t port_;
};

}  // namespace ekiden::runtime
