#include "whole/raw.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sqlite3.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "whole/child.hpp"

namespace ekiden::bench {
namespace {

constexpr int kPings = 2000;
constexpr std::size_t kPingSize = 1024;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

void no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// Waits with epoll, as an event loop would, then reads what is there until `size` bytes have come.
bool epoll_read(int epoll, int fd, char* to, std::size_t size) {
  std::size_t got = 0;
  while (got < size) {
    epoll_event event{};
    if (epoll_wait(epoll, &event, 1, -1) < 0) return false;
    const ssize_t n = recv(fd, to + got, size - got, MSG_DONTWAIT);
    if (n <= 0) return false;
    got += static_cast<std::size_t>(n);
  }
  return true;
}

int watch(int fd) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  return epoll;
}

}  // namespace

int listen_loopback(std::uint16_t& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 64) != 0) return -1;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

int connect_loopback(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return -1;
  no_delay(fd);
  return fd;
}

bool read_all(int fd, void* to, std::size_t size) {
  for (char* at = static_cast<char*>(to); size > 0;) {
    const ssize_t n = read(fd, at, size);
    if (n <= 0) return false;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

bool write_all(int fd, const void* from, std::size_t size) {
  for (const char* at = static_cast<const char*>(from); size > 0;) {
    const ssize_t n = write(fd, at, size);
    if (n <= 0) return false;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

int role_raw_echo() {
  std::uint16_t port = 0;
  const int listener = listen_loopback(port);
  std::printf("%u\n", port);
  std::fflush(stdout);
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  no_delay(fd);
  const int epoll = watch(fd);
  char buffer[kPingSize];
  while (epoll_read(epoll, fd, buffer, sizeof buffer) && write_all(fd, buffer, sizeof buffer)) {
  }
  return 0;
}

Result<double> raw_ping_pong(const Options& options) {
  EKIDEN_ASSIGN(auto echo, Child::start(options.self, {"--role", "raw-echo"}, 1));
  EKIDEN_ASSIGN(const auto port, echo.line());
  const int fd = connect_loopback(static_cast<std::uint16_t>(std::stoi(port)));
  if (fd < 0) return fail(Errc::unreachable, "the echo process does not answer");
  const int epoll = watch(fd);
  std::vector<double> times;
  char buffer[kPingSize] = {};
  for (int i = 0; i < kPings; ++i) {
    const double begin = seconds_now();
    if (!write_all(fd, buffer, sizeof buffer) || !epoll_read(epoll, fd, buffer, sizeof buffer)) break;
    times.push_back((seconds_now() - begin) * 1e6);
  }
  close(epoll);
  close(fd);
  return median(std::move(times));
}

Result<double> raw_sync(const std::string& directory) {
  const std::string path = directory + "/sync";
  const int fd = open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::storage_failed, "cannot write " + path);
  std::vector<double> times;
  const char block[1024] = {};
  for (int i = 0; i < 300; ++i) {
    const double begin = seconds_now();
    if (!write_all(fd, block, sizeof block) || fdatasync(fd) != 0) break;
    times.push_back((seconds_now() - begin) * 1e6);
  }
  close(fd);
  std::filesystem::remove(path);
  return median(std::move(times));
}

Result<double> raw_rows(const std::string& directory) {
  constexpr int kBatches = 300;
  constexpr int kRows = 100;
  const std::string path = directory + "/rows.db";
  sqlite3* db = nullptr;
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK) return fail(Errc::storage_failed, "cannot open " + path);
  sqlite3_exec(db,
               "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (n INTEGER PRIMARY KEY, value BLOB)",
               nullptr, nullptr, nullptr);
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO t (value) VALUES (?)", -1, &insert, nullptr);
  const std::string row(1024, 'x');
  const double begin = seconds_now();
  for (int batch = 0; batch < kBatches; ++batch) {
    sqlite3_exec(db, "BEGIN", nullptr, nullptr, nullptr);
    for (int i = 0; i < kRows; ++i) {
      sqlite3_bind_blob(insert, 1, row.data(), static_cast<int>(row.size()), SQLITE_STATIC);
      sqlite3_step(insert);
      sqlite3_reset(insert);
    }
    sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
  }
  const double took = seconds_now() - begin;
  sqlite3_finalize(insert);
  sqlite3_close(db);
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  return kBatches * kRows / took;
}

}  // namespace ekiden::bench
