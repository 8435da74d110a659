// What a lookup in the DHT is for: a request of the application, waiting messages, or what an engine seeks. And why
// there is none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "dht/dht.hpp"
#include "gossip/item.hpp"
#include "identity/node_info.hpp"
#include "identity/peer_id.hpp"
#include "router/asks.hpp"
#include "router/router.hpp"

namespace ekiden::node {

struct LookupFor {
  identity::PeerId peer = {};
  std::string capability = {};  ///< instead of a peer
  std::optional<router::RequestId> request = {};
  std::optional<router::AskId> ask = {};
  bool own = false;                                ///< our own record, of which others keep a newer one
  bool mailboxes = false;                          ///< nodes near the peer, which may keep mail for it
  std::optional<gossip::TopicId> topic = {};       ///< whose members are sought
  std::optional<identity::NodeInfo> meeting = {};  ///< a node to be dialled, for it may tell whether we are reachable
};

struct Lookups {
  std::map<dht::LookupId, LookupFor> running;
  std::uint64_t last = 0;

  /// The caller starts it.
  dht::LookupId begin(LookupFor purpose) {
    const dht::LookupId id{++last};
    running.emplace(id, std::move(purpose));
    return id;
  }
};

inline std::unexpected<Error> discovery_is_off() {
  return fail(Errc::unsupported, "discovery is off: this node listens on no udp:// endpoint");
}

}  // namespace ekiden::node
