// What waits for a Persist of the node: the engines whose changes are in the batch, and what may be told or sent once
// it is on disk.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "router/router.hpp"
#include "store/batch.hpp"

namespace ekiden::node {

/// One stay in a realm: what is on its way to the disk since an earlier one is nobody's.
enum class Stay : std::uint32_t {};

struct InFlight {
  store::PersistToken token;
  std::optional<store::PersistToken> router;
  std::optional<store::PersistToken> keeper;
  std::optional<store::PersistToken> relay;
  std::optional<store::PersistToken> registry;
  std::vector<std::pair<Stay, store::PersistToken>> realm_registries;
  std::vector<router::RequestId> answers;  ///< requests that are done once it is on disk
  Bytes record;                      ///< the own record whose sequence and prekey are in the batch, to be published
  Bytes withdrawal;                  ///< the one that ends it
  std::vector<Bytes> announcements;  ///< or their ends, in the order of their sequences
  Bytes list;                        ///< the own bootstrap list whose sequence is in the batch
  std::uint64_t sessions = 0;        ///< changes of the sessions up to this one are in the batch
};

/// Messages that are sealed with the next ticks.
struct Sealing {
  std::deque<router::Seal> waiting;
  std::optional<Instant> at;
};

}  // namespace ekiden::node
