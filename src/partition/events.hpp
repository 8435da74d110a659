// What the partition detector asks of the node, and tells it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/outbox.hpp"
#include "base/time.hpp"
#include "identity/peer_id.hpp"
#include "wire/priority.hpp"

namespace ekiden::partition {

enum class State : std::uint8_t {
  whole,
  suspected,  ///< there are signs; nobody need do anything
  split,      ///< a part of the members is out of reach
  healing,    ///< some of them are back
};
std::string_view state_name(State state);

enum class Reason : std::uint8_t {
  none,
  members_silent,     ///< a share of the members, as two neighbours of each say or this node sees
  neighbours_silent,  ///< most of this node's own neighbours
  items_missing,      ///< of several publishers
  replicas_differ,    ///< for longer than comparing takes
  members_back,
  members_forgotten,  ///< the other side was away for too long
  nobody_follows,     ///< some came back, and then no more
};
std::string_view reason_name(Reason reason);

/// Send this to the neighbour: type byte and body. If the link does not take it, it is lost.
struct Transmit {
  identity::PeerId to;
  wire::Priority priority;
  std::shared_ptr<const Bytes> message;
};
/// What a split was, told when it is over.
struct Healed {
  Duration split_for{};  ///< from its detection until the first one came back for good
  Duration took{};       ///< from then until all was whole
  std::size_t away_most = 0;
  std::size_t back = 0;         ///< members that returned
  std::uint64_t merged = 0;     ///< entries of the other side, written while it was away, that this node has taken
  std::uint64_t conflicts = 0;  ///< names that have several values since then
};
/// One clear line of the log.
struct Changed {
  State state = State::whole;
  Reason reason = Reason::none;
  Instant at{};
  WallTime wall{};
  std::size_t here = 0;                       ///< members on this side, this node included
  std::size_t away = 0;                       ///< on the other
  std::vector<identity::PeerId> listed = {};  ///< of those, at most Config::max_listed
  std::optional<Healed> healed = {};          ///< of the change from healing to whole
};
/// The state from which a node begins: alone, and nobody is missed.
inline Changed whole_since(Now begun) { return {.at = begun.mono, .wall = begun.wall, .here = 1}; }
/// What a comparison of replicas with a neighbour has shown.
enum class Replicas : std::uint8_t {
  same,
  caught_up,  ///< one lacked what it should have had long before, and has it now
  differ,     ///< still
};
/// A neighbour no longer hears us or is heard. Or, with `silent` false, it does again.
struct NeighbourSilent {
  identity::PeerId peer;
  bool silent = true;
};
/// It has been silent for so long that the link is of no use: cut it, so that others take its place, and a new one can
/// be made.
struct Abandon {
  identity::PeerId peer;
};
/// Try to make a link to this member of the other side, by whatever way there is.
struct Probe {
  identity::PeerId peer;
};
/// A neighbour or member did what no honest one does. It is not heard for a while.
struct Misbehaved {
  identity::PeerId peer;
  std::string what;
};

using Effect = std::variant<Transmit, Changed, NeighbourSilent, Abandon, Probe, Misbehaved>;
using Effects = Outbox<Effect>;

}  // namespace ekiden::partition
