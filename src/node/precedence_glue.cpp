// Who comes first when there is more to do than can be done: the owner and those whom the owner has named. While they
// want something, links of others are read no faster than link/gate.hpp allows; here is who is who, what counts as
// wanting something, and what it costs to deal with a message.
#include "node/impl.hpp"

namespace ekiden::node {
namespace {

/// What a message of this type costs here at most, whatever it says: its signatures and key agreements, the row that it
/// makes, the answer. Measured on one core of 2.5 GHz or so, rounded up. The price of what carries a list is that of
/// each kilobyte.
Duration work_of(wire::MessageType type, std::size_t bytes) {
  using Type = wire::MessageType;
  switch (type) {
    case Type::envelope:
      return microseconds(350);  // the first of a session: four X25519, two signatures
    case Type::packet:
      return microseconds(150);
    case Type::dial_back:
    case Type::deposit:
      return microseconds(120);
    case Type::record:
    case Type::receipt:
    case Type::partition_statement:
    case Type::topic_join:
    case Type::topic_forward_join:
    case Type::topic_neighbour:
    case Type::topic_shuffle:
    case Type::topic_shuffle_reply:
    case Type::topic_gossip:
      return microseconds(80);
    case Type::registry_entries:
    case Type::realm_message:
      return microseconds(50) + microseconds(250) * static_cast<std::int64_t>(bytes / 1024);
    default:
      return microseconds(30);
  }
}

/// That somebody says this over its link shows that it wants something of us. Receipts, and answers to what we said,
/// do not: who only receives does not make others wait for that.
bool wants_something(wire::MessageType type, bool brought_envelope) {
  using Type = wire::MessageType;
  switch (type) {
    case Type::packet:
      return brought_envelope;
    case Type::envelope:
    case Type::deposit:
    case Type::collect:
    case Type::collected:
      return true;
    default:
      return false;
  }
}

}  // namespace

/// Those whose links are read at once. Whom others make us want, a relay or a mailbox that a stranger names, is no
/// friend for that.
bool Node::Impl::comes_first(const identity::PeerId& peer) const {
  return linked_contacts.contains(peer) || is_awaited(peer);
}

/// After its link, or what the owner thinks of it, has changed.
void Node::Impl::note_linked_contact(const identity::PeerId& peer) {
  if (neighbours.contains(peer) && tier_of(peer) != identity::TrustTier::stranger) {
    linked_contacts.insert(peer);
  } else {
    linked_contacts.erase(peer);
  }
  links.set_guarded(!linked_contacts.empty());
}

void Node::Impl::weigh(Now now, const link::Message& message, bool brought_envelope) {
  if (linked_contacts.empty() || message.bytes.empty()) return;
  const auto type = static_cast<wire::MessageType>(message.bytes[0]);
  if (!linked_contacts.contains(message.from)) {
    links.charge(now, message.from, work_of(type, message.bytes.size()));
  } else if (wants_something(type, brought_envelope)) {
    links.occupy(now);
  }
}

/// A packet that a contact has signed, by way of somebody else: it is not for that one that the work was done.
void Node::Impl::weigh_routed(Now now, const relay::Arrived& packet) {
  if (linked_contacts.empty() || packet.path.empty()) return;
  if (tier_of(packet.from) == identity::TrustTier::stranger) return;
  links.forgive(now, identity::PeerId::of(packet.path.back().by), work_of(wire::MessageType::packet, 0));
  if (packet.kind == relay::PacketKind::envelope) links.occupy(now);
}

}  // namespace ekiden::node
