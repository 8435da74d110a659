// What a node says of itself on the local network, by where it listens.
#pragma once

#include <optional>
#include <vector>

#include "identity/address.hpp"
#include "identity/endpoint.hpp"
#include "lan/lan.hpp"

namespace ekiden::runtime {

struct LanPlace {
  lan::Ports ports;
  std::vector<identity::IpAddress> from;  ///< the address at which it listens; empty: at all
};

/// Nothing if others on the local network cannot reach it over UDP and IPv4: it listens on loopback addresses, on the
/// internet, or on IPv6 alone. Of several endpoints the first counts; a TCP endpoint, if others reach it there, too.
std::optional<LanPlace> lan_place(const std::vector<identity::Endpoint>& listening);

}  // namespace ekiden::runtime
