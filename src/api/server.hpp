// The local API: HTTP/1.1 and WebSocket on a loopback address, on the event loop of the node.
//
// Life: open() binds, makes the token and writes `api.token` and `api.address` of the data directory; stop() closes
// every connection and removes both files again, so that a client can tell a stopped node from a slow one. Everything
// happens on the loop's thread; the server must be destroyed there, or after the loop has ended.
//
// Bounds and the attacks they stop, all in ServerConfig: connections in total (a program that leaks them); a deadline
// for each phase of a request (slowloris); sizes of head, body and WebSocket messages; queued events of a subscriber.
//
// For monitors it is another server on another address: metrics and health alone, without a token and without files.
//
// Requests on one connection are answered one after the other, in their order; pipelining is allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "api/backend.hpp"
#include "api/http_request.hpp"
#include "api/routes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace boost::asio {
class io_context;
}

namespace ekiden::api {

struct ServerConfig {
  std::string listen = "127.0.0.1:0";  ///< Loopback only, but for monitors; port 0: any free one.
  Audience audience = Audience::owner;
  HttpLimits limits = {};
  std::size_t max_connections = 64;
  Duration head_deadline = seconds(5);            ///< From the first byte (of the first request: from the connection).
  Duration body_deadline = seconds(10);           ///< From the end of the head.
  Duration answer_deadline = seconds(60);         ///< For the node to answer; the disk may be slow.
  Duration write_deadline = seconds(10);          ///< For the client to take the answer.
  Duration idle_deadline = seconds(60);           ///< Between requests.
  Duration linger = seconds(1);                   ///< For the client to read why it was refused.
  Duration websocket_idle = seconds(60);          ///< Silence after which a subscriber is gone; pinged at half of it.
  Duration slow_close = seconds(5);               ///< For a subscriber that was too slow to hear so.
  std::size_t max_websocket_message = 64 * 1024;  ///< From the client.
  std::size_t max_queued_events = 4096;           ///< Per subscriber.
  std::size_t max_queued_event_bytes = 4 << 20;   ///< Per subscriber.
};

class Server {
 public:
  /// `loop` and `backend` outlive the server. Errors: invalid_argument, refused (not a loopback address), busy (the
  /// port is in use), storage_full and others of files.
  static Result<std::unique_ptr<Server>> open(boost::asio::io_context& loop, Backend& backend,
                                              const std::filesystem::path& data_dir, ServerConfig config);
  ~Server();

  /// Closes everything; subscribers are told "going away". Again is harmless.
  void stop();

  /// "127.0.0.1:39475", with the real port.
  const std::string& address() const;
  /// Connections of both kinds.
  std::size_t connections() const;

 private:
  struct Impl;
  explicit Server(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace ekiden::api
