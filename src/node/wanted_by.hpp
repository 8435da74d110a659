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

/// Neighbours of a topic, other members of the registry and who is away are found anew after a restart, and hardly of
/// use once they are not wanted for that.
inline constexpr std::uint8_t kPassing = by_gossip | by_registry | by_watch;

}  // namespace ekiden::node
