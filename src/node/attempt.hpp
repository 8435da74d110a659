// What is under way to reach a peer: one of its endpoints is tried, its record is searched, discovery looks at it.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "bootstrap/bootstrap.hpp"
#include "identity/endpoint.hpp"
#include "identity/peer_id.hpp"
#include "node/input.hpp"

namespace ekiden::node {

/// For a peer that asked us to dial it back.
struct ForPeer {
  identity::PeerId asker;
  std::uint64_t request = 0;
};
/// For the link that comes of it.
struct ForMeeting {};
struct Attempt {
  std::variant<bootstrap::ProbeId, RequestId, ForPeer, ForMeeting> purpose;
  identity::PeerId peer;
  identity::Endpoint endpoint;
  identity::LearnedFrom learned_from{};
  std::vector<identity::IpAddress> only = {};  ///< where a name may lead; empty: anywhere
  Instant began{};
};

/// A peer that is searched because messages wait for it, or because it keeps mail or relays.
struct Search {
  Duration interval{};
  bool is_spare = false;  ///< no message is for it
  bool is_running = false;
};

struct Probing {
  bootstrap::Probe probe;
  Instant began;
  std::size_t next = 0;                            ///< of its endpoints
  Error why = {};                                  ///< the last one failed
  std::optional<bootstrap::Reached> reached = {};  ///< and asked for its list
};

}  // namespace ekiden::node
