// A node running in the real world: one event loop with TCP sockets, a clock and timers, and a store thread with SQLite.
//
// Thread rules: everything here runs on the loop's thread, the one that called run(), unless it says otherwise. From
// other threads use post(). Callbacks run on the loop's thread and must not block.
//
// Order of a round of the loop: inputs are handled as they come; what they want written is pulled once per connection at
// the end of the round (many messages, one write); batches go to the store thread, which gathers what came while a commit
// was under way (group commit).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "node/node.hpp"
#include "runtime/settings.hpp"

namespace ekiden::runtime {

/// What a subscriber hears. Called on the loop's thread; must not call back into the Host except post().
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void on_arrival(const router::ArrivedPtr& /*message*/) {}
  virtual void on_state(const node::StateChanged& /*change*/) {}
  virtual void on_peer_up(const identity::PeerId& /*peer*/) {}
  virtual void on_peer_down(const identity::PeerId& /*peer*/, const Error& /*why*/) {}
};

struct HostOptions {
  std::filesystem::path data_dir;
  Settings settings;
  crypto::Ed25519Seed identity;
};

class Host {
 public:
  /// Takes the lock, opens the store, loads the node, listens. Errors: busy (another node runs on the directory, a port is
  /// in use: says which), storage_corrupt, storage_full …
  static Result<std::unique_ptr<Host>> open(HostOptions options);
  ~Host();

  /// Runs the loop until stop(). Returns why it ended: success, or a storage failure that ends the node.
  Status run();
  /// Any thread, also a signal handler of the loop: graceful end; bounded by `shutdown_timeout` (5 s).
  void stop();
  /// Any thread: runs the function on the loop.
  void post(std::function<void()> function);

  using SendDone = std::function<void(Result<router::MessageId>)>;
  using Done = std::function<void(Status)>;
  void send(router::Draft draft, SendDone done);
  void take(std::vector<std::uint64_t> numbers, Done done);
  void put_contact(identity::Contact contact, bool replace, Done done);
  void remove_contact(const identity::PeerId& id, Done done);
  void retry_now(const identity::PeerId& peer, Done done);

  void subscribe(std::weak_ptr<Listener> listener);

  const node::Node& node() const;
  /// Addresses bound, with real ports.
  const std::vector<identity::Endpoint>& listening() const;
  const std::filesystem::path& data_dir() const;
  Now now() const;
  std::uint64_t uptime_ms() const;

 private:
  friend struct HostAccess;  ///< runtime/loop.hpp: the event loop, for servers that share it
  struct Impl;
  explicit Host(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ekiden::runtime
