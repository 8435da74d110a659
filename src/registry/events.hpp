// What the registry asks of the node.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.hpp"
#include "base/outbox.hpp"
#include "identity/peer_id.hpp"
#include "registry/entry.hpp"
#include "store/batch.hpp"
#include "wire/priority.hpp"

namespace ekiden::registry {

/// Send this to the neighbour: type byte and body. If the link does not take it, it is lost; comparing makes up for it.
struct Transmit {
  identity::PeerId to;
  wire::Priority priority;
  std::shared_ptr<const Bytes> message;
};
/// Make this durable; Registry::on_persisted wants the token, if there is one.
struct Persist {
  store::Batch batch;
  std::optional<store::PersistToken> token;
};
/// What we have put or removed is on our disk.
struct Written {
  store::PersistToken token;
};
/// What is under this name may have changed.
struct Changed {
  identity::PeerId owner;
  std::string name;
};
/// An author has signed two entries with one stamp. The larger digest is taken, here and everywhere; both are evidence.
struct Equivocated {
  identity::PeerId author;
  std::string name;
  Bytes taken;
  Bytes dropped;
};
/// Keep a link to this member, or no longer.
struct KeepLink {
  identity::PeerId peer;
  bool wanted = false;
};
/// Dial this member once: the link to it was lost.
struct Seek {
  identity::PeerId peer;
};
/// An entry of another author has come that was not here: from this neighbour, and written then by the author's clock.
struct Taken {
  identity::PeerId author;
  identity::PeerId from;
  WallTime written{};
  bool opened_conflict = false;  ///< its shared name had one value until now
};
/// A comparison with this neighbour has ended.
struct Compared {
  identity::PeerId peer;
  bool was_behind = false;  ///< it had what should have come long before
  bool differs = false;     ///< there is more, or the neighbour did not go on
};
/// A neighbour did what no honest one does. It is heard no more for a while.
struct Misbehaved {
  identity::PeerId peer;
  std::string what;
};

using Effect =
    std::variant<Transmit, Persist, Written, Changed, Taken, Compared, Equivocated, Misbehaved, KeepLink, Seek>;
using Effects = Outbox<Effect>;

}  // namespace ekiden::registry
