// A client of the local API: synchronous, for commands and small programs.
//
// It finds the node through the data directory (`api.address`, `api.token`). Every call is bounded by a timeout. An
// answer that is a problem document becomes an Error with its code and sentence. Not thread-safe.
//
// Errors beside those of the API: closed, when no node runs on the directory or it stopped meanwhile; timed_out;
// malformed, when what answers is not a node.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace ekiden::api {

/// Events of the node, as they come.
class EventStream {
 public:
  ~EventStream();
  EventStream(EventStream&&) noexcept;
  EventStream& operator=(EventStream&&) noexcept;

  /// The next event. Errors: timed_out (ask again, nothing is lost), closed (the node stopped), not_found (the node has
  /// left the realm of the topic), limit_exceeded (we were too slow and events were dropped: open a new stream and read
  /// the inbox).
  Result<Json> next(Duration timeout);

 private:
  friend class Client;
  struct Impl;
  explicit EventStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Client {
 public:
  /// Reads where the node is and connects, to be sure that it is there. Errors: closed, saying how to start one;
  /// refused (the files are not readable by us).
  static Result<Client> open(const std::filesystem::path& data_dir, Duration timeout = seconds(30));
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  /// `path` with its parameters, escaped: "/v1/inbox?after=7". The answer is null where there is none (204).
  Result<Json> get(std::string_view path);
  Result<Json> post(std::string_view path, const Json& body);
  /// POST without a body.
  Result<Json> post(std::string_view path);
  Result<Json> put(std::string_view path, const Json& body);
  /// PUT without a body.
  Result<Json> put(std::string_view path);
  Result<Json> remove(std::string_view path);

  /// `kinds`: "message,state,peer" or some of them. What happens after the return is in the stream.
  Result<EventStream> events(std::string_view kinds);
  /// What is published in a topic, for as long as the stream lives.
  Result<EventStream> topic(std::string_view name, std::string_view realm = {});

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ekiden::api
