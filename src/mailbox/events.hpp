// What the engines of mailboxes ask of the node.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/outbox.hpp"
#include "identity/peer_id.hpp"
#include "mailbox/messages.hpp"
#include "store/batch.hpp"
#include "store/reading.hpp"

namespace ekiden::mailbox {

/// Send this to the neighbour: type byte and body. If the link does not take it, it is lost; timers repeat it.
struct Transmit {
  identity::PeerId to;
  wire::Priority priority;
  std::shared_ptr<const Bytes> message;
};
/// Make this durable; Keeper::on_persisted wants the token, if there is one.
struct Persist {
  store::Batch batch;
  std::optional<store::PersistToken> token;
};
/// Read bodies of parcels; Keeper::on_fetched wants the answer.
using store::Fetch;
/// A parcel could not be read as it was written. It is no longer kept.
struct Damaged {
  identity::PeerId owner;
  identity::PeerId from;
};
/// A link to this peer is wanted, or no longer. Said once, whatever the number of reasons.
enum class Wanter : std::uint8_t { depositor, collector };
struct Want {
  identity::PeerId peer;
  Wanter by{};
  bool wanted = true;
};
/// Which nodes may keep mail for this peer? Answered by Depositor::on_mailboxes, or Collector::on_mailboxes if it is
/// ourselves.
struct FindMailboxes {
  identity::PeerId owner;
  bool far = false;  ///< those that its record names were not enough: ask the network, too
};
/// A mailbox has signed that it keeps this parcel of ours.
struct Placed {
  identity::PeerId owner;
  Uuid id;
  identity::PeerId by;
  WallTime until;
};
/// A parcel for us. Ends with Collector::settled().
struct Arrived {
  identity::PeerId from;
  Uuid id;
  ParcelKind kind{};
  std::shared_ptr<const Bytes> buffer;
  ByteView payload;  ///< into buffer
};
/// Our record has to name these mailboxes.
struct OwnChanged {};

using Effect = std::variant<Transmit, Persist, Fetch, Damaged, Want, FindMailboxes, Placed, Arrived, OwnChanged>;
using Effects = Outbox<Effect>;

}  // namespace ekiden::mailbox
