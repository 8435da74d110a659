// TCP under the node: connections made and accepted, bytes brought and taken. What lies on the socket (nothing,
// WebSocket, TLS, a proxy in between) is a Stream (runtime/stream.hpp), and makes no difference here.
//
// Inputs: listen, dial, hang_up, want_write, flush, pause_reading, resume_reading, resume. Outputs: the calls of
// TcpUser, all on the loop's thread. Nothing is decided here: whom to dial, whom to admit and what to write is the
// node's business. An accepted connection is said to be there before its stream shakes hands, so that it counts, and
// has its deadline, as one that has proven nothing; one that was dialled is said to be connected when the stream is
// open.
//
// Order of a round: something became readable; its bytes go to the user, who may want writes on any connection; at the
// end of the round (TcpUser::end_round) the user calls flush(), which pulls what is to be written and writes it, record
// by record. So an answer leaves before the loop sleeps, and many messages leave in one write.
//
// Bounds, and the attacks they stop:
//  - No connection has a buffer of its own: all are read into one of kReadSize, so an idle or slow peer costs a socket.
//  - A round reads from a connection until kReadPerRound bytes are reached, and writes at most kWritePerRound bytes per
//    connection, then lets the others have their turn: one busy neighbour delays the rest by that much and no more.
//  - A reader that does not read fills its socket and then its queue in the node, which bounds it; TCP_USER_TIMEOUT
//    ends connections whose bytes nobody acknowledges.
//  - While the user cannot take more (pause_reading), nothing is read from any connection: what peers send fills their
//    sockets and then stays with them.
//  - The user says for each connection whether it is read now (TcpUser::may_read): strangers may have to wait.
//  - A dial that is more than a TCP connection has a time for all its handshakes (WebOptions::open_timeout).
//  - When accepting fails for want of a descriptor, or for a reason that lasts, it pauses for kAcceptPause instead of
//    spinning.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "identity/endpoint.hpp"
#include "identity/node_info.hpp"
#include "link/pool.hpp"
#include "runtime/asio.hpp"
#include "runtime/carriers.hpp"
#include "runtime/connector.hpp"
#include "runtime/leaving.hpp"
#include "runtime/resolver.hpp"

namespace ekiden::runtime {

using link::ConnId;

/// What drives the node. No call is made from within listen(), dial(), hang_up() or want_write().
class TcpUser {
 public:
  virtual void on_accepted(ConnId conn, const identity::SocketAddress& from,
                           identity::Endpoint::Transport transport) = 0;
  /// `address`: where the connection goes, unless a proxy knows that alone.
  virtual void on_connected(ConnId conn, const std::optional<identity::SocketAddress>& address) = 0;
  virtual void on_connect_failed(ConnId conn, Error why) = 0;
  /// Whether to read from this connection, which has something to read. False: not before resume().
  virtual bool may_read(ConnId /*conn*/) { return true; }
  /// The bytes are valid for the call.
  virtual void on_bytes(ConnId conn, ByteView bytes) = 0;
  /// The connection is gone. Not said after hang_up().
  virtual void on_closed(ConnId conn, Error why) = 0;
  /// What to write next, empty if nothing; valid until the next call for this connection. Begins with what of the last
  /// answer was not marked as sent.
  virtual ByteView to_send(ConnId conn) = 0;
  virtual void mark_sent(ConnId conn, std::size_t bytes) = 0;
  /// A connection has more bytes for this round. `halved`: many have been handled since that was said last, and many
  /// still wait.
  virtual void between_reads(bool /*halved*/) {}
  /// Whatever came from this wake-up has been said.
  virtual void end_round() = 0;
  /// Accepting has paused; said once until it succeeds again.
  virtual void on_accept_paused(Error why) = 0;

 protected:
  ~TcpUser() = default;
};

/// What every connection gets: no delay for small writes, an end for those that nobody acknowledges.
void set_tcp_options(int fd);

class Tcp {
 public:
  static constexpr std::size_t kReadSize = 22 * 1024;
  static constexpr std::size_t kReadPerRound = 192 * 1024;
  /// A round is halved where kHalf bytes have been handled and kOtherHalf wait: each half is worth a commit.
  static constexpr std::size_t kHalf = 32 * 1024;
  static constexpr std::size_t kOtherHalf = 16 * 1024;
  /// A read of so much is looked behind at once: what arrives while it is handled belongs to the same round.
  static constexpr std::size_t kMuch = 8 * 1024;
  static constexpr std::size_t kWritePerRound = 512 * 1024;
  static constexpr auto kAcceptPause = std::chrono::milliseconds(500);
  static constexpr int kUserTimeoutMs = 60'000;

  /// Both outlive it.
  Tcp(asio::io_context& loop, TcpUser& user);
  ~Tcp();
  Tcp(const Tcp&) = delete;
  Tcp& operator=(const Tcp&) = delete;

  /// How ws:// and wss:// are spoken from now on. Errors: the file of authorities cannot be used.
  Status use(WebOptions options) { return carriers_.use(std::move(options)); }
  /// Reads the certificate and key of wss:// again, for connections accepted from now on. On an error those that are in
  /// use stay.
  Status load_certificate(WallTime now) { return carriers_.load_certificate(now); }
  /// Until when the certificate of new connections is valid; nothing without one.
  std::optional<WallTime> certificate_end() const { return carriers_.certificate_end(); }

  /// Binds; connections are accepted from start_accepting() on. An IPv6 endpoint takes IPv6 alone. Returns the endpoint
  /// with its real port. Errors: busy (in use), refused (a port below 1024), unreachable (no such address here),
  /// not_found (wss without a certificate that was loaded), unsupported (a transport that is not over TCP).
  Result<identity::Endpoint> listen(const identity::Endpoint& endpoint);
  void start_accepting();
  void stop_accepting();

  /// Names are resolved; addresses that whoever named the endpoint may not name are refused. Behind a proxy, names are
  /// the proxy's to resolve and to judge. With `only` a name has to lead to one of these addresses, and is dialled
  /// there; where it does not, or a proxy would judge, the dial fails with not_found.
  void dial(ConnId conn, const identity::Endpoint& endpoint,
            identity::LearnedFrom learned_from = identity::LearnedFrom::configuration,
            std::vector<identity::IpAddress> only = {});
  /// Closes; what was handed to the kernel is still sent by it, and a stream says its last words without the user
  /// noticing. Unknown connections are ignored.
  void hang_up(ConnId conn);
  /// Written at the next flush().
  void want_write(ConnId conn);
  void flush();

  /// At most the buffer being handled still comes; connections that end meanwhile are said to when reading goes on.
  void pause_reading() { reading_ = false; }
  void resume_reading();
  /// Of one that the user did not want to be read. Unknown connections are ignored.
  void resume(ConnId conn);

  /// Drops every connection and listener without a word to the user.
  void close_all();

  /// Connections open or being made.
  std::size_t connections() const { return connections_.size(); }

 private:
  /// A connection that this side makes, until its stream is open.
  struct Dialling {
    Dialling(identity::Endpoint e, asio::io_context& loop) : endpoint(std::move(e)), deadline(loop) {}
    identity::Endpoint endpoint;
    std::optional<Proxy> proxy;
    std::shared_ptr<Connector> connector;  ///< until there is a socket
    Timer deadline;
  };
  struct Connection {
    explicit Connection(Socket s) : socket(std::move(s)) {}
    Socket socket;
    std::unique_ptr<Stream> stream;        ///< null while there is no socket
    std::unique_ptr<Dialling> dialling{};  ///< null if it was accepted, or is open
    bool open = false;
    bool waiting = false;  ///< for something to read
    bool unread = false;   ///< the user does not want to hear of it before resume()
    bool writer = false;   ///< stands in writers_
    bool blocked = false;  ///< the kernel takes no more; waiting until it does
  };
  struct Listening {
    Listening(asio::io_context& loop, identity::Endpoint::Transport t) : transport(t), acceptor(loop), pause(loop) {}
    identity::Endpoint::Transport transport;
    Acceptor acceptor;
    Timer pause;
    bool paused = false;
    asio::ip::tcp::endpoint from;  ///< of the connection being accepted
  };
  struct Got {
    std::size_t taken = 0;
    bool more = false;  ///< looking again is worth it
  };

  // tcp_listen.cpp
  void accept(Listening& listening);
  void on_accept(Listening& listening, ErrorCode error, Socket socket);
  void pause_accepting(Listening& listening, const ErrorCode& error);

  // tcp_open.cpp
  Status begin_dial(ConnId conn, Connection& connection, identity::LearnedFrom learned_from,
                    std::vector<identity::IpAddress> only);
  void on_dialled(ConnId conn, Result<Socket> socket);
  void shake_hands(ConnId conn);
  void on_open(ConnId conn, Connection& connection);
  void on_open_failed(ConnId conn, Error why);
  void on_open_deadline(ConnId conn);

  // tcp.cpp
  Connection* find(ConnId conn);
  void wait_readable(ConnId conn, Connection& connection);
  void on_readable(ConnId conn);
  Got read_once(ConnId conn);
  std::size_t waiting(ConnId conn);
  void write(ConnId conn);
  void wait_writable(ConnId conn, Connection& connection);
  void on_writable(ConnId conn);
  void close(ConnId conn, Error why);
  bool give_up(ConnId conn);
  void keep_alive();

  asio::io_context& loop_;
  TcpUser& user_;
  Resolver resolver_;
  Carriers carriers_;
  std::vector<std::unique_ptr<Listening>> listening_;
  std::unordered_map<ConnId, Connection> connections_;
  Leaving leaving_;
  std::vector<ConnId> writers_;
  std::vector<ConnId> writing_;  ///< writers_ during a flush, kept for its storage
  std::uint64_t accepted_ = 0;
  bool reading_ = true;
  Timer keep_alive_;
  bool keeping_alive_ = false;  ///< the timer is set
  std::unique_ptr<ByteArray<kReadSize>> buffer_;
};

}  // namespace ekiden::runtime
