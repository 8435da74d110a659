// The parts of Boost.Asio that the runtime uses, with concrete executors (a polymorphic one costs an allocation and an
// indirect call per operation). Private to the runtime: no public header includes it.
#pragma once

// Before Boost 1.74, which uses std::exchange without including it.
#include <boost/asio/basic_datagram_socket.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "base/result.hpp"
#include "identity/address.hpp"

namespace ekiden::runtime {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using DatagramSocket = asio::basic_datagram_socket<asio::ip::udp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;
using ErrorCode = boost::system::error_code;

/// An IPv4 address in its mapped IPv6 form is the IPv4 address that it stands for.
inline identity::IpAddress to_ip(const asio::ip::address& address) {
  if (address.is_v4()) return identity::IpAddress::v4(address.to_v4().to_bytes());
  return identity::IpAddress::from_socket_v6(address.to_v6().to_bytes());
}

inline asio::ip::address from_ip(const identity::IpAddress& address) {
  if (address.family == identity::IpAddress::Family::v6) return asio::ip::address_v6(address.bytes);
  return asio::ip::address_v4({address.bytes[12], address.bytes[13], address.bytes[14], address.bytes[15]});
}

}  // namespace ekiden::runtime
