// The network of OpenDHT, as favourable to it as its public interface allows: `dht::Dht` on a loop of ours instead of
// `dht::DhtRunner`, whose threads for each node cost context switches; datagrams read many at once (recvmmsg), as ours
// are; no limits on requests, which by default drop what comes from one machine; no signatures, no encryption. A lookup
// counts as answered when the first value has come, though it goes on; ours only when it is over.
#include <arpa/inet.h>
#include <opendht/dht.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/rng.hpp"
#include "discovery/network.hpp"

namespace ekiden::bench {
namespace {

/// About what a record of ours has.
constexpr std::size_t kValueSize = 256;
constexpr std::size_t kBatch = 32;
constexpr std::size_t kMaxPacket = 2048;

class CountingSocket final : public dht::net::DatagramSocket {
 public:
  CountingSocket(int fd, const sockaddr_in& bound, std::uint64_t& sent)
      : fd_(fd), bound_(reinterpret_cast<const sockaddr*>(&bound), sizeof bound), sent_(sent) {}
  ~CountingSocket() override { stop(); }

  int sendTo(const dht::SockAddr& to, const std::uint8_t* data, std::size_t size, bool replied) override {
    ++sent_;
    const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (replied ? MSG_CONFIRM : 0);
    return ::sendto(fd_, data, size, flags, to.get(), to.getLength()) < 0 ? errno : 0;
  }
  bool hasIPv4() const override { return fd_ >= 0; }
  bool hasIPv6() const override { return false; }
  const dht::SockAddr& getBoundRef(sa_family_t family) const override { return family == AF_INET6 ? none_ : bound_; }
  void stop() override {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
  dht::SockAddr bound_;
  dht::SockAddr none_;
  std::uint64_t& sent_;
};

/// For one recvmmsg, of whatever node.
struct Incoming {
  std::array<std::array<std::uint8_t, kMaxPacket>, kBatch> bytes;
  std::array<sockaddr_in, kBatch> from;
  std::array<iovec, kBatch> pieces;
  std::array<mmsghdr, kBatch> messages;

  int receive(int fd) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      pieces[i] = {bytes[i].data(), bytes[i].size()};
      messages[i] = {};
      messages[i].msg_hdr.msg_name = &from[i];
      messages[i].msg_hdr.msg_namelen = sizeof from[i];
      messages[i].msg_hdr.msg_iov = &pieces[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    return recvmmsg(fd, messages.data(), kBatch, MSG_DONTWAIT, nullptr);
  }
};

dht::Config config() {
  dht::Config config;
  config.node_id = dht::InfoHash::getRandom();
  config.max_req_per_sec = -1;
  config.max_peer_req_per_sec = -1;
  return config;
}

class OpenDhtNetwork final : public Network {
 public:
  ~OpenDhtNetwork() override {
    nodes_.clear();
    close(epoll_);
  }

  Status add_node() override {
    const std::size_t number = nodes_.size();
    sockaddr_in at{};
    at.sin_family = AF_INET;
    // All at one: it takes an address on loopback that it is told for one of the teller's.
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(fd, reinterpret_cast<sockaddr*>(&at), size) != 0) return fail(Errc::internal, "bind failed");
    getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = number;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    auto socket = std::make_unique<CountingSocket>(fd, at, sent_);
    auto node = std::make_unique<dht::Dht>(std::move(socket), config(), std::shared_ptr<dht::Logger>());
    for (int i = 0; i < 2 && number > 0; ++i) {
      node->pingNode(nodes_[rng_.below(number)].at);
    }
    nodes_.push_back({fd, dht::SockAddr(reinterpret_cast<sockaddr*>(&at), size), std::move(node)});
    wake(number);
    return {};
  }

  /// Connected, it looks for its own id once: so it comes to know its neighbours, and they it, without waiting for the
  /// upkeep that OpenDHT does every few seconds.
  bool has_joined() override {
    if (nodes_.size() == 1) return true;
    Node& node = nodes_.back();
    if (!node.has_begun && node.dht->updateStatus(AF_INET) == dht::NodeStatus::Connected) {
      node.has_begun = true;
      find_neighbours(nodes_.size() - 1);
    }
    return joined_ + 1 == nodes_.size();
  }

  Status publish(std::size_t number) override {
    Node& node = nodes_[number];
    node.key = dht::InfoHash::getRandom();
    std::vector<std::uint8_t> bytes(kValueSize);
    rng_.fill(bytes);
    has_published_ = false;
    node.dht->put(node.key, dht::Value(bytes), [this](bool ok) { has_published_ = ok; });
    wake(number);
    return {};
  }
  bool has_published() const override { return has_published_; }

  /// There are no sessions to make, but who has answered once is a good node of the asker's table.
  void acquaint(std::size_t askers) override {
    for (std::size_t a = 0; a < std::min(askers, nodes_.size()); ++a) {
      for (std::size_t b = a + 1; b < nodes_.size(); ++b) greetings_.emplace_back(a, b);
    }
  }
  bool is_acquainted() override {
    if (is_greeting_) return false;
    if (greetings_.empty()) return true;
    const auto [from, to] = greetings_.back();
    greetings_.pop_back();
    is_greeting_ = true;
    nodes_[from].dht->pingNode(nodes_[to].at, [this](bool) { is_greeting_ = false; });
    wake(from);
    return false;
  }

  void look_up(std::size_t from, std::size_t of, Watch watch) override {
    // It goes on after the first value, as a lookup of ours does: the first need not be the newest.
    const auto take = [found = std::move(watch.found)](const std::vector<std::shared_ptr<dht::Value>>&) mutable {
      if (found) std::exchange(found, nullptr)();
      return true;
    };
    nodes_[from].dht->get(nodes_[of].key, dht::GetCallback(take),
                          dht::DoneCallbackSimple([done = std::move(watch.done)](bool) { done(); }));
    wake(from);
  }

  void turn() override {
    std::array<epoll_event, 64> events;
    const timespec wait = time_to_wait();
    const int ready = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
    for (int i = 0; i < ready; ++i) read(events[static_cast<std::size_t>(i)].data.u64);
    while (const auto node = deadlines_.pop_due(now())) wake(*node);
  }

  std::uint64_t datagrams() const override { return sent_; }

 private:
  void find_neighbours(std::size_t number) {
    dht::Dht& dht = *nodes_[number].dht;
    dht.get(
        dht.getNodeId(), [](const std::vector<std::shared_ptr<dht::Value>>&) { return true; },
        dht::DoneCallbackSimple([this](bool) { ++joined_; }));
    wake(number);
  }

  struct Node {
    int fd;
    dht::SockAddr at;
    std::unique_ptr<dht::Dht> dht;
    dht::InfoHash key{};
    bool has_begun = false;
  };

  static Instant now() { return Instant(dht::clock::now().time_since_epoch()); }

  /// To the nanosecond: OpenDHT puts steps of its searches off by fractions of a millisecond.
  timespec time_to_wait() const {
    const auto next = deadlines_.earliest();
    const Duration left = next ? std::clamp(*next - now(), Duration{}, Duration(seconds(1))) : seconds(1);
    return {.tv_sec = left / seconds(1), .tv_nsec = (left % seconds(1)).count()};
  }

  void read(std::size_t number) {
    const int got = incoming_.receive(nodes_[number].fd);
    for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(got, 0)); ++i) {
      const auto at = dht::clock::now();
      const auto next =
          nodes_[number].dht->periodic(incoming_.bytes[i].data(), incoming_.messages[i].msg_len,
                                       reinterpret_cast<sockaddr*>(&incoming_.from[i]), sizeof incoming_.from[i], at);
      schedule(number, next);
    }
  }

  void wake(std::size_t number) {
    schedule(number, nodes_[number].dht->periodic(nullptr, 0, dht::SockAddr(), dht::clock::now()));
  }

  void schedule(std::size_t number, dht::time_point next) {
    if (next == dht::time_point::max()) return deadlines_.cancel(number);
    deadlines_.set(number, Instant(next.time_since_epoch()));
  }

  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  Rng rng_{Rng::Seed{1}};
  std::uint64_t sent_ = 0;
  std::size_t joined_ = 0;
  bool has_published_ = false;
  std::vector<Node> nodes_;
  std::vector<std::pair<std::size_t, std::size_t>> greetings_;  ///< still to be done
  bool is_greeting_ = false;
  DeadlineMap<std::size_t> deadlines_;
  Incoming incoming_;
};

}  // namespace
}  // namespace ekiden::bench

int main(int argc, char** argv) {
  const std::size_t nodes = argc == 2 ? std::strtoul(argv[1], nullptr, 10) : 0;
  if (nodes < 2) {
    std::fprintf(stderr, "usage: %s NODES; started by ekiden-bench\n", argv[0]);
    return 2;
  }
  using namespace ekiden::bench;
  return print_discovery([] { return std::make_unique<OpenDhtNetwork>(); }, nodes);
}
