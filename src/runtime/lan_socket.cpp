#include "runtime/lan_socket.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/multicast.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ekiden::runtime {
namespace {

using identity::AddressClass;

struct FreeInterfaces {
  void operator()(ifaddrs* list) const { ::freeifaddrs(list); }
};

in_addr to_raw(const ByteArray<4>& address) {
  in_addr raw{};
  std::memcpy(&raw, address.data(), address.size());
  return raw;
}

/// The interface by both its names: an address can be on two, and one can have two.
ip_mreqn request_of(const ByteArray<4>& group, const ByteArray<4>& address, int index) {
  return {.imr_multiaddr = to_raw(group), .imr_address = to_raw(address), .imr_ifindex = index};
}

ByteArray<4> four_bytes(const identity::IpAddress& address) {
  ByteArray<4> bytes;
  std::copy_n(address.bytes.begin() + 12, bytes.size(), bytes.begin());
  return bytes;
}

}  // namespace

LanSocket::LanSocket(asio::io_context& loop, LanUser& user) : user_(user), in_(loop), out_(loop) {}

Status LanSocket::open(LanOptions options) {
  options_ = std::move(options);
  const asio::ip::udp::endpoint at(from_ip(options_.group), options_.port);
  ErrorCode error;
  in_.open(at.protocol(), error);
  if (!error) in_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) in_.bind(at, error);
  if (!error) out_.open(at.protocol(), error);
  if (!error) out_.set_option(asio::ip::multicast::hops(1), error);
  if (!error) out_.set_option(asio::ip::multicast::enable_loopback(true), error);
  const int joined_alone = 0;  // Otherwise groups that other programs joined on other interfaces get in here.
  if (!error && ::setsockopt(in_.native_handle(), IPPROTO_IP, IP_MULTICAST_ALL, &joined_alone, sizeof joined_alone) < 0)
    error = ErrorCode(errno, boost::system::system_category());
  if (error) {
    close();
    return fail(error == asio::error::address_in_use ? Errc::busy : Errc::unsupported,
                "udp://" + options_.group.text() + ":" + std::to_string(options_.port) + ": " + error.message());
  }
  for (const Interface& interface : interfaces()) join(interface);
  return {};
}

void LanSocket::start() {
  if (in_.is_open()) wait_readable();
}

void LanSocket::close() {
  ErrorCode ignored;
  in_.close(ignored);
  out_.close(ignored);
}

std::vector<LanSocket::Interface> LanSocket::interfaces() const {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, FreeInterfaces> owner(list);
  std::vector<Interface> all;
  for (const ifaddrs* one = list; one != nullptr && all.size() < kMaxInterfaces; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_UP) == 0) continue;
    Interface interface;
    std::memcpy(interface.address.data(), &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr, 4);
    const auto address = identity::IpAddress::v4(interface.address);
    const bool is_loopback = identity::classify(address) == AddressClass::loopback;
    // The loopback interface carries multicast, though it does not say so.
    const bool is_usable =
        is_loopback ? options_.loopback
                    : (one->ifa_flags & IFF_MULTICAST) != 0 && identity::classify(address) == AddressClass::private_use;
    if (!is_usable) continue;
    if (!options_.from.empty() && std::ranges::find(options_.from, address) == options_.from.end()) continue;
    interface.index = static_cast<int>(::if_nametoindex(one->ifa_name));
    all.push_back(interface);
  }
  return all;
}

/// Again is an error that says nothing: the interface is joined.
void LanSocket::join(const Interface& interface) {
  const ip_mreqn request = request_of(four_bytes(options_.group), interface.address, interface.index);
  static_cast<void>(::setsockopt(in_.native_handle(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request));
}

std::size_t LanSocket::say(ByteView bytes) {
  if (!in_.is_open()) return 0;
  const asio::ip::udp::endpoint to(from_ip(options_.group), options_.port);
  std::size_t count = 0;
  for (const Interface& interface : interfaces()) {
    join(interface);
    const ip_mreqn request = request_of({}, interface.address, interface.index);
    if (::setsockopt(out_.native_handle(), IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) < 0) continue;
    const auto sent = ::sendto(out_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, to.data(),
                               static_cast<socklen_t>(to.size()));
    if (sent >= 0) ++count;
  }
  return count;
}

void LanSocket::wait_readable() {
  in_.async_wait(DatagramSocket::wait_read, [this](ErrorCode error) {
    if (!error) on_readable();
  });
}

void LanSocket::on_readable() {
  ByteArray<kMaxSize + 1> buffer;  // One byte more than a datagram may have, to see that it has more.
  for (std::size_t i = 0; i < kBatch; ++i) {
    sockaddr_in from{};
    socklen_t from_size = sizeof from;
    const auto got = ::recvfrom(in_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                reinterpret_cast<sockaddr*>(&from), &from_size);
    if (got < 0) break;
    const auto size = static_cast<std::size_t>(got);
    if (size > kMaxSize || from.sin_family != AF_INET) continue;
    ByteArray<4> address;
    std::memcpy(address.data(), &from.sin_addr, address.size());
    user_.on_beacon({identity::IpAddress::v4(address), ntohs(from.sin_port)}, ByteView(buffer).first(size));
  }
  // Before the round ends: that may close everything.
  wait_readable();
  user_.end_round();
}

}  // namespace ekiden::runtime
