// Multicast under the node: one datagram to everybody on the local network, and what others say so.
//
// Inputs: open, start, say. Outputs: the calls of LanUser, on the loop's thread.
//
// The group is 239.255.74.20 (of the local scope, RFC 2365), port 7419, with a time to live of 1. Interfaces come and
// go, so they are looked at, and joined, whenever something is said: those that are up, carry multicast and have a
// private address. Nodes of one machine share the port and hear each other.
//
// Bounds: a round reads kBatch datagrams; kMaxInterfaces interfaces. What a socket does not take is dropped, as the
// network would.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "identity/address.hpp"
#include "identity/node_info.hpp"
#include "runtime/asio.hpp"

namespace ekiden::runtime {

/// What drives the node.
class LanUser {
 public:
  /// Our own words come back, too. The bytes are valid for the call.
  virtual void on_beacon(const identity::SocketAddress& from, ByteView bytes) = 0;
  /// Whatever came from this wake-up has been said.
  virtual void end_round() = 0;

 protected:
  ~LanUser() = default;
};

struct LanOptions {
  identity::IpAddress group = identity::IpAddress::v4({239, 255, 74, 20});
  std::uint16_t port = 7419;
  std::vector<identity::IpAddress> from;  ///< only interfaces of these addresses; empty: all
  bool loopback = false;                  ///< the loopback interface, too: for tests
};

class LanSocket {
 public:
  static constexpr std::size_t kBatch = 32;
  static constexpr std::size_t kMaxSize = 1280;
  static constexpr std::size_t kMaxInterfaces = 16;

  /// Both outlive it.
  LanSocket(asio::io_context& loop, LanUser& user);

  /// Errors: busy (another program holds the port alone), unsupported (this machine has no IPv4 multicast).
  Status open(LanOptions options);
  /// What arrives is handed on from now on.
  void start();
  void close();
  bool is_open() const { return in_.is_open(); }

  /// Through every interface. Returns through how many it left.
  std::size_t say(ByteView bytes);

 private:
  struct Interface {
    ByteArray<4> address{};
    int index = 0;
  };

  std::vector<Interface> interfaces() const;
  void join(const Interface& interface);
  void wait_readable();
  void on_readable();

  LanUser& user_;
  LanOptions options_;
  DatagramSocket in_;  ///< Bound to the group: what was sent to one of our own addresses does not get in.
  DatagramSocket out_;
};

}  // namespace ekiden::runtime
