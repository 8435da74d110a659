// What a node has for watching over the network: the partition detector, and the members of the other side that it
// dials. A node that has never had a neighbour holds next to nothing.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/rng.hpp"
#include "partition/detector.hpp"

namespace ekiden::node {

struct NetworkWatch {
  explicit NetworkWatch(const Rng::Seed& stream) : seed(stream) {}

  Rng::Seed seed;                                 ///< of the detector
  std::optional<Now> begun;                       ///< the start of the node, unless Config::watch_network is off
  std::unique_ptr<partition::Detector> detector;  ///< from the first neighbour on that watches, too
  partition::Effects out;
  std::vector<identity::PeerId> probed;  ///< the last ones, wanted for that; the oldest first
};

}  // namespace ekiden::node
