// Whether the network is whole, as an application sees it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ekiden/message.hpp>
#include <optional>
#include <string>
#include <vector>

namespace ekiden {

enum class NetworkState {
  whole,
  suspected,  ///< there are signs of a split; nobody need do anything
  split,      ///< a part of the network is out of reach
  healing,    ///< some of it is back
};

/// What a split was, once it is over.
struct NetworkHealed {
  std::chrono::milliseconds split_for{};  ///< from its detection until the first node of the other side came back
  std::chrono::milliseconds took{};       ///< from then until all was whole
  std::size_t away = 0;                   ///< nodes that were on the other side, at most
  std::size_t back = 0;                   ///< of those, how many came back
  std::uint64_t merged = 0;     ///< entries of the registry, written on the other side meanwhile, that came from there
  std::uint64_t conflicts = 0;  ///< shared names that have several values since
};

struct NetworkChange {
  NetworkState state = NetworkState::whole;
  std::string reason;  ///< "members-silent", "neighbours-silent", "members-back" …; "none"
  std::chrono::system_clock::time_point since;
  std::size_t here = 0;                 ///< nodes on this side that were heard, this one included
  std::size_t away = 0;                 ///< on the other
  std::vector<PeerId> other_side;       ///< of those, at most 64
  std::optional<NetworkHealed> healed;  ///< when it has become whole again
};

}  // namespace ekiden
