// The knobs of reachability, with the defaults of a node.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace ekiden::reachability {

struct Config {
  // Bounds on what is known.
  std::size_t max_candidates = 8;  ///< In total; what is configured comes first.
  std::size_t max_observed = 4;    ///< Of those, observed ones.
  std::size_t max_votes = 64;      ///< Observations that are remembered, for links and for datagrams each.
  std::size_t max_peers = 256;     ///< That could be asked.

  // Bounds on what is done.
  std::size_t questions_per_minute = 20;

  // Rules.
  std::size_t votes = 2;         ///< Voters who see the same address, and who reach it, until it counts.
  std::size_t failures = 3;      ///< Peers in a row that do not reach a verified endpoint until it is lost.
  bool private_network = false;  ///< A peer is a voter; otherwise an address prefix is. Special addresses count.

  // Times.
  Duration answer_timeout = seconds(30);  ///< For a question; over what the other side needs to dial and shake hands.
  Duration next_peer = seconds(1);        ///< Until another peer is asked, when one did not try.
  Duration retry_min = seconds(5);        ///< After a failure; doubles with each in a row …
  Duration retry_max = minutes(30);       ///< … up to this.
  Duration verify_interval = minutes(30);
  Duration peer_rest = minutes(2);  ///< Of one that refused or was silent; doubles with each in a row, up to retry_max.
  Duration good_for = hours(24);    ///< A verification, also over a restart.
  Duration vote_ttl = hours(24);
};

}  // namespace ekiden::reachability
