// What a name says: of one that its owner alone writes, its entry; of a shared one, what the entries of its authors
// make together.
//
// Pure functions of the replica and the time. Rules, and why:
//   - the owner's entry says who the authors are. What others wrote is held and not shown, so that the order in which
//     entries come decides nothing;
//   - an entry that expired shows nothing, and what it had seen stays seen: a value that it took the place of is not
//   back;
//   - an element of a set is over kMaxLifetime after it was added, whoever lists it: then no version vector has to
//     remember it (forget_before).
//
// Bounds: 1 + kMaxWriters entries are read.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "registry/multi_value.hpp"
#include "registry/observed_set.hpp"
#include "registry/replica.hpp"

namespace ekiden::registry {

struct View {
  Shape shape = Shape::own;
  std::vector<Entry> values;    ///< more than one: concurrent, the last one first; of a set: none
  std::vector<Bytes> elements;  ///< of a set
  WallTime expires{};           ///< the last of its entries
};

/// What was seen of a name, for whoever writes it next.
struct Context {
  VersionVector<identity::PeerId> seen;  ///< nothing that is so old that it can be forgotten
  Stamp last;                            ///< the largest of all
  WallTime kept{};                       ///< the last end of what is there
  ObservedSet<identity::PeerId, Bytes> set;
  std::optional<Entry> own;    ///< of the author that asks, whatever became of it
  std::optional<Entry> owner;  ///< of the owner, whatever became of it
};

/// Stamps that are smaller can no longer come from anywhere.
Stamp forget_before(WallTime wall);

/// Nothing if the owner has no entry there that is shown.
std::optional<View> view_of(const Replica& replica, const identity::PeerId& owner, std::string_view name,
                            WallTime wall);

/// Whether another author of this shared name had seen the entry, and so takes its place.
bool is_overwritten(const Replica& replica, const Entry& entry);
/// Whether another author of this set had seen the element, which the author of the entry has added, and took it.
bool is_taken(const Replica& replica, const Entry& entry, const Element& element);

Context context_of(const Replica& replica, const identity::PeerId& owner, const identity::PeerId& author,
                   std::string_view name, WallTime wall);

}  // namespace ekiden::registry
