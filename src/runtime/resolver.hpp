// DNS without blocking the loop.
//
// getaddrinfo() blocks for as long as the network likes and cannot be cancelled, so each lookup has a thread of its
// own, at most kMaxLookups at a time; further ones wait in order, at most kMaxWaiting. The threads are detached: a node
// that ends waits for no name server. They touch nothing of the node but a mailbox that outlives it. A machine that has
// no thread to give fails the lookup and nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "identity/address.hpp"
#include "runtime/asio.hpp"

namespace ekiden::runtime {

class Resolver {
 public:
  static constexpr std::size_t kMaxLookups = 8;
  static constexpr std::size_t kMaxWaiting = 256;
  static constexpr std::size_t kMaxAddresses = 16;  ///< of one name; further ones are dropped

  using Done = std::function<void(Result<std::vector<identity::IpAddress>>)>;

  /// Runs a function on a thread of its own; throws std::system_error if there is none, as std::thread does.
  using StartThread = void (*)(std::function<void()>);
  static void start_thread(std::function<void()> work);

  explicit Resolver(asio::io_context& loop, StartThread start = start_thread);
  /// Callbacks that have not come will not come.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Calls back on the loop, later, once. Errors: unreachable (names the host and the resolver's reason),
  /// limit_exceeded.
  void resolve(std::string host, Done done);

 private:
  struct Mailbox;
  const StartThread start_;
  std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace ekiden::runtime
