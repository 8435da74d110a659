// Endpoint: where to connect to, "tcp://host:port".
//
// The host is an IP literal (IPv6 in brackets) or a DNS name; nothing else is accepted, so that what is printed in a
// log, compared, or handed to a resolver has one form: names are lower case, addresses canonical, ports without leading
// zeros. A host whose last label is a number must be a strict dotted IPv4 address. Rationale: resolvers read "127.1",
// "0x7f000001" or "2130706433" as 127.0.0.1, which a filter on the text would miss.
//
// Bounds: a host is at most 253 characters, the whole text at most kWireTextMax.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "identity/address.hpp"

namespace ekiden::identity {

struct Endpoint {
  enum class Transport : std::uint8_t { tcp, ws, wss, udp };

  /// Characters of the longest text form; it travels as text in messages (wire/message.hpp).
  static constexpr std::size_t kWireTextMax = 6 + 253 + 2 + 6;

  Transport transport = Transport::tcp;
  std::string host;  ///< Without brackets.
  std::uint16_t port = 0;

  /// Errors: malformed, unsupported (a transport that this build does not know), each with an example of the right
  /// form.
  static Result<Endpoint> parse(std::string_view text);

  bool is_udp() const { return transport == Transport::udp; }

  std::string text() const;

  /// The address, if the host is one and needs no resolving.
  std::optional<IpAddress> address() const;

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

/// "tcp", "ws", "wss", "udp".
std::string_view transport_name(Endpoint::Transport transport);

/// True for a DNS name: labels of letters, digits, hyphens and underscores, 1 to 63 characters, not starting or ending
/// with a hyphen, in total at most 253, the last label not a number.
bool is_dns_name(std::string_view host);

}  // namespace ekiden::identity
