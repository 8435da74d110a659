#include "api/daemon.hpp"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <string_view>
#include <utility>

#include "api/backend.hpp"
#include "api/server.hpp"
#include "runtime/descriptors.hpp"
#include "runtime/loop.hpp"

namespace ekiden::api {
namespace {

constexpr int kExitForced = 130;

/// The first signal calls `stop`; the second ends the process.
class StopSignals {
 public:
  StopSignals(boost::asio::io_context& loop, std::function<void()> stop)
      : signals_(loop, SIGINT, SIGTERM), stop_(std::move(stop)) {
    std::signal(SIGPIPE, SIG_IGN);
    wait();
  }

 private:
  void wait() {
    signals_.async_wait([this](boost::system::error_code failure, int) {
      if (failure) return;
      if (std::exchange(stopping_, true)) force();
      wait();
      stop_();
    });
  }

  [[noreturn]] static void force() {
    constexpr std::string_view kText = "ekiden: stopped at once, as asked a second time\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText.data(), kText.size());
    std::_Exit(kExitForced);
  }

  boost::asio::signal_set signals_;
  std::function<void()> stop_;
  bool stopping_ = false;
};

}  // namespace

Status run_daemon(runtime::HostOptions options, const std::function<void(const DaemonInfo&)>& on_ready) {
  runtime::raise_descriptor_limit();
  const auto data_dir = options.data_dir;
  ServerConfig config;
  config.listen = options.settings.api_listen;
  EKIDEN_ASSIGN(const auto host, runtime::Host::open(std::move(options)));
  HostBackend backend(*host);
  auto& loop = runtime::HostAccess::loop(*host);
  EKIDEN_ASSIGN(const auto server, Server::open(loop, backend, data_dir, std::move(config)));
  const StopSignals signals(loop, [&] {
    server->stop();
    host->stop();
  });
  on_ready({backend.id(), backend.listening(), server->address()});
  auto ended = host->run();
  server->stop();
  return ended;
}

}  // namespace ekiden::api
