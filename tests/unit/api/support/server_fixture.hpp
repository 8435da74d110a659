// A real server on a loopback port of its own, over a FakeBackend, with its loop on a thread of its own.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "api/server.hpp"
#include "support/temporary_directory.hpp"
#include "unit/api/support/fake_backend.hpp"
#include "unit/api/support/raw_client.hpp"

namespace ekiden::api::test {

/// How long a test waits for what should come at once.
constexpr Duration kPatience = seconds(20);

using ekiden::test::TemporaryDirectory;

class ServerFixture {
 public:
  explicit ServerFixture(ServerConfig config = {}) {
    auto opened = Server::open(loop_, backend_, directory_.path(), std::move(config));
    if (!opened) {
      ADD_FAILURE() << opened.error().message;
      return;
    }
    server_ = std::move(*opened);
    address_ = server_->address();
    thread_ = std::thread([this] { loop_.run(); });
  }

  ~ServerFixture() {
    if (!thread_.joinable()) return;
    run_on_loop([this] { server_.reset(); });
    work_.reset();
    loop_.stop();
    thread_.join();
  }
  ServerFixture(const ServerFixture&) = delete;
  ServerFixture& operator=(const ServerFixture&) = delete;

  /// Runs on the loop, where the backend lives, and waits for it.
  void run(const std::function<void(FakeBackend&)>& action) {
    run_on_loop([&] { action(backend_); });
  }

  void stop_server() {
    run_on_loop([this] { server_->stop(); });
  }

  std::size_t connections() {
    std::size_t count = 0;
    run_on_loop([&] { count = server_->connections(); });
    return count;
  }

  /// True when there are so many connections; waits for it, as the server may take note of an end after the client.
  bool comes_to(std::size_t expected) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (connections() != expected) {
      if (std::chrono::steady_clock::now() > end) return false;
    }
    return true;
  }

  const std::filesystem::path& data_dir() const { return directory_.path(); }
  const std::string& address() const { return address_; }
  std::uint16_t port() const { return static_cast<std::uint16_t>(std::stoi(address_.substr(address_.rfind(':') + 1))); }
  std::string token() const { return first_line(data_dir() / "api.token"); }

  RawClient connect() const { return RawClient(port()); }
  /// "GET /v1/status" and more fields; Host and the token come by themselves.
  std::string request(const std::string& line, const std::string& fields = "", const std::string& body = "") const {
    return line + " HTTP/1.1\r\nHost: " + address_ + "\r\nAuthorization: Bearer " + token() + "\r\n" + fields + "\r\n" +
           body;
  }

 private:
  void run_on_loop(const std::function<void()>& action) {
    std::promise<void> done;
    boost::asio::post(loop_, [&] {
      action();
      done.set_value();
    });
    done.get_future().wait();
  }

  TemporaryDirectory directory_;
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{loop_.get_executor()};
  FakeBackend backend_;
  std::unique_ptr<Server> server_;
  std::string address_;
  std::thread thread_;
};

}  // namespace ekiden::api::test
