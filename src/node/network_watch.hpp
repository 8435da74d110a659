// What a node has for watching over the network: the partition detector, and the members of the other side that it
// dials.
#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "base/rng.hpp"
#include "partition/detector.hpp"

namespace ekiden::node {

struct NetworkWatch {
  explicit NetworkWatch(Rng stream) : rng(std::move(stream)) {}

  Rng rng;
  std::optional<partition::Detector> detector;  ///< from the start on, unless Config::watch_network is off
  partition::Effects out;
  std::deque<identity::PeerId> probed;  ///< the last ones, wanted for that
};

}  // namespace ekiden::node
