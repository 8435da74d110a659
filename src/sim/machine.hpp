// One machine of a simulation: the production Node on a simulated disk, network and clock, and an application on it.
//
// It drives the Node as the runtime does: feeds inputs, runs effects in order, pulls bytes after a WantWrite, ticks at
// the deadline. A crash destroys the Node with all that was not synced; a boot makes a new one from the disk. The
// identity survives, as a key file would.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.hpp"
#include "node/node.hpp"
#include "sim/broadcasts.hpp"
#include "sim/disk.hpp"
#include "sim/ledger.hpp"
#include "sim/network.hpp"
#include "sim/processor.hpp"
#include "sim/schedule.hpp"
#include "sim/trace.hpp"

namespace ekiden::sim {

/// 2026-01-01T00:00:00Z: where the wall clocks of a simulation begin.
inline constexpr WallTime kEpoch{milliseconds(1'767'225'600'000)};

/// Long enough to have published what others are to find.
inline constexpr Duration kAtHome = minutes(2);

/// A record that is not older than this is on its way to those who keep it.
inline constexpr Duration kPublishing = seconds(10);

/// What all machines of a world share. Outlives them.
struct Shared {
  Schedule& schedule;
  Network& network;
  Ledger& ledger;
  Broadcasts& broadcasts;
  TraceHash& trace;
  std::map<identity::PeerId, HostIndex>& hosts;
  std::set<identity::PeerId> traitors = {};                        ///< who else may have handed something on
  std::map<identity::PeerId, std::set<std::string>> accused = {};  ///< of those, and what logs of machines say of them
  std::uint64_t check_every = 1;  ///< steps between two checks of the invariants of the node that took the step
  bool print_log = false;
  ProcessorModel processor = {};
  std::uint64_t inputs = 0;
  std::uint64_t steps = 0;  ///< inputs, boots, and writes that found room again
};

/// How an application treats what arrives.
struct AppModel {
  Duration take_delay_max = milliseconds(200);
  /// What strangers write waits for the owner, who looks after it now and then and accepts or blocks each of them, for
  /// good. Otherwise it arrives like everything else.
  bool first_contact = false;
  Duration owner_delay_max = seconds(20);
  std::uint32_t block_percent = 30;
};

class Machine final : public NetworkHost {
 public:
  Machine(Shared& shared, node::Config config, DiskModel disk, AppModel app, Rng rng);
  /// With the key that somebody has chosen for it.
  Machine(Shared& shared, const crypto::Ed25519Seed& seed, node::Config config, DiskModel disk, AppModel app, Rng rng);
  ~Machine() override;

  HostIndex host() const { return host_; }
  const identity::PeerId& id() const { return id_; }
  const crypto::Ed25519Seed& seed() const { return seed_; }
  identity::NodeInfo info() const;

  /// Starts the node from what the disk holds.
  void boot();
  /// `reset`: only the process died, and its kernel says so to the peers; otherwise the power went. `reached`: see
  /// Disk::crash.
  void crash(bool reset, std::optional<std::size_t> reached = {});
  /// Ends as a person ends a node: it says goodbye and withdraws what it publishes, and is gone soon.
  void leave();

  /// Whom to join the network through, from the next boot on.
  void set_sources(bootstrap::Source sources) { config_.sources = std::move(sources); }
  void add_contact(const std::string& name, const identity::PeerId& id, std::vector<identity::Endpoint> endpoints);
  /// The application sends a message with a fresh body. Nothing happens while the machine is down.
  void send(const Machine& to, router::DeliveryClass delivery, wire::Priority priority, std::size_t body_size,
            Duration ttl);
  /// A volatile message to somebody who is no machine of this world: for what comes of the address in its record.
  void write_to_stranger(const identity::PeerId& to);

  // The wall clock: true time, plus an offset that drifts and steps.
  void set_drift(std::int64_t parts_per_million) { drift_ppm_ = parts_per_million; }
  void step_wall(Duration by);
  Duration wall_error() const;
  WallTime wall_time() const { return now().wall; }
  Now time() const { return now(); }
  /// So wrong that other nodes refuse what this one signs.
  bool wall_is_lost() const;
  /// It has been up for at least so long, and its clock right.
  bool is_in_order_since(Duration time) const;
  /// Of a machine that is down, did not take its leave, and had time to publish it: what others still keep of it.
  const std::optional<identity::PeerRecord>& left_record() const { return left_record_; }

  Disk& disk() { return disk_; }
  /// What its processor has done, in all runs.
  Duration worked() const { return processor_.worked(); }
  void stall_disk(bool stalled);
  /// It does nothing for so long: what comes waits, timers are late.
  void stall(Duration time);
  /// How often it has said, in all runs, that the network is split.
  std::uint64_t splits_told() const { return splits_told_; }

  const node::Node* node() const { return node_.get(); }
  /// REQUIRES: it is up.
  node::NetworkStatus network() const { return node_->network(now()); }
  std::uint64_t boots() const { return boots_; }
  const std::string& failure() const { return failure_; }

  /// Messages in its inbox that wait for its application, and not for its owner. REQUIRES: it is up.
  std::size_t untaken() const {
    const router::RouterStatus status = node_->status().router;
    return status.inbox_messages - status.waiting_messages;
  }

  // NetworkHost.
  bool is_up() const override { return node_ != nullptr; }
  /// Of all that it has sent over links to bring messages and receipts to their recipients, over all its runs.
  std::uint64_t delivery_bytes() const;
  /// It says goodbye, and is gone in a few seconds.
  bool is_leaving() const { return is_up() && is_leaving_; }
  void on_accepted(link::ConnId conn, const identity::IpAddress& from, std::uint16_t port) override;
  void on_connected(link::ConnId conn, const identity::SocketAddress& to) override;
  void on_connect_failed(link::ConnId conn, Error why) override;
  bool may_read(link::ConnId conn) override;
  void on_bytes(link::ConnId conn, ByteView bytes) override;
  void on_room(link::ConnId conn) override;
  void on_closed(link::ConnId conn, Error why) override;
  void on_datagram(const identity::SocketAddress& from, ByteView bytes) override;
  void on_beacon(const identity::SocketAddress& from, ByteView bytes) override;

  /// Called with what a search of find() has found; `took` is virtual time. With Errc::closed when the machine went
  /// down before.
  using Found = std::function<void(const node::PeerFound&, Duration took)>;
  void find(const identity::PeerId& peer, Found found);
  using OwnersFound = std::function<void(const node::CapabilityFound&, Duration took)>;
  void find(const std::string& capability, std::size_t limit, OwnersFound found);
  void offer(const std::string& capability);
  /// From now on, and again after each boot.
  void subscribe(const std::string& topic);
  void publish(const std::string& topic, Bytes payload);
  /// Called when the node has answered: whether it is on disk. Never if the machine went down before.
  using Written = std::function<void(bool)>;
  void put_entry(registry::Draft draft, Written written, const std::string& realm = {});
  /// One of its own.
  void remove_entry(const std::string& name, Written written);
  /// `request` is set here.
  void enter_realm(node::EnterRealm realm);
  /// From now on, and again after each boot. What is heard is in heard_in_realm().
  void listen_in_realm(const std::string& realm, const std::string& topic);
  void publish_in_realm(const std::string& realm, const std::string& topic, const std::string& text);
  const std::set<std::string>& heard_in_realm() const { return heard_in_realm_; }
  using Asked = std::function<void(const node::Answered&, Duration took)>;
  /// Called once, with Errc::closed when the machine went down before.
  void ask(router::Question question, Asked asked);

  /// What an application answers to these bytes.
  static router::Response response_to(ByteView body);

 private:
  Machine(Shared& shared, node::Config config, DiskModel disk, AppModel app, const crypto::Ed25519Seed& seed, Rng& rng);

  enum class Step : std::uint8_t { input, write, boot, power_went, process_died };

  Now now() const;
  /// What follows in the trace is of this machine and this moment.
  void begin_trace(Step step);
  void feed(node::Input input);
  void run_effects();
  void check();
  void run_effect(node::Effect effect);
  void log(std::string_view component, const std::string& text) const;
  void flush(link::ConnId conn);
  // machine_clock.cpp
  void leave_record();
  void arm_timer();
  bool is_stalled() const { return shared_.schedule.now() < stalled_until_; }
  template <class Act>
  void when_awake(Act act);
  void note_accused(std::string_view component, const std::string& text);
  void on_topic_message(const node::TopicMessage& message);
  void on_arrival(const router::ArrivedPtr& message);
  void on_delivered(const router::MessageId& id);
  void put_contact(const identity::Contact& contact);
  void take(std::uint64_t inbox_number, SendNumber number);
  void on_request(const router::ArrivedPtr& message);
  // machine_store.cpp
  Status load();
  void count_kept(const store::Batch& batch);
  // owner.cpp
  void watch_contact_requests();
  void judge_contact_requests();
  router::RequestId next_request() { return router::RequestId{++requests_}; }

  Shared& shared_;
  node::Config config_;
  AppModel app_;
  Rng rng_;
  crypto::Ed25519Seed seed_;
  identity::PeerId id_;
  HostIndex host_;
  Disk disk_;
  Processor processor_;
  std::unique_ptr<node::Node> node_;
  Outbox<node::Effect> out_;
  std::set<link::ConnId> to_flush_;
  std::map<router::RequestId, SendNumber> sends_;  ///< waiting for their answer
  std::map<router::RequestId, SendNumber> takes_;
  std::map<router::RequestId, Written> writes_;                      ///< of the registry
  std::map<router::RequestId, identity::Contact> unsaved_contacts_;  ///< told again after a crash, as a person would
  std::map<identity::PeerId, bool> verdicts_;  ///< strangers that the owner accepts (true) or blocks
  template <class Done>
  struct Finding {
    Instant since;
    Done found;
  };
  std::map<router::RequestId, Finding<Found>> finds_;
  std::map<router::RequestId, Finding<OwnersFound>> owner_finds_;
  std::map<router::RequestId, Finding<Asked>> asks_;
  std::set<std::string> topics_;                                    ///< to which it subscribes
  std::set<std::pair<std::string, std::string>> topics_in_realms_;  ///< with their realms
  std::set<std::string> heard_in_realm_;
  std::optional<Instant> timer_;
  Instant stalled_until_{};
  std::uint64_t splits_told_ = 0;
  std::uint64_t boots_ = 0;
  bool is_leaving_ = false;
  std::uint64_t delivery_bytes_ = 0;  ///< of the runs that are over
  Instant in_order_since_;
  std::optional<identity::PeerRecord> left_record_;
  std::uint64_t requests_ = 0;
  std::int64_t drift_ppm_ = 0;
  Duration wall_offset_{};
  bool feeding_ = false;
  std::string failure_;
};

}  // namespace ekiden::sim
