// What the relay engine asks of the node.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/outbox.hpp"
#include "identity/peer_record.hpp"
#include "relay/messages.hpp"
#include "store/batch.hpp"

namespace ekiden::relay {

/// Send this to the neighbour: type byte and body. If the link does not take it, it is lost; timers repeat what is
/// durable.
struct Transmit {
  identity::PeerId to;
  wire::Priority priority;
  std::shared_ptr<const Bytes> message;
};
/// Make this durable; Relay::on_persisted wants the token.
struct Persist {
  store::Batch batch;
  store::PersistToken token;
};
/// A link to this relay is wanted, or no longer.
struct Want {
  identity::PeerId peer;
  bool wanted = true;
};
/// There is a route to a peer that was asked for, or none any more.
struct RouteChanged {
  identity::PeerId to;
  bool up = false;
};
/// A relay has taken a packet of ours.
struct HandedOn {
  identity::PeerId to;
  Uuid id;
  identity::PeerId by;
};
/// No relay has it: its route has failed.
struct Returned {
  identity::PeerId to;
  Uuid id;
};
/// A packet for us. A durable one ends with Relay::settled().
struct Arrived {
  identity::PeerId from;
  Uuid id;
  PacketKind kind{};  ///< envelope or receipt
  bool durable = false;
  std::shared_ptr<const Bytes> buffer;
  ByteView payload;        ///< into buffer
  crypto::Digest subject;  ///< of a durable one, as is the next
  path::Hops path;         ///< verified
};
/// A verified record has come from its owner.
struct Met {
  identity::SignedRecord record;
};

using Effect = std::variant<Transmit, Persist, Want, RouteChanged, HandedOn, Returned, Arrived, Met>;
using Effects = Outbox<Effect>;

}  // namespace ekiden::relay
