// Which endpoints of a peer links can be dialled at.
#pragma once

#include <vector>

#include "identity/endpoint.hpp"

namespace ekiden::node {

/// Those that carry links.
std::vector<identity::Endpoint> without_udp(std::vector<identity::Endpoint> endpoints);

}  // namespace ekiden::node
