#include "runtime/resolver.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

namespace ekiden::runtime {
namespace {

using Addresses = Result<std::vector<identity::IpAddress>>;

std::optional<identity::IpAddress> address_of(const sockaddr& raw) {
  if (raw.sa_family == AF_INET) {
    sockaddr_in address;
    std::memcpy(&address, &raw, sizeof address);
    ByteArray<4> bytes;
    std::memcpy(bytes.data(), &address.sin_addr, bytes.size());
    return identity::IpAddress::v4(bytes);
  }
  if (raw.sa_family == AF_INET6) {
    sockaddr_in6 address;
    std::memcpy(&address, &raw, sizeof address);
    ByteArray<16> bytes;
    std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
    return identity::IpAddress::from_socket_v6(bytes);
  }
  return std::nullopt;
}

Addresses look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (code != 0) {
    const std::string reason =
        code == EAI_SYSTEM ? std::generic_category().message(errno) : std::string(::gai_strerror(code));
    return fail(Errc::unreachable, "cannot resolve the name " + host + ": " + reason);
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  std::vector<identity::IpAddress> found;
  for (const addrinfo* entry = list; entry != nullptr && found.size() < Resolver::kMaxAddresses;
       entry = entry->ai_next) {
    const auto address = address_of(*entry->ai_addr);
    if (address && std::ranges::find(found, *address) == found.end()) found.push_back(*address);
  }
  return found;
}

}  // namespace

/// Shared by the resolver and its threads. The callbacks stay here, and are called and destroyed on the loop: what they
/// hold may be gone with it.
struct Resolver::Mailbox {
  using Ticket = std::uint64_t;

  std::mutex mutex;
  asio::io_context* loop = nullptr;  ///< Null once the resolver is gone.
  std::size_t running = 0;
  Ticket last_ticket = 0;
  std::map<Ticket, Done> callbacks;
  std::deque<std::pair<std::string, Ticket>> waiting;

  /// REQUIRES: the lock is held.
  static void answer(const std::shared_ptr<Mailbox>& self, Ticket ticket, Addresses addresses) {
    if (self->loop == nullptr) return;
    asio::post(*self->loop, [self, ticket, addresses = std::move(addresses)]() mutable {
      if (const Done done = self->callback(ticket)) done(std::move(addresses));
    });
  }

  Done callback(Ticket ticket) {
    const std::lock_guard lock(mutex);
    auto node = callbacks.extract(ticket);
    return node ? std::move(node.mapped()) : nullptr;
  }

  static void run(const std::shared_ptr<Mailbox>& self, std::string host, Ticket ticket) {
    while (true) {
      Addresses addresses = look_up(host);
      const std::lock_guard lock(self->mutex);
      answer(self, ticket, std::move(addresses));
      if (self->loop == nullptr || self->waiting.empty()) {
        --self->running;
        return;
      }
      std::tie(host, ticket) = std::move(self->waiting.front());
      self->waiting.pop_front();
    }
  }
};

Resolver::Resolver(asio::io_context& loop, StartThread start) : start_(start), mailbox_(std::make_shared<Mailbox>()) {
  mailbox_->loop = &loop;
}

void Resolver::start_thread(std::function<void()> work) { std::thread(std::move(work)).detach(); }

Resolver::~Resolver() {
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->loop = nullptr;
  mailbox_->waiting.clear();
  mailbox_->callbacks.clear();
}

void Resolver::resolve(std::string host, Done done) {
  const std::lock_guard lock(mailbox_->mutex);
  const Mailbox::Ticket ticket = ++mailbox_->last_ticket;
  mailbox_->callbacks.emplace(ticket, std::move(done));
  if (mailbox_->running < kMaxLookups) {
    ++mailbox_->running;
    try {
      start_([mailbox = mailbox_, host, ticket] { Mailbox::run(mailbox, host, ticket); });
    } catch (const std::system_error& error) {
      --mailbox_->running;
      Mailbox::answer(
          mailbox_, ticket,
          fail(Errc::limit_exceeded, "cannot resolve the name " + host + " now: no thread for it: " + error.what()));
    }
  } else if (mailbox_->waiting.size() < kMaxWaiting) {
    mailbox_->waiting.emplace_back(std::move(host), ticket);
  } else {
    Mailbox::answer(mailbox_, ticket,
                    fail(Errc::limit_exceeded, "cannot resolve the name " + host + " now: too many names wait"));
  }
}

}  // namespace ekiden::runtime
