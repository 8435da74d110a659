// UDP under the node: datagrams in and out, many in one system call.
//
// Inputs: listen, send, flush. Outputs: the calls of UdpUser, on the loop's thread. A round reads up to kBatch
// datagrams with one recvmmsg(2), hands them on, and lets the user end its round, in which it calls flush(): what was
// to be sent leaves with one sendmmsg(2).
//
// Bounds: a round reads kBatch datagrams of one socket, then lets others have their turn. What a socket does not take
// is dropped, as the network would: whoever needs an answer asks again. A datagram over kMaxSize arrives cut off and is
// dropped.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "identity/endpoint.hpp"
#include "identity/node_info.hpp"
#include "runtime/asio.hpp"

namespace ekiden::runtime {

/// What drives the node.
class UdpUser {
 public:
  /// The bytes are valid for the call.
  virtual void on_datagram(const identity::SocketAddress& from, ByteView bytes) = 0;
  /// Whatever came from this wake-up has been said.
  virtual void end_round() = 0;

 protected:
  ~UdpUser() = default;
};

class Udp {
 public:
  static constexpr std::size_t kBatch = 32;
  static constexpr std::size_t kMaxSize = 1280;
  static constexpr std::size_t kMaxQueued = 1024;

  /// Both outlive it.
  Udp(asio::io_context& loop, UdpUser& user);
  ~Udp();

  /// Binds; what arrives is handed on after start(). Returns the endpoint with the port that the system has chosen.
  Result<identity::Endpoint> listen(const identity::Endpoint& endpoint);
  void start();
  void close();

  /// Leaves at the next flush(), through the first socket of its family.
  void send(const identity::SocketAddress& to, Bytes packet);
  void flush();

  /// Datagrams that could not be sent.
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Bound;
  struct Buffers;
  struct Outgoing {
    identity::SocketAddress to;
    Bytes packet;
  };

  void wait_readable(Bound& bound);
  void on_readable(Bound& bound);
  void flush_through(Bound& bound);

  asio::io_context& loop_;
  UdpUser& user_;
  std::vector<std::unique_ptr<Bound>> bound_;
  std::uint64_t dropped_ = 0;
};

}  // namespace ekiden::runtime
