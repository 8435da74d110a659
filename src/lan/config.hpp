// The knobs of finding peers on the local network, with the defaults of a node.
#pragma once

#include <cstddef>

#include "base/time.hpp"
#include "flow/token_bucket.hpp"

namespace ekiden::lan {

struct Config {
  // When to say it.
  Duration interval = seconds(60);                ///< Between two beacons, give or take a quarter.
  Duration ask_interval = seconds(1);             ///< Between the first beacons, which ask for answers; doubles.
  std::size_t asks = 3;                           ///< So many of those: the network may lose some. At least 1.
  Duration max_answer_delay = milliseconds(500);  ///< An answer waits for up to this, so that not all speak at once …
  Duration min_pause = seconds(1);                ///< … and comes no sooner than this after our last beacon.

  // Whom to remember.
  std::size_t max_peers = 256;
  std::size_t max_places = 4;          ///< Addresses of one peer.
  std::size_t max_per_address = 16;    ///< Peers at one address.
  Duration forget_after = minutes(5);  ///< An address at which a peer is not heard for so long.
  bool special_sources = false;        ///< Hear loopback and link-local addresses, too: networks of one machine.

  // What others may cost: signatures that are checked.
  flow::Rate checks = {.per_second = 64, .burst = 256};
  flow::Rate checks_per_source = {.per_second = 8, .burst = 32};
  std::size_t max_sources = 256;  ///< Addresses whose beacons are counted.

  bool valid() const {
    return asks >= 1 && max_peers >= 1 && max_places >= 1 && max_per_address >= 1 && max_sources >= 1 &&
           interval > Duration{} && ask_interval > Duration{} && forget_after > Duration{};
  }
};

}  // namespace ekiden::lan
