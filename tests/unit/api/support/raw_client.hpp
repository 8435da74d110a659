// A socket that sends exactly the bytes it is given: what no HTTP library would.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

namespace ekiden::api::test {

inline std::string first_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // A server that hangs is a failure, not a stuck test.
    const timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() {
    if (socket_ >= 0) ::close(socket_);
  }
  RawClient(RawClient&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_), input_(std::move(other.input_)) {}
  RawClient& operator=(RawClient&&) = delete;

  bool connected() const { return connected_; }

  void send(std::string_view text) {
    while (!text.empty()) {
      const auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// One answer: the head, and the body that it announces. What was read until then if the connection ends.
  std::string answer() {
    while (input_.find("\r\n\r\n") == std::string::npos && receive()) {
    }
    const auto head = input_.find("\r\n\r\n");
    if (head == std::string::npos) return std::exchange(input_, {});
    std::size_t length = 0;
    if (const auto at = input_.find("Content-Length: "); at < head) length = std::stoul(input_.substr(at + 16));
    while (input_.size() < head + 4 + length && receive()) {
    }
    auto out = input_.substr(0, head + 4 + length);
    input_.erase(0, out.size());
    return out;
  }

  /// Everything until the server closes. Empty if it said nothing.
  std::string rest() {
    while (receive()) {
    }
    return std::exchange(input_, {});
  }

  /// True if the server closed the connection, false if it only stays silent.
  bool closed() {
    char byte = 0;
    return ::recv(socket_, &byte, 1, 0) == 0;
  }

 private:
  bool receive() {
    char buffer[4096];
    const auto count = ::recv(socket_, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    input_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  bool connected_ = false;
  std::string input_;
};

inline int status_of(std::string_view answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(std::string(answer.substr(9, 3))) : 0;
}

}  // namespace ekiden::api::test
