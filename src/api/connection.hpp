// What the server and its connections share. Private to src/api.
//
// A connection is HTTP first and may become a WebSocket of events: the HTTP side hands its socket over, and the other
// takes its place in the server's table. Whoever is in the table is stopped with the server; a connection that ends
// says so itself, once.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <utility>

#include "api/access.hpp"
#include "api/event_hub.hpp"
#include "api/server.hpp"

namespace ekiden::api {

enum class ConnectionId : std::uint64_t {};

class Connection {
 public:
  virtual ~Connection() = default;
  /// Ends it now. The connection still reports its end to the table.
  virtual void stop() = 0;
};

/// The table of connections. Outlives none of them: connections hold it weakly.
class ConnectionTable {
 public:
  virtual ~ConnectionTable() = default;
  virtual void replace(ConnectionId id, std::shared_ptr<Connection> connection) = 0;
  virtual void remove(ConnectionId id) = 0;
};

/// What every connection needs. Shared, so that a handler that runs after the server is gone finds it whole.
struct ConnectionContext {
  ServerConfig config;
  AccessPolicy access;
  Backend& backend;
  std::shared_ptr<EventHub> hub;
  std::weak_ptr<ConnectionTable> table;
};

using ContextPtr = std::shared_ptr<const ConnectionContext>;
using Socket = boost::asio::ip::tcp::socket;

/// Begins to serve the socket. The server puts what it gets into its table.
std::shared_ptr<Connection> make_http_connection(ContextPtr context, ConnectionId id, Socket socket);

/// Answers the upgrade and begins to send events. REQUIRES: access was checked, and `head` asks for a WebSocket.
std::shared_ptr<Connection> make_event_connection(ContextPtr context, ConnectionId id, Socket socket,
                                                  const RequestHead& head, Wanted wanted);

}  // namespace ekiden::api
