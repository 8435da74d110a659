#include "runtime/udp.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/listen_error.hpp"

namespace ekiden::runtime {
namespace {

using Family = identity::IpAddress::Family;

/// A socket address as the system calls want it.
struct RawAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

RawAddress to_raw(const identity::SocketAddress& at) {
  RawAddress raw;
  if (at.ip.family == Family::v4) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(raw.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(at.port);
    std::memcpy(&v4.sin_addr, at.ip.bytes.data() + 12, 4);
    raw.size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(raw.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(at.port);
    std::memcpy(&v6.sin6_addr, at.ip.bytes.data(), 16);
    raw.size = sizeof v6;
  }
  return raw;
}

identity::SocketAddress from_raw(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    ByteArray<4> bytes;
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return {identity::IpAddress::v4(bytes), ntohs(v4.sin_port)};
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
  ByteArray<16> bytes;
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return {identity::IpAddress::from_socket_v6(bytes), ntohs(v6.sin6_port)};
}

}  // namespace

struct Udp::Bound {
  Bound(asio::io_context& loop, Family address_family) : socket(loop), family(address_family) {}
  DatagramSocket socket;
  Family family;
  std::vector<Outgoing> outgoing;
};

/// For one system call; whatever sockets a thread has, it makes one at a time.
struct Udp::Buffers {
  static Buffers& of_this_thread() {
    thread_local const std::unique_ptr<Buffers> buffers = std::make_unique_for_overwrite<Buffers>();
    return *buffers;
  }

  /// One byte more than a datagram may have, to see that it has more.
  std::array<ByteArray<kMaxSize + 1>, kBatch> bytes;
  std::array<iovec, kBatch> pieces{};
  std::array<RawAddress, kBatch> addresses;
  std::array<mmsghdr, kBatch> messages{};
};

Udp::Udp(asio::io_context& loop, UdpUser& user) : loop_(loop), user_(user) {}
Udp::~Udp() = default;

Result<identity::Endpoint> Udp::listen(const identity::Endpoint& endpoint) {
  const auto address = endpoint.address();
  if (!address) return fail(Errc::invalid_argument, "cannot listen on the name " + endpoint.host + ": use an address");
  const asio::ip::udp::endpoint at(from_ip(*address), endpoint.port);
  auto bound = std::make_unique<Bound>(loop_, address->family);
  ErrorCode error;
  bound->socket.open(at.protocol(), error);
  if (!error && bound->family == Family::v6) bound->socket.set_option(asio::ip::v6_only(true), error);
  if (!error) bound->socket.bind(at, error);
  if (error) return listen_error(endpoint, error);
  identity::Endpoint result = endpoint;
  result.port = bound->socket.local_endpoint(error).port();
  bound_.push_back(std::move(bound));
  return result;
}

void Udp::start() {
  for (auto& bound : bound_) wait_readable(*bound);
}

void Udp::close() { bound_.clear(); }

void Udp::wait_readable(Bound& bound) {
  bound.socket.async_wait(DatagramSocket::wait_read, [this, &bound](ErrorCode error) {
    if (!error) on_readable(bound);
  });
}

void Udp::on_readable(Bound& bound) {
  Buffers& b = Buffers::of_this_thread();
  for (std::size_t i = 0; i < kBatch; ++i) {
    b.pieces[i] = {b.bytes[i].data(), b.bytes[i].size()};
    b.messages[i].msg_hdr = {};
    b.messages[i].msg_hdr.msg_name = &b.addresses[i].storage;
    b.messages[i].msg_hdr.msg_namelen = sizeof b.addresses[i].storage;
    b.messages[i].msg_hdr.msg_iov = &b.pieces[i];
    b.messages[i].msg_hdr.msg_iovlen = 1;
  }
  const int got = ::recvmmsg(bound.socket.native_handle(), b.messages.data(), kBatch, MSG_DONTWAIT, nullptr);
  for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(got, 0)); ++i) {
    const std::size_t size = b.messages[i].msg_len;
    if (size > kMaxSize) continue;
    user_.on_datagram(from_raw(b.addresses[i].storage), ByteView(b.bytes[i]).first(size));
  }
  // Before the round ends: that may close everything.
  wait_readable(bound);
  user_.end_round();
}

void Udp::send(const identity::SocketAddress& to, Bytes packet) {
  const auto bound = std::ranges::find(bound_, to.ip.family, [](const auto& one) { return one->family; });
  if (bound == bound_.end() || (*bound)->outgoing.size() >= kMaxQueued) {
    ++dropped_;
    return;
  }
  (*bound)->outgoing.push_back({to, std::move(packet)});
}

void Udp::flush() {
  for (const auto& bound : bound_) {
    if (bound->outgoing.empty()) continue;
    flush_through(*bound);
    bound->outgoing.clear();
  }
}

/// A datagram that the socket refuses (no route, a full buffer, forbidden) is dropped, and those behind it go on.
void Udp::flush_through(Bound& bound) {
  Buffers& b = Buffers::of_this_thread();
  std::size_t sent = 0;
  while (sent < bound.outgoing.size()) {
    const std::size_t count = std::min(kBatch, bound.outgoing.size() - sent);
    for (std::size_t i = 0; i < count; ++i) {
      const Outgoing& outgoing = bound.outgoing[sent + i];
      b.addresses[i] = to_raw(outgoing.to);
      b.pieces[i] = {const_cast<Byte*>(outgoing.packet.data()), outgoing.packet.size()};
      b.messages[i].msg_hdr = {};
      b.messages[i].msg_hdr.msg_name = &b.addresses[i].storage;
      b.messages[i].msg_hdr.msg_namelen = b.addresses[i].size;
      b.messages[i].msg_hdr.msg_iov = &b.pieces[i];
      b.messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int done = ::sendmmsg(bound.socket.native_handle(), b.messages.data(), static_cast<unsigned>(count),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done > 0) {
      sent += static_cast<std::size_t>(done);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      dropped_ += bound.outgoing.size() - sent;
      return;
    } else if (errno != EINTR) {
      ++dropped_;
      ++sent;
    }
  }
}

}  // namespace ekiden::runtime
