// Ctrl-C and SIGTERM, as long as it lives: the first signal calls `stop`, the second ends the process.
#pragma once

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <utility>

namespace ekiden::api {

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
    constexpr int kExitForced = 130;
    constexpr std::string_view kText = "ekiden: stopped at once, as asked a second time\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText.data(), kText.size());
    std::_Exit(kExitForced);
  }

  boost::asio::signal_set signals_;
  std::function<void()> stop_;
  bool stopping_ = false;
};

}  // namespace ekiden::api
