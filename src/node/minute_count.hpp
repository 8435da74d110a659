// How often peers ask to be dialled back, for the limits of that.
#pragma once

#include <cstddef>

#include "base/lru_map.hpp"
#include "base/time.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::node {

/// Of the minute that began then.
struct MinuteCount {
  Instant since{};
  std::size_t count = 0;
  std::size_t names = 0;  ///< of those
};

struct DialBacks {
  MinuteCount all;
  LruMap<identity::PeerId, MinuteCount> by_peer{4096};
  std::size_t running = 0;
};

}  // namespace ekiden::node
