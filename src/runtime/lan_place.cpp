#include "runtime/lan_place.hpp"

#include <algorithm>

namespace ekiden::runtime {
namespace {

using identity::AddressClass;
using identity::Endpoint;
using identity::IpAddress;

bool is_any(const IpAddress& address) { return identity::classify(address) == AddressClass::unspecified; }

/// Whether those on a local network may reach what listens here.
bool is_local(const IpAddress& address) {
  return address.family == IpAddress::Family::v4 &&
         (is_any(address) || identity::classify(address) == AddressClass::private_use);
}

const Endpoint* first(const std::vector<Endpoint>& listening, Endpoint::Transport transport) {
  const auto found = std::ranges::find_if(listening, [&](const Endpoint& endpoint) {
    const auto address = endpoint.address();
    return endpoint.transport == transport && address && is_local(*address);
  });
  return found == listening.end() ? nullptr : &*found;
}

}  // namespace

std::optional<LanPlace> lan_place(const std::vector<identity::Endpoint>& listening) {
  const Endpoint* udp = first(listening, Endpoint::Transport::udp);
  if (udp == nullptr) return std::nullopt;
  LanPlace place{.ports = {.udp = udp->port, .tcp = 0}, .from = {}};
  if (!is_any(*udp->address())) place.from = {*udp->address()};
  const Endpoint* tcp = first(listening, Endpoint::Transport::tcp);
  if (tcp == nullptr) return place;
  const IpAddress at = *tcp->address();
  if (!is_any(at) && !place.from.empty() && at != place.from.front()) return place;
  place.ports.tcp = tcp->port;
  if (!is_any(at)) place.from = {at};
  return place;
}

}  // namespace ekiden::runtime
