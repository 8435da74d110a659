// The records of peers: the newest that we heard of holds, whoever brings it.
//
// A peer itself may show an older one, in a handshake or later over its link: its data was restored from a backup, or
// the newer one was on its way while the link was made. Then the link goes by what the peer shows, for only to that
// does it hold the prekey, and the peer is told of the newer one (docs/protocol/messages.md, "record"): it signs
// another above that, which displaces both. So a restored peer is reached at once, and what is known is never displaced
// by something older.
#include <algorithm>
#include <utility>

#include "node/impl.hpp"

namespace ekiden::node {

Status Node::Impl::load_peer_record_row(const store::Row& row) {
  auto known = identity::verify_record_ignoring_time(row.value);
  const auto row_name = [&] { return identity::PeerId{take_array<32>(row.key.name)}; };
  if (!known || row.key.name.size() != identity::PeerId{}.bytes.size() || known->id() != row_name()) {
    return fail(Errc::storage_corrupt, "table records: a record that does not verify");
  }
  const identity::PeerId id = known->id();
  // Of a contact it was written before it became one, and what came later stands with the contact.
  const identity::SignedRecord* newer = newest_of(id);
  if (newer == nullptr || identity::is_newer(*known, newer->record))
    records.restore(id, {std::move(*known), row.value});
  return {};
}

const identity::SignedRecord* Node::Impl::newest_of(const identity::PeerId& peer) {
  if (const identity::SignedRecord* held = newest_held(peer)) return held;
  auto listed = listed_record(peer);
  return listed ? &records.put(peer, std::move(*listed)) : nullptr;
}

const identity::SignedRecord* Node::Impl::newest_held(const identity::PeerId& peer) {
  if (const identity::SignedRecord* known = records.find(peer)) return known;
  const identity::Contact* contact = contacts.find(peer);
  if (contact == nullptr || !contact->record) return nullptr;
  auto known = identity::verify_record_ignoring_time(*contact->record);
  if (!known) return nullptr;
  return &records.put(peer, {std::move(*known), *contact->record});
}

const identity::PeerRecord* Node::Impl::record_of(const identity::PeerId& peer) {
  if (const identity::SignedRecord* shown = records.shown(peer)) return &shown->record;
  const identity::SignedRecord* newest = newest_of(peer);
  return newest == nullptr ? nullptr : &newest->record;
}

void Node::Impl::learn(Now now, identity::SignedRecord signed_record, Heard from) {
  const identity::PeerId id = signed_record.record.id();
  const identity::SignedRecord* newest = newest_held(id);
  if (newest == nullptr || identity::is_newer(signed_record.record, newest->record)) {
    if (contacts.learn(signed_record)) {
      batch.put(store::Table::contacts, id.view(), wire::encode(*contacts.find(id)));
    }
    records.forget_shown(id);
    records.put(id, std::move(signed_record));
  } else if (from == Heard::from_others) {
    return;
  } else if (newest->signed_bytes == signed_record.signed_bytes) {
    if (!records.forget_shown(id)) return;
  } else {
    const identity::SignedRecord* shown = records.shown(id);
    if (shown != nullptr && shown->signed_bytes == signed_record.signed_bytes) return;  // It was told.
    send_message(now, id, wire::Priority::low, wire::MessageType::record, newest->signed_bytes);
    records.show(id, std::move(signed_record));
  }
  if (!wanted.contains(id)) return;
  reach(now, id);
  router.on_record(now, id, router_out);
}

Status Node::Impl::on_record_message(Now now, const identity::PeerId& from, ByteView body) {
  auto heard = identity::verify_signed_record(body, now.wall);
  if (!heard || heard->record.id() == self.id()) {
    // Of our own the time does not matter: others hold it.
    const auto own = identity::verify_record_ignoring_time(body);
    if (own && own->id() == self.id()) return on_own_record_message(now, from, *own, body);
    return heard ? Status() : std::unexpected(std::move(heard).error());
  }
  const identity::PeerRecord& shown = heard->record;
  if (shown.id() != from) return fail(Errc::refused, "a record of somebody else");
  const identity::PeerRecord* current = record_of(from);
  if (current != nullptr && identity::is_newer(*current, shown)) return {};
  show_neighbour(now, shown);
  show_to_watch(now, shown);
  propose_nodes(now, shown);  // Its endpoints may have been verified only now.
  learn(now, std::move(*heard), Heard::from_itself);
  return {};
}

Status Node::Impl::on_own_record_message(Now now, const identity::PeerId& from, const identity::PeerRecord& held,
                                         ByteView body) {
  on_own_record(now, held, body);
  // The link was made while it was new: its handshake showed the one before.
  if (std::ranges::equal(body, record)) {
    send_message(now, from, wire::Priority::low, wire::MessageType::record, record);
  }
  return {};
}

}  // namespace ekiden::node
