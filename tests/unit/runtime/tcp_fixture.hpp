// Users of the transport that keep what it says, for tests: real sockets on loopback, one loop, no threads.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/settings.hpp"
#include "runtime/tcp.hpp"

namespace ekiden::runtime {

inline identity::Endpoint endpoint(const std::string& text) { return *identity::Endpoint::parse(text); }

/// Keeps what the transport says, and writes what it is given.
class Recorder final : public TcpUser {
 public:
  explicit Recorder(asio::io_context& loop) : tcp(loop, *this) {}

  void write(ConnId conn, Bytes bytes) {
    append(outgoing[conn], bytes);
    tcp.want_write(conn);
    tcp.flush();
  }

  void on_accepted(ConnId conn, const identity::SocketAddress& from, identity::Endpoint::Transport transport) override {
    accepted.push_back(conn);
    from_text = from.ip.text();
    over = transport;
    EXPECT_NE(from.port, 0);
    if (hang_up_at_once) tcp.hang_up(conn);
  }
  void on_connected(ConnId conn, const std::optional<identity::SocketAddress>& address) override {
    connected.push_back(conn);
    if (address) connected_to[conn] = *address;
  }
  void on_connect_failed(ConnId conn, Error why) override { failed[conn] = std::move(why); }
  void on_bytes(ConnId conn, ByteView bytes) override {
    largest_read = std::max(largest_read, bytes.size());
    append(received[conn], bytes);
    if (pause_at_bytes) tcp.pause_reading();
  }
  void on_closed(ConnId conn, Error why) override { closed[conn] = std::move(why); }
  ByteView to_send(ConnId conn) override {
    const ByteView all = outgoing[conn];
    return all.first(std::min<std::size_t>(all.size(), 64 * 1024));
  }
  void mark_sent(ConnId conn, std::size_t bytes) override {
    Bytes& all = outgoing[conn];
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(bytes));
    if (hang_up_after_writing && all.empty()) tcp.hang_up(conn);
  }
  void between_reads(bool halved) override {
    ++pauses;
    if (halved) halves.push_back(received.empty() ? 0 : received.rbegin()->second.size());
  }
  void end_round() override { tcp.flush(); }
  void on_accept_paused(Error why) override { paused.push_back(std::move(why)); }

  std::vector<ConnId> accepted;
  std::vector<ConnId> connected;
  std::map<ConnId, identity::SocketAddress> connected_to;
  std::map<ConnId, Error> failed;
  std::map<ConnId, Error> closed;
  std::map<ConnId, Bytes> received;
  std::map<ConnId, Bytes> outgoing;
  std::vector<Error> paused;
  std::string from_text;
  identity::Endpoint::Transport over = identity::Endpoint::Transport::udp;  ///< that of the last accepted
  std::size_t largest_read = 0;
  std::size_t pauses = 0;           ///< between two reads of a round
  std::vector<std::size_t> halves;  ///< bytes received when a round was halved
  bool hang_up_at_once = false;
  bool pause_at_bytes = false;
  bool hang_up_after_writing = false;
  Tcp tcp;
};

/// Two users of one loop.
class TcpTest : public ::testing::Test {
 protected:
  /// Runs the loop until the condition holds; false if it does not within a time that only failures take.
  bool run_until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      loop_.restart();
      loop_.run_one_for(std::chrono::milliseconds(100));
    }
    return true;
  }

  identity::Endpoint listen(const std::string& at = "tcp://127.0.0.1:0") {
    auto bound = server_.tcp.listen(*parse_listen(at));
    EXPECT_TRUE(bound) << bound.error().message;
    server_.tcp.start_accepting();
    at_ = *bound;
    return *bound;
  }

  void connect() {
    client_.tcp.dial(kConn, listen());
    ASSERT_TRUE(run_until([&] { return client_.connected.size() == 1 && server_.accepted.size() == 1; }));
  }

  static constexpr ConnId kConn{1};
  identity::Endpoint at_;  ///< where the server listened last
  asio::io_context loop_{1};
  Recorder server_{loop_};
  Recorder client_{loop_};
};

}  // namespace ekiden::runtime
