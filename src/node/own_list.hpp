// The bootstrap list that we sign, for those who ask: the nodes that discovery itself has reached in this run.
//
// Like the own record it is shown to nobody before its sequence number is on disk, and the number is not below the wall
// clock (own_record.cpp tells why). It is made anew when somebody asks and the nodes have changed, at most once in
// list_interval, or half its lifetime is over.
//
// A link may ask once in list_pause; more requests are bad messages. Attack: a neighbour that asks all the time, for a
// byte each, to be sent 16 KiB.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "bootstrap/list.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::node {

struct OwnList {
  std::uint64_t sequence = 0;
  bootstrap::NodeList content;  ///< of the one made last, published or not
  Bytes signed_bytes;           ///< on disk; empty until somebody asked
  std::optional<Instant> made;
  bool is_pending = false;            ///< one is on its way to the disk
  std::set<identity::PeerId> askers;  ///< that wait for it
};

}  // namespace ekiden::node
