// Inside a Host: how inputs reach the node and effects leave it.
//
// feed() hands one input to the node and runs the effects that come of it, in order; an input that an effect causes (an
// answer makes its caller send again) joins the same queue, so the node is never called from within itself. end_round()
// follows when all inputs of one wake-up have been fed: it writes what is to be written and sets the timer.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/outbox.hpp"
#include "runtime/asio.hpp"
#include "runtime/backlog.hpp"
#include "runtime/data_dir_lock.hpp"
#include "runtime/host.hpp"
#include "runtime/lan_socket.hpp"
#include "runtime/port_mapper.hpp"
#include "runtime/sqlite_store.hpp"
#include "runtime/tcp.hpp"
#include "runtime/udp.hpp"

namespace ekiden::runtime {

struct Host::Impl final : TcpUser, UdpUser, LanUser {
  Impl(HostOptions o, DataDirLock l, std::unique_ptr<SqliteStore> s);

  // host.cpp
  Status open_node();
  void advertise_bound();
  void open_lan();
  void begin();
  void begin_port_mapping();
  void accept_when_ready();
  void feed(node::Input input);
  void request(router::RequestId id, node::Input input, SendDone done);
  /// Of a request whose answer waits already.
  void ask(node::Input input);
  void set_timer();
  void tick_next();
  void tick();
  bool disk_works() const;
  void let_store_in() const;
  void post(std::function<void()> function);
  void run_posted();
  void run_last_posted();
  void log(node::LogLevel level, std::string_view component, std::string_view text);

  // certificate.cpp
  Status open_web();
  void watch_certificate();
  void reload_certificate();
  void judge_certificate();

  // effects.cpp
  void run(node::Effect&& effect);
  void run_effects();
  void persist(node::Persist&& asked_for);
  void answer(const node::Reply& reply);
  template <class Call>
  void tell(Call call);

  // shutdown.cpp
  StoreEvents store_events();
  void on_persisted();
  void look_at_disk();
  void stop();
  void finish_if_done();
  void fail(Error why);
  void end(Status why);

  void on_accepted(ConnId conn, const identity::SocketAddress& from, identity::Endpoint::Transport transport) override;
  void on_connected(ConnId conn, const std::optional<identity::SocketAddress>& address) override;
  void on_connect_failed(ConnId conn, Error why) override;
  bool may_read(ConnId conn) override;
  void on_bytes(ConnId conn, ByteView bytes) override;
  void on_closed(ConnId conn, Error why) override;
  ByteView to_send(ConnId conn) override;
  void mark_sent(ConnId conn, std::size_t bytes) override;
  void on_datagram(const identity::SocketAddress& from, ByteView bytes) override;
  void on_beacon(const identity::SocketAddress& from, ByteView bytes) override;
  void between_reads(bool halved) override;
  void end_round() override;
  void on_accept_paused(Error why) override;

  /// Running: inputs are fed. Stopping: goodbyes and the last commit are under way. Ended: nothing reaches the node.
  enum class State { opened, running, stopping, ended };
  enum class CertificateAge { fresh, ending, over };

  HostOptions options;
  DataDirLock lock;  ///< outlives the store
  LogSink log_sink;
  asio::io_context loop{1};
  asio::executor_work_guard<Executor> work{loop.get_executor()};
  node::Node node;
  Outbox<node::Effect> outbox;
  bool accepting = false;
  bool draining = false;
  bool in_round = false;  ///< posted functions run, which the end of the round called
  State state = State::opened;
  Status outcome;  ///< why it ended
  Instant started;

  /// Functions from other threads; after the end they run under the lock, which they may take again.
  std::recursive_mutex posted_mutex;
  std::vector<std::function<void()>> posted;
  bool over = false;

  std::vector<identity::Endpoint> listening;
  std::vector<std::weak_ptr<Listener>> listeners;
  std::uint64_t next_request = 1;
  std::map<router::RequestId, SendDone> requests;
  std::map<router::RequestId, FindDone> finds;
  std::map<router::RequestId, OwnersDone> owner_finds;
  std::map<router::RequestId, ProbeDone> probes;
  std::map<router::RequestId, PlaceDone> places;
  std::map<router::RequestId, AskDone> asks;
  std::map<router::RequestId, PublishDone> publications;

  Timer timer{loop};
  std::optional<Instant> timer_at;  ///< when it will fire, if it is set
  bool tick_pending = false;        ///< the loop does one next
  Timer patience{loop};             ///< bounds the stopping

  store::PersistToken asked{};      ///< last batch given to the store
  store::PersistToken persisted{};  ///< last batch known to be on disk
  Backlog backlog{options.max_backlog};
  /// Written by the store's thread: the newest token on disk, and whether the loop has yet to look.
  std::atomic<std::uint64_t> on_disk{0};
  std::atomic<bool> look_pending{false};

  Timer certificate_timer{loop};
  TlsFiles certificate;                                    ///< of wss://; empty if nothing listens there
  std::string certificate_stamp;                           ///< of the files when they were looked at last
  CertificateAge certificate_age = CertificateAge::fresh;  ///< when it was looked at last

  std::optional<PortMapper> port_mapper;  ///< its thread posts to the loop
  Tcp tcp{loop, *this};
  Udp udp{loop, *this};
  LanSocket lan{loop, *this};
  std::unique_ptr<SqliteStore> store;  ///< destroyed first: its thread posts to the loop
};

}  // namespace ekiden::runtime
