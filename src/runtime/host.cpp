#include "runtime/host.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include "base/check.hpp"
#include "runtime/clock.hpp"
#include "runtime/descriptors.hpp"
#include "runtime/entropy.hpp"
#include "runtime/host_impl.hpp"
#include "runtime/lan_place.hpp"
#include "runtime/loop.hpp"
#include "runtime/schema.hpp"

namespace ekiden::runtime {

Host::Impl::Impl(HostOptions o, DataDirLock l, std::unique_ptr<SqliteStore> s)
    : options(std::move(o)),
      lock(std::move(l)),
      log_sink(options.log ? options.log : standard_error_log(options.settings.log_level, options.settings.log_format)),
      node(options.identity, options.settings.node, Rng(entropy_seed())),
      started(read_clocks().mono),
      store(std::move(s)) {
  options.identity.erase();
}

Result<std::unique_ptr<Host>> Host::open(HostOptions options) {
  ensure_crypto_ready();
  EKIDEN_ASSIGN(DataDirLock lock, DataDirLock::acquire(options.data_dir));
  const std::filesystem::path store_path = options.data_dir / kStoreFile;
  if (options.new_store) EKIDEN_TRY(create_store(store_path));
  EKIDEN_ASSIGN(auto store, SqliteStore::open({.path = store_path, .vfs = options.store_vfs}));
  const std::size_t wanted = options.settings.node.link.max_links;
  node::Config& config = options.settings.node;
  config.discovery = std::ranges::any_of(options.settings.listen, [](const identity::Endpoint& endpoint) {
    return endpoint.transport == identity::Endpoint::Transport::udp;
  });
  if (config.private_network) {
    // A machine or a network at home is one prefix, in which nobody else can be.
    config.dht.max_prefix_in_bucket = config.dht.max_prefix_in_table = 0;
    config.dht.max_lookup_prefix = config.dht.max_stores_per_prefix = 0;
    config.bootstrap.max_per_prefix = config.bootstrap.max_nodes;
  }
  const bool fewer = fit_links(options.settings.node.link, descriptor_limit());
  auto impl = std::make_unique<Impl>(std::move(options), std::move(lock), std::move(store));
  if (fewer) {
    impl->log(node::LogLevel::warning, "tcp",
              "at most " + std::to_string(impl->options.settings.node.link.max_links) + " links instead of " +
                  std::to_string(wanted) + ": this process may have " + std::to_string(descriptor_limit()) +
                  " files open; raise that limit (ulimit -Hn) for more");
  }
  if (const auto& mended = impl->store->mended()) impl->log(node::LogLevel::warning, "store", mended->text());
  EKIDEN_TRY(impl->open_node());
  return std::unique_ptr<Host>(new Host(std::move(impl)));
}

Status Host::Impl::open_node() {
  EKIDEN_ASSIGN(const auto rows, store->load());
  EKIDEN_TRY(node.load(rows));
  EKIDEN_TRY(store->load(store::Reading::streamed,
                         [this](const store::Key& key, ByteView value) { return node.load_row(key, value); }));
  EKIDEN_TRY(open_web());
  for (const identity::Endpoint& endpoint : options.settings.listen) {
    const bool is_udp = endpoint.transport == identity::Endpoint::Transport::udp;
    EKIDEN_ASSIGN(auto bound, is_udp ? udp.listen(endpoint) : tcp.listen(endpoint));
    listening.push_back(std::move(bound));
  }
  node.set_listening(listening);
  if (options.settings.advertise.empty() && options.settings.node.private_network) advertise_bound();
  open_lan();
  return {};
}

/// In a network of private addresses, whoever says nothing else is where it listens.
void Host::Impl::advertise_bound() {
  std::vector<identity::Endpoint> endpoints;
  for (const identity::Endpoint& endpoint : listening) {
    const auto address = endpoint.address();
    if (address && identity::may_dial(*address, identity::LearnedFrom::configuration)) endpoints.push_back(endpoint);
  }
  node.set_advertised(std::move(endpoints));
}

/// A machine whose network forbids multicast is a node like others, that finds its neighbours otherwise.
void Host::Impl::open_lan() {
  const node::Config& config = options.settings.node;
  if (options.settings.lan != "on" || !config.discovery || !config.take_part) return;
  const auto place = lan_place(listening);
  if (!place) return;
  LanOptions lan_options;
  lan_options.from = place->from;
  if (const auto opened = lan.open(std::move(lan_options)); !opened) {
    log(node::LogLevel::warning, "lan", "peers on the local network are not looked for: " + opened.error().message);
    return;
  }
  node.set_lan_ports(place->ports);
}

void Host::Impl::begin() {
  CHECK(state == State::opened);
  state = State::running;
  store->start(store_events());
  watch_certificate();
  begin_port_mapping();
  node.start(read_clocks(), outbox);
  run_effects();
  accept_when_ready();
  udp.start();
  lan.start();
  end_round();
}

/// Its callbacks come from its own thread.
void Host::Impl::begin_port_mapping() {
  const Settings& settings = options.settings;
  const bool is_wanted = settings.port_mapping == "on" && settings.node.discovery && settings.node.take_part &&
                         !settings.node.private_network && PortMapper::is_useful(listening);
  if (!is_wanted) return;
  const auto tell = [this](node::Input input) {
    post([this, input = std::move(input)]() mutable {
      if (state == State::running) feed(std::move(input));
    });
  };
  port_mapper.emplace(
      PortMapperOptions{.listening = listening,
                        .mapped = [tell](const identity::Endpoint& endpoint) { tell(node::EndpointMapped{endpoint}); },
                        .lost = [tell](const identity::Endpoint& endpoint) { tell(node::MappingLost{endpoint}); },
                        .log =
                            [this](std::string text) {
                              post([this, text = std::move(text)] { log(node::LogLevel::info, "router", text); });
                            }});
}

/// Until the own record is on disk there is nothing to show in a handshake: who connects before that waits in the
/// system's queue instead of being turned away.
void Host::Impl::accept_when_ready() {
  if (accepting || node.own_record().empty()) return;
  accepting = true;
  tcp.start_accepting();
}

void Host::Impl::feed(node::Input input) {
  if (state == State::ended) return;
  node.handle(read_clocks(), std::move(input), outbox);
  run_effects();
}

void Host::Impl::request(router::RequestId id, node::Input input, SendDone done) {
  CHECK(state != State::opened);
  if (state == State::ended) {
    done(ekiden::fail(Errc::closed, "the node has ended"));
    return;
  }
  requests.emplace(id, std::move(done));
  ask(std::move(input));
}

void Host::Impl::ask(node::Input input) {
  feed(std::move(input));
  if (!draining) end_round();
}

/// Others wait for what the disk has done, and the disk works on the first half of a long round while the rest is read.
void Host::Impl::between_reads(bool halved) {
  if (state == State::ended) return;
  look_at_disk();
  if (halved && !disk_works()) store->submit();
  let_store_in();
}

void Host::Impl::end_round() {
  if (in_round) return;
  look_at_disk();
  // What callbacks of this round asked for belongs to its commit.
  run_posted();
  if (state == State::ended) return;
  // The disk first: it works while the sockets are written.
  store->submit();
  tcp.flush();
  udp.flush();
  store->submit();  // A connection that broke while it was written may have changed something.
  set_timer();
  finish_if_done();
}

/// Sets the timer only when it would fire too late: one that fires early costs a look, setting it costs a system call.
void Host::Impl::set_timer() {
  const auto deadline = node.deadline();
  if (!deadline || (timer_at && *timer_at <= *deadline)) return;
  if (*deadline <= read_clocks().mono) return tick_next();
  timer_at = deadline;
  timer.expires_at(std::chrono::steady_clock::time_point(deadline->time_since_epoch()));
  timer.async_wait([this](ErrorCode error) {
    if (error) return;
    timer_at.reset();
    tick();
  });
}

bool Host::Impl::disk_works() const {
  return on_disk.load(std::memory_order_relaxed) < static_cast<std::uint64_t>(store->submitted());
}

/// Where the store's thread shares our core, the disk is idle until it has its turn.
void Host::Impl::let_store_in() const {
  if (disk_works()) std::this_thread::yield();
}

/// What is to be done now is done while the disk works.
void Host::Impl::tick_next() {
  if (std::exchange(tick_pending, true)) return;
  let_store_in();
  asio::post(loop, [this] {
    tick_pending = false;
    tick();
  });
}

void Host::Impl::tick() {
  feed(node::Tick{});
  end_round();
}

/// What several threads post while the loop is busy is one wake-up and one round.
void Host::Impl::post(std::function<void()> function) {
  const std::lock_guard guard(posted_mutex);
  if (over) {
    function();
    return;
  }
  posted.push_back(std::move(function));
  if (posted.size() == 1) asio::post(loop, [this] { end_round(); });
}

void Host::Impl::run_posted() {
  std::vector<std::function<void()>> functions;
  {
    const std::lock_guard guard(posted_mutex);
    functions.swap(posted);
  }
  in_round = true;
  for (const auto& function : functions) function();
  in_round = false;
}

void Host::Impl::run_last_posted() {
  const std::lock_guard guard(posted_mutex);
  over = true;
  for (const auto& function : std::exchange(posted, {})) function();
}

void Host::Impl::log(node::LogLevel level, std::string_view component, std::string_view text) {
  log_sink({level, component, text});
}

void Host::Impl::on_accepted(ConnId conn, const identity::SocketAddress& from,
                             identity::Endpoint::Transport transport) {
  feed(node::ConnAccepted{conn, from.ip, from.port, transport});
}
void Host::Impl::on_connected(ConnId conn, const std::optional<identity::SocketAddress>& address) {
  feed(node::ConnConnected{conn, address});
}
void Host::Impl::on_connect_failed(ConnId conn, Error why) { feed(node::ConnFailed{conn, std::move(why)}); }
bool Host::Impl::may_read(ConnId conn) { return state == State::ended || node.may_read(read_clocks(), conn); }
void Host::Impl::on_bytes(ConnId conn, ByteView bytes) { feed(node::ConnBytes{conn, bytes}); }
void Host::Impl::on_closed(ConnId conn, Error why) { feed(node::ConnClosed{conn, std::move(why)}); }

ByteView Host::Impl::to_send(ConnId conn) {
  if (state == State::ended) return {};
  return node.to_send(read_clocks(), conn);
}

void Host::Impl::mark_sent(ConnId conn, std::size_t bytes) {
  node.mark_sent(read_clocks(), conn, bytes, outbox);
  run_effects();
}

void Host::Impl::on_datagram(const identity::SocketAddress& from, ByteView bytes) {
  feed(node::DatagramArrived{from, bytes});
}

void Host::Impl::on_beacon(const identity::SocketAddress& from, ByteView bytes) {
  feed(node::BeaconHeard{from, bytes});
}

void Host::Impl::on_accept_paused(Error why) { log(node::LogLevel::warning, "tcp", why.message); }

Host::Host(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Host::~Host() = default;

Status Host::run() {
  impl_->begin();
  impl_->loop.run();
  impl_->run_last_posted();
  return impl_->outcome;
}

void Host::stop() {
  impl_->post([impl = impl_.get()] { impl->stop(); });
}

void Host::reload_certificate() {
  impl_->post([impl = impl_.get()] { impl->reload_certificate(); });
}

void Host::post(std::function<void()> function) { impl_->post(std::move(function)); }

void Host::subscribe(std::weak_ptr<Listener> listener) { impl_->listeners.push_back(std::move(listener)); }

const node::Node& Host::node() const { return impl_->node; }
const std::vector<identity::Endpoint>& Host::listening() const { return impl_->listening; }
const std::filesystem::path& Host::data_dir() const { return impl_->options.data_dir; }
Now Host::now() const { return read_clocks(); }

std::optional<WallTime> Host::certificate_end() const { return impl_->tcp.certificate_end(); }

std::uint64_t Host::uptime_ms() const {
  const auto up = std::chrono::duration_cast<milliseconds>(read_clocks().mono - impl_->started);
  return static_cast<std::uint64_t>(up.count());
}

asio::io_context& HostAccess::loop(Host& host) { return host.impl_->loop; }

}  // namespace ekiden::runtime
