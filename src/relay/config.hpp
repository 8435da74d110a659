// The knobs of relaying, with the defaults of a node. The simulator varies them within reason.
#pragma once

#include <cstddef>

#include "base/time.hpp"

namespace ekiden::relay {

struct Config {
  bool use = true;      ///< our messages may go through relays
  bool forward = true;  ///< we hand on what others send

  // Packets of others that we keep until somebody else has taken them (relay/custody.hpp).
  std::size_t max_packets = 16'384;
  std::size_t max_bytes = 64 << 20;  ///< in memory and on disk
  std::size_t max_packets_per_neighbour = 4096;
  std::size_t max_bytes_per_neighbour = 16 << 20;
  std::size_t stranger_share = 2;  ///< neighbours that are no contacts use, together, one part in this; not 0
  Duration max_keep = days(7);

  Duration route_after = seconds(1);      ///< a route is looked for when there was no link for so long …
  Duration request_min = seconds(2);      ///< … and again, if none was found or the ones that were found fail …
  Duration request_max = minutes(2);      ///< … doubling up to this
  Duration answer_timeout = seconds(2);   ///< for the answer of the next one; doubles with each attempt …
  Duration retry_max = minutes(5);        ///< … up to this
  Duration route_lifetime = minutes(10);  ///< since it was last of use
  std::size_t max_routed_peers = 4096;
  std::size_t requests_per_second = 20;  ///< that are handed on for each neighbour
  std::size_t request_burst = 100;
};

}  // namespace ekiden::relay
