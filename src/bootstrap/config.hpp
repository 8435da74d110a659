// The knobs of discovery, with the defaults of a node. The simulator varies them within reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>

#include "base/time.hpp"
#include "identity/address.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::bootstrap {

struct Config {
  // Bounds on what is known.
  std::size_t max_nodes = 512;       ///< In total.
  std::size_t max_per_source = 128;  ///< Named by one source of the configuration.
  std::size_t max_per_signer = 32;   ///< Named by the lists of one signer.
  std::size_t max_per_prefix = 4;    ///< Of lists, in one /24 of IPv4 or /56 of IPv6.
  std::size_t max_per_domain = 16;   ///< Of lists, with a name under one domain (its last two labels).
  std::size_t max_per_depth = 256;   ///< Found at one distance from the configuration; the configured do not count.
  std::size_t max_endpoints = 8;     ///< Of one node, over all who named it.
  std::size_t max_buried = 1024;     ///< Dead nodes that are not tried again for a while.
  std::uint32_t max_depth = 3;       ///< Lists of nodes at this distance are not asked for.

  // Bounds on what is done.
  std::size_t max_parallel = 8;         ///< Probes under way.
  std::size_t max_probe_endpoints = 4;  ///< Tried in one probe; the next probe goes on with the others.
  std::size_t max_offered = 16;         ///< Remembered nodes offered at the start.
  std::size_t enough = 4;               ///< With so many nodes up, the first probes of others can wait.

  // Times.
  Duration probe_timeout = seconds(30);
  Duration patience = seconds(1);          ///< For a first answer, before somebody else is probed beside.
  Duration survey_interval = minutes(10);  ///< In which everybody else is probed for the first time.
  Duration retry_min = seconds(30);        ///< After a failure; doubles with each in a row …
  Duration retry_max = hours(1);           ///< … up to this.
  Duration reprobe_interval = hours(1);
  Duration list_interval_min =
      minutes(2);                        ///< Between the first two requests for the list of a node; doubles with each …
  Duration list_interval = hours(6);     ///< … up to this.
  Duration wake_interval = seconds(10);  ///< Between two calls of retry_now() that do something.
  Duration flush_interval = seconds(10);
  /// This node counts as online for so long after a probe has reached somebody; failures at other times prove nothing.
  Duration online_window = hours(2);
  Duration burial = hours(24);  ///< A dead node that lists name again is not tried for so long.
  /// A node that was reached once is dead when it failed `max_strikes` times in a row and for so long; one that was
  /// never reached, after the `max_strikes` alone.
  Duration forget_after = days(14);
  std::uint32_t max_strikes = 5;

  // Policy.
  /// What lists of nodes may name. Networks of one machine or one LAN set `configuration` or `lan`.
  identity::LearnedFrom listed_as = identity::LearnedFrom::remote_record;
  /// Whose lists count among those that stand in the configuration; nothing: everybody's who signed them, for it was
  /// the owner who put them there.
  std::optional<std::set<identity::PeerId>> trusted_signers;
};

}  // namespace ekiden::bootstrap
