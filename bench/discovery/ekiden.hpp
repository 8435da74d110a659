// The network of Ekiden: in each node the engines of secure datagrams and of the DHT as a Host wires them, with the
// defaults of the product, and its real UDP socket.
#pragma once

#include "discovery/network.hpp"

namespace ekiden::bench {

std::unique_ptr<Network> make_ekiden_network();

}  // namespace ekiden::bench
