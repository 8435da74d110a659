// Threads that answer the requests for one capability with a handler of the application.
//
// Each thread takes the oldest request that no other has, calls the handler, and gives the answer to the node. Made and
// destroyed on threads other than the node's; news() is called on that. The host outlives it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <ekiden/node.hpp>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "runtime/host.hpp"

namespace ekiden::embed {

class Answering {
 public:
  Answering(runtime::Host& host, std::string capability, std::size_t concurrency, Node::Handler handler);
  /// Waits for the handlers that run.
  ~Answering();
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;

  /// A request came in, perhaps for us.
  void news();
  /// The threads end as soon as their handlers return.
  void stop();

 private:
  void work();
  router::ArrivedPtr next();
  router::ArrivedPtr look();
  void answer(const router::Arrived& request);

  runtime::Host& host_;
  const std::string capability_;
  const Node::Handler handler_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t news_ = 1;
  std::set<std::uint64_t> taken_;  ///< requests that a thread has
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace ekiden::embed
