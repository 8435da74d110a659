// What is behind a Node: the host, its thread, and the listeners that hand on what happens.
//
// Made and destroyed on threads other than the node's. What is said to be of the node's thread is touched there alone,
// by functions that are posted to it; call() posts one and waits.
#pragma once

#include <ekiden/node.hpp>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "embed/answering.hpp"
#include "embed/entries.hpp"
#include "embed/mailroom.hpp"
#include "embed/network_watch.hpp"
#include "embed/topics.hpp"
#include "runtime/host.hpp"

namespace ekiden {

struct Node::Impl {
  explicit Impl(std::unique_ptr<runtime::Host> opened);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  /// Runs `function` on the node's thread and waits for its result.
  template <class T, class Function>
  T call(Function function) {
    std::promise<T> promise;
    auto result = promise.get_future();
    host->post([&] { function(promise); });
    return result.get();
  }

  void take_answering();
  Status offer(const std::string& capability);
  Status withdraw(const std::string& capability);
  Status set_blocked(const PeerId& id, bool blocked);
  /// On the node's thread.
  void on_request();
  void run();
  Result<router::Trace> trace(const std::string& id);

  // shared_state.cpp
  Status enter(node::EnterRealm realm);
  /// The invitation to what was made.
  Result<std::string> make(const std::string& name, node::EnterRealm::How how);
  Result<std::string> invitation(const std::string& name);

  std::unique_ptr<runtime::Host> host;
  std::shared_ptr<embed::Mailroom> mailroom = std::make_shared<embed::Mailroom>();
  std::shared_ptr<embed::Topics> topics = std::make_shared<embed::Topics>();
  std::shared_ptr<embed::Watcher> watcher = std::make_shared<embed::Watcher>();
  std::shared_ptr<embed::NetworkWatch> network = std::make_shared<embed::NetworkWatch>();
  std::mutex answering_mutex;  ///< of the table: its values live until stop_serving()
  std::map<std::string, std::unique_ptr<embed::Answering>> answering;
  std::thread thread;
};

}  // namespace ekiden
