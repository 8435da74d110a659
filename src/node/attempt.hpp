// What is under way to reach a peer: one of its endpoints is tried, its record is searched, discovery looks at it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "bootstrap/bootstrap.hpp"
#include "datagram/datagrams.hpp"
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

struct Attempts {
  std::vector<ProbePeer> early;                ///< from before our record was on disk
  std::map<ConnId, Attempt> dials;             ///< over links
  std::map<datagram::QueryId, Attempt> pings;  ///< over datagrams
  std::uint64_t last_ping = 0;
  std::size_t requested = 0;  ///< of those, for requests
};

/// A peer that is searched because messages wait for it, or because it keeps mail or relays.
struct Search {
  Duration interval{};
  bool is_spare = false;  ///< no message is for it
  bool is_running = false;
};

struct Searches {
  std::map<identity::PeerId, Search> all;  ///< of wanted peers that have no link
  DeadlineMap<identity::PeerId> due;       ///< of those that are not running
};

struct Joining {
  std::optional<Instant> look;  ///< while no node of the DHT is known
  Duration wait{};
};

struct Probing {
  bootstrap::Probe probe;
  Instant began;
  std::size_t next = 0;                            ///< of its endpoints
  Error why = {};                                  ///< the last one failed
  std::optional<bootstrap::Reached> reached = {};  ///< and asked for its list
};

}  // namespace ekiden::node
