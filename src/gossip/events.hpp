// What the gossip engine asks of the node.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "base/bytes.hpp"
#include "base/outbox.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "gossip/item.hpp"
#include "identity/peer_record.hpp"
#include "wire/message_type.hpp"
#include "wire/priority.hpp"

namespace ekiden::gossip {

/// Given by the caller with a publication. Unique among those that run.
enum class PublishId : std::uint64_t {};

/// Send this to the neighbour: type byte and body. If the link does not take it, it is lost; what is missing is asked
/// for.
struct Transmit {
  identity::PeerId to;
  wire::Priority priority;
  std::shared_ptr<const Bytes> message;
};
/// A link to this member is wanted, or no longer.
struct Want {
  identity::PeerId peer;
  bool wanted = true;
};
/// A verified record that its owner has signed: where it may be dialled.
struct Met {
  identity::SignedRecord record;
  bool in_realm = false;  ///< it is a member of a topic in a realm
};
/// Search members of this topic; Gossip::on_members takes what is found.
struct FindMembers {
  TopicId topic;
};
/// Members of this topic are to find this node, or no longer.
struct ShowMember {
  TopicId topic;
  bool shown = true;
};
/// An item that was not here before: verified, of somebody else.
struct Delivered {
  std::string topic;
  std::string realm;  ///< empty: in none
  identity::PeerId publisher;
  std::uint64_t run = 0;
  std::uint64_t sequence = 0;
  WallTime at{};
  std::uint32_t hops = 0;  ///< as the neighbours say
  std::shared_ptr<const Bytes> signed_bytes;
  ByteView payload;  ///< into signed_bytes
};
/// An item that was not here before has come over this neighbour: `publisher` has signed it, at `at` by its own clock.
/// Not told of topics in realms, whose members may be few: they say nothing about the network.
struct Heard {
  identity::PeerId publisher;
  identity::PeerId from;
  WallTime at{};
};
/// Numbers of this publisher are missing, for so long that they are asked for. Not told of topics in realms.
struct Missing {
  identity::PeerId publisher;
};
struct Publication {
  std::uint64_t sequence = 0;
  std::size_t neighbours = 0;  ///< to whom it was sent, or is announced; 0: whoever comes within Config::linger has it
};
/// The end of publish().
struct Published {
  PublishId id;
  Result<Publication> result;
};
/// A neighbour was given up for what it did, or a publisher is not heard as often as it publishes. For logs.
struct Misbehaved {
  identity::PeerId peer;
  std::string what;
};

using Effect =
    std::variant<Transmit, Want, Met, FindMembers, ShowMember, Delivered, Heard, Missing, Published, Misbehaved>;
using Effects = Outbox<Effect>;

}  // namespace ekiden::gossip
