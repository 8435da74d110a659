// The other side of delivery.spam.*: identities that are links without nodes, from 127.0.1.0/24, as fast as they can.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "sim/spam_letters.hpp"
#include "whole/party.hpp"
#include "whole/spam.hpp"

namespace ekiden::bench {
namespace {

constexpr unsigned kFirstSpammer = 700'000;
constexpr unsigned kHosts = 250;
constexpr unsigned kAtOnce = 8;  // handshakes: a node refuses more than sixteen of one network
constexpr std::size_t kEnough = 4 * sim::SpamLetters::kBody;
constexpr int kSendBuffer = 16 * 1024;

/// An address of 127.0.1.0/24 for each host, which need not be set up. -1: the node does not listen, or not now.
int connect_from(unsigned host, std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl((127U << 24) + (1U << 8) + host);
  sockaddr_in to = from;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(port);
  const bool connected = bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0 &&
                         connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  if (connected && fcntl(fd, F_SETFL, O_NONBLOCK) == 0) return fd;
  close(fd);
  return -1;
}

class Writer {
 public:
  Writer(unsigned number, const identity::PeerId& victim) : number_(number), party_(number), victim_(victim) {}
  ~Writer() { hang_up(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  int fd() const { return fd_; }
  bool is_up() const { return letters_ != nullptr; }

  bool dial(std::uint16_t port) {
    fd_ = connect_from(1 + number_ % kHosts, port);
    if (fd_ < 0) return false;
    party_.pool.want(now(), victim_, {kAnywhere}, std::nullopt, party_.out);
    conn_ = link::ConnId{++dials_};
    party_.pool.on_connected(now(), conn_, std::nullopt, party_.out);
    return write();
  }

  /// False when the connection is gone, as is that of read().
  bool write() {
    for (;;) {
      while (letters_ && party_.pool.queued_bytes(victim_) < kEnough) {
        const Bytes letter = letters_->next(now());
        if (!party_.pool.send(now(), victim_, wire::Priority::normal, letter, party_.out)) break;
      }
      const ByteView bytes = party_.pool.to_send(now(), conn_);
      if (bytes.empty()) return true;
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN;
      party_.pool.mark_sent(now(), conn_, static_cast<std::size_t>(sent), party_.out);
    }
  }

  bool read() {
    std::array<Byte, 64 * 1024> buffer;
    for (;;) {
      const ssize_t got = ::read(fd_, buffer.data(), buffer.size());
      if (got <= 0) return got < 0 && errno == EAGAIN;
      party_.pool.on_bytes(now(), conn_, ByteView(buffer).first(static_cast<std::size_t>(got)), party_.out);
      for (auto& effect : party_.out.take()) {
        if (std::holds_alternative<link::Hangup>(effect)) return false;
        if (const auto* up = std::get_if<link::Up>(&effect)) begin(up->record.record);
      }
    }
  }

  void hang_up() {
    if (fd_ < 0) return;
    close(std::exchange(fd_, -1));
    party_.pool.on_closed(now(), conn_, {Errc::closed, "closed"}, party_.out);
    party_.out.take();
    letters_.reset();
  }

 private:
  void begin(const identity::PeerRecord& victim) {
    const identity::PeerId accomplice = identity::Identity(seed_of(number_ ^ 1U)).id();
    Rng::Seed seed{2};
    put_be(MutableBytes(seed).last(4), number_);
    letters_ = std::make_unique<sim::SpamLetters>(party_.identity, victim, accomplice, Rng(seed));
  }

  const unsigned number_;
  Party party_;
  const identity::PeerId victim_;
  int fd_ = -1;
  std::uint64_t dials_ = 0;
  link::ConnId conn_{};
  std::unique_ptr<sim::SpamLetters> letters_;
};

class Spam {
 public:
  Spam(const identity::PeerId& victim, std::uint16_t port) : port_(port), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (unsigned i = 0; i < kSpammers; ++i) writers_.push_back(std::make_unique<Writer>(kFirstSpammer + i, victim));
    watch(STDIN_FILENO, EPOLLIN, kInput);
  }
  ~Spam() { close(epoll_); }
  Spam(const Spam&) = delete;
  Spam& operator=(const Spam&) = delete;

  /// Until the standard input ends.
  void run() {
    for (;;) {
      dial_some();
      std::array<epoll_event, 64> events;
      const int count = epoll_wait(epoll_, events.data(), events.size(), 100);
      for (int i = 0; i < count; ++i) {
        if (events[static_cast<std::size_t>(i)].data.u32 == kInput) return;
        serve(*writers_[events[static_cast<std::size_t>(i)].data.u32]);
      }
    }
  }

 private:
  static constexpr std::uint32_t kInput = kSpammers;

  void watch(int fd, std::uint32_t events, std::uint32_t number) const {
    epoll_event event{};
    event.events = events;
    event.data.u32 = number;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void serve(Writer& writer) {
    if (writer.fd() < 0) return;
    const bool was_up = writer.is_up();
    const bool goes_on = writer.read() && writer.write();
    if (!goes_on) writer.hang_up();
    if (!was_up && (writer.is_up() || !goes_on)) --dialling_;
    if (was_up == writer.is_up()) return;
    up_ += was_up ? -1 : 1;
    if (up_ < static_cast<int>(kSpammers) / 10 * 9 || std::exchange(told_, true)) return;
    std::printf("linked\n");
    std::fflush(stdout);
  }

  /// Edge-triggered: what became writable is written until it is not.
  void dial_some() {
    for (unsigned tries = 0; tries < kSpammers && dialling_ < kAtOnce; ++tries) {
      const unsigned number = next_++ % kSpammers;
      Writer& writer = *writers_[number];
      if (writer.fd() >= 0) continue;
      if (!writer.dial(port_)) {
        writer.hang_up();
        return;
      }
      ++dialling_;
      watch(writer.fd(), EPOLLIN | EPOLLOUT | EPOLLET, number);
    }
  }

  const std::uint16_t port_;
  const int epoll_;
  std::vector<std::unique_ptr<Writer>> writers_;
  unsigned next_ = 0;
  unsigned dialling_ = 0;
  int up_ = 0;
  bool told_ = false;
};

}  // namespace

Result<Child> start_spam(const Options& options, const std::string& victim, const std::string& endpoint) {
  EKIDEN_ASSIGN(const auto at, identity::Endpoint::parse(endpoint));
  EKIDEN_ASSIGN(auto child, Child::start(options.self, {"--role", "spammers", victim, std::to_string(at.port)}, -1));
  EKIDEN_ASSIGN(const auto word, child.line());
  if (word != "linked") return fail(Errc::unreachable, "the spammers did not make their links: " + word);
  return child;
}

int role_spammers(const std::vector<std::string>& words) {
  const auto victim = words.size() == 2 ? identity::PeerId::parse(words[0])
                                        : fail(Errc::invalid_argument, "wanted: the id and the port of a node");
  if (!victim) {
    std::fprintf(stderr, "%s\n", victim.error().message.c_str());
    return 1;
  }
  // What is measured is the node, and not how a processor is shared between it and those who attack it.
  const sched_param nothing{};
  sched_setscheduler(0, SCHED_IDLE, &nothing);
  Spam(*victim, static_cast<std::uint16_t>(std::stoi(words[1]))).run();
  return 0;
}

}  // namespace ekiden::bench
