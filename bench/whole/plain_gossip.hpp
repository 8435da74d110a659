// Ways of broadcasting that gossip.* are compared with: flooding over an overlay in which everybody has as many
// neighbours as in the active view of HyParView, and pushing to so many random members whoever hears for the first
// time.
//
// Models, not protocols: no node joins, nothing is lost, a message takes 10 to 50 ms as in scenarios/broadcasts.toml.
#pragma once

#include <cstddef>

namespace ekiden::bench {

struct PlainGossip {
  double delivered_percent = 0;
  double copies = 0;  ///< that came for each delivery
  double hops = 0;    ///< of the delivery that took most of them; the mean of all broadcasts
};

/// REQUIRES: nodes is even and larger than `neighbours`, which is odd.
PlainGossip flood(std::size_t nodes, std::size_t neighbours);
/// REQUIRES: nodes > fan_out.
PlainGossip push_at_random(std::size_t nodes, std::size_t fan_out);

}  // namespace ekiden::bench
