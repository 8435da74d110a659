// Nodes as they run in the real world, each on a thread of its own, for tests: real files, real sockets on loopback.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "runtime/host.hpp"
#include "support/temporary_directory.hpp"

namespace ekiden::runtime {

inline constexpr auto kHostPatience = std::chrono::seconds(60);  ///< only a failing test waits it out

/// Remembers what a node told its subscribers.
class Heard final : public Listener {
 public:
  void on_arrival(const router::ArrivedPtr& message) override;
  void on_state(const node::StateChanged& change) override;
  void on_peer_up(const identity::PeerId& peer) override;
  void on_stopping() override;

  /// The arrivals, once there are at least `count`; what there is after kHostPatience otherwise.
  std::vector<router::ArrivedPtr> arrivals(std::size_t count);
  bool wait_for_state(const router::MessageId& id, router::MessageState state);
  bool wait_for_peer();
  bool was_stopping();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<router::ArrivedPtr> arrivals_;
  std::vector<node::StateChanged> states_;
  std::size_t peers_ = 0;
  bool stopping_ = false;
};

/// Remembers what a node logged.
class HeardLog {
 public:
  void add(const LogLine& line);
  bool wait_for(std::string_view words);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
};

/// One data directory and, while it runs, its node.
class TestNode {
 public:
  explicit TestNode(const std::filesystem::path& data_dir);
  ~TestNode();

  /// Opens and runs. Test failures say why it could not.
  void start(const char* vfs = nullptr, bool new_store = false);
  /// Opens alone; for tests of what goes wrong.
  Result<std::unique_ptr<Host>> open(const char* vfs = nullptr, bool new_store = false);
  /// Graceful; returns what run() returned.
  Status stop();
  /// Waits for run() to end by itself.
  Status wait();
  /// Ends the loop without a word to the node: what stays is what a crash leaves.
  void crash();

  Host& host() { return *host_; }
  Heard& heard() { return *heard_; }
  const identity::PeerId& id() const { return id_; }
  const std::filesystem::path& data_dir() const { return data_dir_; }
  /// For the next start.
  void set_max_backlog(std::size_t bytes) { max_backlog_ = bytes; }
  void set_certificate_watch(Duration interval) { certificate_watch_ = interval; }
  /// True once a line of the log of this node contains the words; false after kHostPatience.
  bool wait_for_log(std::string_view words) { return log_->wait_for(words); }

  Result<router::MessageId> send(const identity::PeerId& to, const std::string& text,
                                 router::DeliveryClass delivery = router::DeliveryClass::durable);
  Status take(std::vector<std::uint64_t> numbers);
  Status meet(const std::string& name, TestNode& other);
  Status put_contact(identity::Contact contact);
  node::NodeStatus status();
  std::vector<router::ArrivedPtr> inbox();

  /// Runs the function on the loop and waits for it.
  template <class Function>
  auto call(Function function) {
    auto task = std::make_shared<std::packaged_task<decltype(function())()>>(std::move(function));
    auto future = task->get_future();
    host_->post([task] { (*task)(); });
    if (future.wait_for(kHostPatience) != std::future_status::ready) std::abort();
    return future.get();
  }

 private:
  HostOptions options(const char* vfs, bool new_store);

  std::filesystem::path data_dir_;
  identity::PeerId id_;
  std::shared_ptr<Heard> heard_;
  std::shared_ptr<HeardLog> log_ = std::make_shared<HeardLog>();
  std::size_t max_backlog_ = HostOptions().max_backlog;
  Duration certificate_watch_ = HostOptions().certificate_watch;
  std::unique_ptr<Host> host_;
  std::thread thread_;
  Status outcome_;
};

}  // namespace ekiden::runtime
