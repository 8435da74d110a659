// Why an answer of the node takes so long, said while a command waits for it.
//
// A node whose disk is full answers who asks after it has seen that; who is first waits for a commit that is tried
// again and again. What it gave is in the node's memory and is written as soon as there is room: it cannot be
// withdrawn, so the command goes on waiting, and says why.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "cli/commands.hpp"

namespace ekiden::cli {

/// Lives as long as the command waits. One that is over within a second costs nothing but a thread.
class StorageWatch {
 public:
  explicit StorageWatch(const Context& context);
  ~StorageWatch();
  StorageWatch(const StorageWatch&) = delete;
  StorageWatch& operator=(const StorageWatch&) = delete;

 private:
  /// True if the wait was over before it had lasted so long.
  bool is_over_within(Duration duration);
  void look(const Context& context);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace ekiden::cli
