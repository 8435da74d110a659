#include "api/daemon.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <optional>
#include <utility>

#include "api/backend.hpp"
#include "api/server.hpp"
#include "api/stop_signals.hpp"
#include "runtime/descriptors.hpp"
#include "runtime/loop.hpp"

namespace ekiden::api {
namespace {

/// SIGHUP, as long as it lives, means to read the certificate of wss:// again. A node without one keeps what SIGHUP
/// means elsewhere: the terminal is gone, and so is what it started.
class ReloadSignal {
 public:
  ReloadSignal(boost::asio::io_context& loop, std::function<void()> reload)
      : signals_(loop, SIGHUP), reload_(std::move(reload)) {
    wait();
  }

 private:
  void wait() {
    signals_.async_wait([this](boost::system::error_code failure, int) {
      if (failure) return;
      wait();
      reload_();
    });
  }

  boost::asio::signal_set signals_;
  std::function<void()> reload_;
};

}  // namespace

Status run_daemon(runtime::HostOptions options, const std::function<void(const DaemonInfo&)>& on_ready) {
  runtime::raise_descriptor_limit();
  const auto data_dir = options.data_dir;
  const bool has_certificate = !options.settings.tls_certificate.empty();
  ServerConfig config;
  config.listen = options.settings.api_listen;
  const std::string metrics_listen = options.settings.metrics_listen;
  EKIDEN_ASSIGN(const auto host, runtime::Host::open(std::move(options)));
  HostBackend backend(*host);
  auto& loop = runtime::HostAccess::loop(*host);
  EKIDEN_ASSIGN(const auto server, Server::open(loop, backend, data_dir, std::move(config)));
  std::unique_ptr<Server> monitored;
  if (!metrics_listen.empty()) {
    EKIDEN_ASSIGN(monitored,
                  Server::open(loop, backend, data_dir, {.listen = metrics_listen, .audience = Audience::monitors}));
  }
  const StopSignals signals(loop, [&] {
    server->stop();
    if (monitored) monitored->stop();
    host->stop();
  });
  std::optional<ReloadSignal> reload;
  if (has_certificate) reload.emplace(loop, [&] { host->reload_certificate(); });
  on_ready({backend.id(), backend.listening(), server->address(), monitored ? monitored->address() : ""});
  auto ended = host->run();
  server->stop();
  if (monitored) monitored->stop();
  return ended;
}

}  // namespace ekiden::api
