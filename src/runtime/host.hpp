// A node running in the real world: one event loop with TCP sockets, a clock and timers, and a store thread with
// SQLite.
//
// Thread rules: everything here runs on the loop's thread, the one that called run(), unless it says otherwise. From
// other threads use post(). Callbacks run on the loop's thread and must not block.
//
// Order of a round of the loop: inputs are handled as they come; what they want written is pulled once per connection
// at the end of the round (many messages, one write); batches go to the store thread, which gathers what came while a
// commit was under way (group commit).
//
// Back-pressure: while more than HostOptions::max_backlog bytes wait for the disk, nothing is read from other nodes, so
// a slow disk slows them down instead of filling the memory.
//
// End: stop() says goodbye to neighbours and withdraws what is published, waits until that is done, the last batch is
// on disk and the links are closed, at most kShutdownTimeout; a disk that fails ends the node at once, with nothing
// acknowledged that is not durable. A Host that is destroyed without that leaves what a crash leaves, which the next
// start knows how to read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "node/node.hpp"
#include "runtime/log.hpp"
#include "runtime/settings.hpp"

namespace ekiden::runtime {

/// What a subscriber hears. Called on the loop's thread; must not call back into the Host except post().
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void on_arrival(const router::ArrivedPtr& /*message*/) {}
  virtual void on_state(const node::StateChanged& /*change*/) {}
  virtual void on_topic_message(const node::TopicMessage& /*message*/) {}
  virtual void on_entry_changed(const node::EntryChanged& /*changed*/) {}
  virtual void on_realm_left(const std::string& /*realm*/) {}
  virtual void on_network_changed(const node::NetworkChanged& /*changed*/) {}
  virtual void on_peer_up(const identity::PeerId& /*peer*/) {}
  virtual void on_peer_down(const identity::PeerId& /*peer*/, const Error& /*why*/) {}
  /// The node is about to end: the last moment to say so to others. Nothing comes after it.
  virtual void on_stopping() {}
};

struct HostOptions {
  std::filesystem::path data_dir;
  Settings settings;
  crypto::Ed25519Seed identity;
  bool new_store = false;  ///< begin with an empty store where there is none
  /// Bytes that may wait for the disk; over it nothing is read from other nodes until half of it is left.
  std::size_t max_backlog = std::size_t{16} * 1024 * 1024;
  /// How often it is looked whether the files of the certificate have changed.
  Duration certificate_watch = seconds(10);
  LogSink log = {};  ///< empty: standard error, as the settings say
  /// SQLite's name of a file layer, for tests that inject faults; null: the ordinary one. Lives as long as the host.
  const char* store_vfs = nullptr;
};

class Host {
 public:
  static constexpr Duration kShutdownTimeout = seconds(5);

  /// Takes the lock, opens the store, loads the node, listens. Errors: busy (another node runs on the directory, a port
  /// is in use: says which), not_found (the store is missing: see HostOptions::new_store), already_exists (new_store
  /// where there is one), storage_corrupt, storage_full, unsupported (the store was made by a newer build), those of
  /// make_server_context() and make_client_context() (runtime/tls_context.hpp).
  static Result<std::unique_ptr<Host>> open(HostOptions options);
  ~Host();

  /// Runs the loop until stop(). Returns why it ended: success, or a storage failure that ends the node.
  Status run();
  /// Any thread, also a signal handler of the loop: graceful end, in bounded time.
  void stop();
  /// Any thread, also a signal handler of the loop: reads the certificate and key of wss:// again. Links stay; the log
  /// says how it went, and a pair that cannot be used leaves the one that is in use. Happens by itself when the files
  /// change.
  void reload_certificate();
  /// Any thread: runs the function on the loop, in order. After the end of run() it runs on the caller's thread, one at
  /// a time, so that whoever waits for it gets an answer (requests fail with `closed`).
  void post(std::function<void()> function);

  // Requests. Each `done` is called once, in a later round or in this one; with `closed` if the node ends before.

  using SendDone = std::function<void(Result<router::MessageId>)>;
  using Done = std::function<void(Status)>;
  void send(router::Draft draft, SendDone done);
  using PlaceDone = std::function<void(const Result<router::Placement>&)>;
  /// To the best of those who offer the capability.
  void place(router::Draft draft, std::string capability, PlaceDone done);
  using AskDone = std::function<void(const node::Answered&)>;
  void ask(router::Question question, AskDone done);
  /// To the request under this number of the inbox, which is then taken; the id of the reply.
  void answer(std::uint64_t number, router::Response response, SendDone done);
  void take(std::vector<std::uint64_t> numbers, Done done);
  void put_contact(identity::Contact contact, bool replace, Done done);
  void remove_contact(const identity::PeerId& id, Done done);
  /// Refuse what this peer sends, or no longer.
  void block(const identity::PeerId& id, bool blocked, Done done);
  void retry_now(const identity::PeerId& peer, Done done);
  /// Try now the bootstrap nodes that were not tried yet.
  void probe_bootstrap(Done done);
  using FindDone = std::function<void(const node::PeerFound&)>;
  void find_peer(const identity::PeerId& peer, FindDone done);
  using OwnersDone = std::function<void(const node::CapabilityFound&)>;
  void find_capability(std::string capability, std::size_t limit, OwnersDone done);
  void offer_capability(std::string capability, Done done);
  void withdraw_capability(std::string capability, Done done);
  /// Whether the node hands on packets of others, from now on and across restarts.
  void switch_relay(bool on, Done done);

  /// Listeners hear what is published in the topic. As often as there are subscribers. `realm`: empty for none, as
  /// below.
  void subscribe_topic(std::string topic, std::string realm, Done done);
  void unsubscribe_topic(std::string topic, std::string realm, Done done);
  using PublishDone = std::function<void(const Result<gossip::Publication>&)>;
  void publish(std::string topic, std::string realm, Bytes payload, PublishDone done);

  /// Ends once it is on disk.
  void put_entry(registry::Draft draft, std::string realm, Done done);
  void remove_entry(const identity::PeerId& owner, std::string name, std::string realm, Done done);
  /// Somebody reads the registry: the node looks for others that hold it, from now on.
  void read_registry();

  /// `request` of it is set here.
  void enter_realm(node::EnterRealm realm, Done done);
  void leave_realm(std::string name, Done done);

  using ProbeDone = std::function<void(const node::PeerProbed&)>;
  /// The request number of `probe` is given here.
  void probe_peer(node::ProbePeer probe, ProbeDone done);

  /// Until it expires. Before run(): it also hears of the messages that wait in the inbox.
  void subscribe(std::weak_ptr<Listener> listener);

  const node::Node& node() const;
  /// Addresses bound, with real ports.
  const std::vector<identity::Endpoint>& listening() const;
  const std::filesystem::path& data_dir() const;
  Now now() const;
  std::uint64_t uptime_ms() const;
  /// Until when the certificate of wss:// is valid; nothing without one.
  std::optional<WallTime> certificate_end() const;

 private:
  friend struct HostAccess;  ///< runtime/loop.hpp: the event loop, for servers that share it
  struct Impl;
  explicit Host(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ekiden::runtime
