// What we write: an entry of ours from what a user wants, stamped after all that is there, and signed.
//
// Rules, and why:
//   - the new entry is held at least as long as all that it takes the place of (registry/entry.hpp);
//   - it names what we have seen of the other authors of a shared name, so that it takes the place of that and of
//     nothing else;
//   - who removes what it added to a set keeps saying what else it had removed; only the owner ends a set;
//   - a renewal has seen no more than the entry that it renews: otherwise it would take the place of what others wrote.
#pragma once

#include <string>
#include <vector>

#include "identity/identity.hpp"
#include "registry/shared.hpp"

namespace ekiden::registry {

inline constexpr milliseconds kMinLifetime = seconds(1);

struct Draft {
  std::string name;
  std::optional<identity::PeerId> owner;  ///< of a shared name of somebody else
  Shape shape = Shape::own;               ///< of our own name; of another the owner has decided
  std::vector<identity::PeerId> writers;  ///< of our own shared name
  std::string capability;
  std::vector<Metadata> metadata;
  Bytes value;                      ///< not of sets
  std::vector<Bytes> add;           ///< elements of a set
  std::vector<Bytes> take;          ///< the same, to be removed
  milliseconds lifetime = days(1);  ///< kMinLifetime to kMaxLifetime
  bool renew = false;               ///< by this node, before it expires, until it is put again or removed
};

struct Own {
  Entry entry;
  Bytes signed_bytes;
};

/// Errors: invalid_argument, not_found (no such shared name), refused (not a writer of it; the clock is wrong),
/// too_large, limit_exceeded (too many authors or elements).
Result<Own> write_entry(const identity::Identity& self, HybridClock& clock, const Replica& replica, WallTime wall,
                        const Draft& draft);

/// Errors: not_found, refused, limit_exceeded.
Result<Own> write_removal(const identity::Identity& self, HybridClock& clock, const Replica& replica, WallTime wall,
                          const identity::PeerId& owner, std::string_view name);

/// What `held`, an entry of ours, says, for another lifetime: it takes the place of nothing but itself, so that whoever
/// wrote at the same time is not overwritten. What was overwritten by others is not said again; the owner goes on
/// naming the writers. Elements of ours that are half as old as they may become are added anew. Errors: not_found
/// (there is nothing of ours left to renew), refused (the clock is wrong).
Result<Own> write_renewal(const identity::Identity& self, HybridClock& clock, const Replica& replica, WallTime wall,
                          const Entry& held, milliseconds lifetime);

}  // namespace ekiden::registry
