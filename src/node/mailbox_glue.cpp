// What others keep for us and we for them: the router's messages become parcels, and parcels its envelopes and
// receipts; records and the DHT say where mailboxes are.
#include <algorithm>
#include <utility>

#include "node/impl.hpp"
#include "node/receipt_id.hpp"

namespace ekiden::node {
namespace {

/// A receipt that nobody collects in this time is asked for again.
constexpr milliseconds kReceiptTtl = days(7);

bool is_for_links(const identity::Endpoint& endpoint) {
  return endpoint.transport != identity::Endpoint::Transport::udp;
}

/// Whoever leaves or collects mail there has to be able to dial it.
bool keeps_mail(const identity::PeerRecord& record) {
  return (record.features & mailbox::kMailboxFeature) != 0 &&
         std::ranges::any_of(record.known_endpoints(), is_for_links);
}

}  // namespace

void Node::Impl::on_mailbox_effect(Now now, mailbox::Effect effect) {
  std::visit(Overloaded{
                 [&](const mailbox::Transmit& transmit) {
                   // What a link does not take is repeated when its answer is missed.
                   static_cast<void>(links.send(now, transmit.to, transmit.priority, *transmit.message, link_out));
                 },
                 [&](mailbox::Persist& persist) {
                   batch.append(std::move(persist.batch));
                   if (!persist.token) return;
                   waiting.keeper = persist.token;
                   persist_wanted = true;
                 },
                 [&](mailbox::Fetch& fetch) { out->push(std::move(fetch)); },
                 [&](const mailbox::Damaged& parcel) {
                   log_limited(now, message_lines, LogLevel::warning, "mailbox",
                               "a parcel of " + parcel.from.text() + " for " + parcel.owner.text() +
                                   " is damaged on the disk, and dropped: other mailboxes have copies of it");
                 },
                 [&](const mailbox::Want& request) {
                   const WantedBy by = request.by == mailbox::Wanter::depositor ? by_depositor : by_collector;
                   if (request.wanted) {
                     want(now, request.peer, by);
                   } else {
                     unwant(now, request.peer, by);
                   }
                 },
                 [&](const mailbox::FindMailboxes& request) { find_mailboxes(now, request); },
                 [&](const mailbox::Placed& placed) {
                   router.on_stored(now, placed.id, {.by = placed.by, .until = placed.until}, router_out);
                 },
                 [&](mailbox::Arrived& parcel) { on_parcel(now, std::move(parcel)); },
                 [&](const mailbox::OwnChanged&) {
                   if (!ending) renew_record(now);
                 },
             },
             effect);
}

Status Node::Impl::on_mailbox_message(Now now, const link::Message& message) {
  const ByteView body = message.bytes.subspan(1);
  switch (static_cast<wire::MessageType>(message.bytes[0])) {
    case wire::MessageType::deposit: {
      const auto addresses = links.addresses(message.from);
      const auto prefix = addresses.empty() ? identity::AddressPrefix{} : identity::prefix_of(addresses.front().ip);
      return keeper.on_deposit(now, message.from, prefix, body, mailbox_out);
    }
    case wire::MessageType::stored:
      return depositor.on_stored(now, message.from, body, mailbox_out);
    case wire::MessageType::not_stored:
      return depositor.on_not_stored(now, message.from, body, mailbox_out);
    case wire::MessageType::collect:
      return keeper.on_collect(now, message.from, body, mailbox_out);
    case wire::MessageType::parcel:
      return collector.on_parcel(message.from, message.buffer, body, mailbox_out);
    default:
      return keeper.on_collected(now, message.from, body, mailbox_out);
  }
}

void Node::Impl::show_neighbour(Now now, const identity::PeerRecord& peer) {
  const identity::PeerId id = peer.id();
  note_linked_contact(id);
  if (!links.is_up(id)) return;
  const bool is_mailbox = keeps_mail(peer);
  depositor.on_link_up(now, id, peer.public_key, is_mailbox, mailbox_out);
  collector.on_link_up(now, id, is_mailbox, mailbox_out);
  relay.on_link_up(now, id, (peer.features & relay::kRelayFeature) != 0, relay_out);
}

void Node::Impl::leave_message(Now now, const router::Deposit& deposit) {
  depositor.deposit(now,
                    {.id = deposit.id,
                     .from = self.id(),
                     .to = deposit.to,
                     .expires = deposit.expires,
                     .priority = deposit.priority,
                     .kind = mailbox::ParcelKind::envelope,
                     .payload = ByteView(*deposit.message).subspan(1)},
                    mailbox_out);
}

void Node::Impl::leave_receipt(Now now, const router::DepositReceipt& deposit) {
  depositor.deposit(now,
                    {.id = receipt_id(deposit.receipt),
                     .from = self.id(),
                     .to = deposit.to,
                     .expires = now.wall + kReceiptTtl,
                     .priority = wire::Priority::high,
                     .kind = mailbox::ParcelKind::receipt,
                     .payload = deposit.receipt},
                    mailbox_out);
}

void Node::Impl::on_parcel(Now now, mailbox::Arrived parcel) {
  Status taken;
  if (parcel.kind == mailbox::ParcelKind::receipt) {
    taken = take_receipt(now, parcel);
    collector.settled(now, parcel.from, parcel.id, true);
  } else {
    taken = router.on_parcel(now, parcel.from, parcel.id, parcel.buffer, parcel.payload, router_out);
    if (!taken) collector.settled(now, parcel.from, parcel.id, true);
  }
  if (taken) return;
  log_limited(now, message_lines, LogLevel::warning, "mailbox",
              "a parcel of " + parcel.from.text() + " is worth nothing: " + taken.error().message);
}

Status Node::Impl::take_receipt(Now now, const mailbox::Arrived& parcel) {
  // Whoever waits for a receipt has the record, for the message was sealed with it.
  const identity::PeerRecord* record_of_peer = record_of(parcel.from);
  if (record_of_peer == nullptr) return fail(Errc::refused, "a receipt of somebody to whom nothing was sent");
  return router.on_receipt_parcel(now, parcel.from, record_of_peer->public_key, parcel.payload, router_out);
}

void Node::Impl::find_mailboxes(Now now, const mailbox::FindMailboxes& request) {
  if (!request.far || !takes_part()) return tell_mailboxes(now, request.owner, {});
  const dht::LookupId id = lookups.begin(LookupFor{.peer = request.owner, .mailboxes = true});
  dht.find_peer(now, id, request.owner, dht_out);
}

/// Those that the owner has named come first.
void Node::Impl::tell_mailboxes(Now now, const identity::PeerId& owner, const std::vector<identity::PeerId>& nearest) {
  std::vector<identity::PeerId> nodes;
  if (owner != self.id()) {
    if (const identity::PeerRecord* known = record_of(owner)) nodes = known->mailboxes;
  }
  for (const identity::PeerId& node : nearest) {
    const identity::PeerRecord* known = record_of(node);
    if (known == nullptr || keeps_mail(*known)) nodes.push_back(node);
  }
  if (owner == self.id()) return collector.on_mailboxes(now, nodes, mailbox_out);
  depositor.on_mailboxes(now, owner, nodes, mailbox_out);
}

}  // namespace ekiden::node
