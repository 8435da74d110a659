#include "identity/endpoint.hpp"

#include <algorithm>
#include <array>

namespace ekiden::identity {
namespace {

constexpr std::size_t kMaxHostSize = 253;
constexpr std::size_t kMaxLabelSize = 63;
constexpr std::array<std::string_view, 4> kTransports = {"tcp", "ws", "wss", "udp"};

std::unexpected<Error> bad(std::string_view what) {
  return fail(Errc::malformed,
              std::string(what) + "; an endpoint looks like tcp://example.org:7700 or tcp://[2001:db8::1]:7700");
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_dns_label(std::string_view label) {
  const auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; };
  return !label.empty() && label.size() <= kMaxLabelSize && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, allowed);
}

/// What some resolver may read as a number: decimal or octal digits, or 0x.
bool is_numeric_label(std::string_view label) {
  const bool hex = label.starts_with("0x") || label.starts_with("0X");
  return hex || std::ranges::all_of(label, is_digit);
}

Result<Endpoint::Transport> parse_transport(std::string_view name) {
  for (std::size_t i = 0; i < kTransports.size(); ++i) {
    if (name == kTransports[i]) return static_cast<Endpoint::Transport>(i);
  }
  return fail(Errc::unsupported, "the endpoint's transport is not known; known are tcp, ws, wss and udp");
}

Result<std::uint16_t> parse_port(std::string_view text) {
  unsigned value = 0;
  const bool well_formed = !text.empty() && text.size() <= 5 && text[0] != '0' && std::ranges::all_of(text, is_digit);
  if (well_formed) {
    for (const char c : text) value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value == 0 || value > UINT16_MAX) return bad("the port must be a number from 1 to 65535");
  return static_cast<std::uint16_t>(value);
}

/// Canonical text of a host without brackets.
Result<std::string> parse_host(std::string_view text, bool in_brackets) {
  const auto address = IpAddress::parse(text);
  if (in_brackets) {
    if (!address || address->family != IpAddress::Family::v6) return bad("in brackets, an IPv6 address is expected");
    return address->text();
  }
  if (address && address->family == IpAddress::Family::v4) return address->text();
  if (!is_dns_name(text)) return bad("the host is neither an IP address nor a name");
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

}  // namespace

std::string_view transport_name(Endpoint::Transport transport) {
  return kTransports[static_cast<std::size_t>(transport)];
}

bool is_dns_name(std::string_view host) {
  if (host.empty() || host.size() > kMaxHostSize) return false;
  for (;;) {
    const std::size_t dot = host.find('.');
    const std::string_view label = host.substr(0, dot);
    if (!is_dns_label(label)) return false;
    if (dot == std::string_view::npos) return !is_numeric_label(label);
    host.remove_prefix(dot + 1);
  }
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  if (text.size() > kWireTextMax) return bad("the endpoint is too long");
  const std::size_t slashes = text.find("://");
  if (slashes == std::string_view::npos) return bad("the transport is missing");
  EKIDEN_ASSIGN(const Transport transport, parse_transport(text.substr(0, slashes)));
  text.remove_prefix(slashes + 3);
  const std::size_t colon = text.rfind(':');
  const bool in_brackets = text.starts_with('[');
  const std::size_t bracket = text.find(']');
  if (colon == std::string_view::npos || (in_brackets && bracket + 1 != colon)) return bad("the port is missing");
  EKIDEN_ASSIGN(const std::uint16_t port, parse_port(text.substr(colon + 1)));
  const std::string_view host = in_brackets ? text.substr(1, bracket - 1) : text.substr(0, colon);
  EKIDEN_ASSIGN(std::string canonical, parse_host(host, in_brackets));
  return Endpoint{transport, std::move(canonical), port};
}

std::string Endpoint::text() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return std::string(transport_name(transport)) + "://" + (is_v6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port);
}

std::optional<IpAddress> Endpoint::address() const {
  const auto address = IpAddress::parse(host);
  return address ? std::optional(*address) : std::nullopt;
}

}  // namespace ekiden::identity
