// Who wants a link to a peer.
#pragma once

#include <cstdint>

namespace ekiden::node {

/// Bits.
enum WantedBy : std::uint8_t {
  by_router = 1,
  by_depositor = 2,
  by_collector = 4,
  by_ask = 8,
  by_relay = 16,
  by_gossip = 32,
  by_registry = 64,
  by_watch = 128
};

}  // namespace ekiden::node
