// Relays: the router's messages and receipts become packets where there is no link, and packets its envelopes and
// receipts; records say who hands on, and for whom.
#include <algorithm>
#include <utility>

#include "node/impl.hpp"
#include "node/receipt_id.hpp"

namespace ekiden::node {
namespace {

/// A receipt that has not come back in this time is asked for again.
constexpr milliseconds kForwardTtl = minutes(10);

}  // namespace

/// After the contacts: whose packets are of strangers follows from these.
Status Node::Impl::load_packets(const std::vector<store::Row>& rows) {
  std::vector<const store::Row*> found;
  for (const store::Row& row : rows) {
    if (row.key.table == store::Table::packets) found.push_back(&row);
  }
  std::ranges::sort(found, {}, [](const store::Row* row) { return row->key.number; });
  for (const store::Row* row : found) EKIDEN_TRY(relay.load_row(row->key.number, row->value));
  return {};
}

/// What the owner has switched holds, whatever the settings say.
Status Node::Impl::load_relay_row(const store::Row& row) {
  const auto decoded = wire::decode<RelayRow>(row.value);
  if (!decoded) return fail(Errc::storage_corrupt, "table meta, row relay: " + decoded.error().message);
  relay.set_forwarding(decoded->on);
  return {};
}

void Node::Impl::switch_relay(Now now, const SwitchRelay& request) {
  relay.set_forwarding(request.on);
  batch.put(store::Table::meta, as_bytes(kRelayRowName), wire::encode(RelayRow{request.on}));
  if (!ending) renew_record(now);
  waiting.answers.push_back(request.request);
}

void Node::Impl::on_relay_effect(Now now, relay::Effect effect) {
  std::visit(Overloaded{
                 [&](const relay::Transmit& transmit) {
                   // What a link does not take is repeated, if it is durable, when its answer is missed.
                   static_cast<void>(links.send(now, transmit.to, transmit.priority, *transmit.message, link_out));
                 },
                 [&](relay::Persist& persist) {
                   batch.append(std::move(persist.batch));
                   waiting.relay = persist.token;
                   persist_wanted = true;
                 },
                 [&](const relay::Want& request) {
                   if (request.wanted) {
                     want(now, request.peer, by_relay);
                   } else {
                     unwant(now, request.peer, by_relay);
                   }
                 },
                 [&](const relay::RouteChanged& route) { router.on_route(now, route.to, route.up, router_out); },
                 [&](const relay::HandedOn& packet) { router.on_handed_on(now, packet.id, packet.by); },
                 [&](const relay::Returned& packet) { router.on_returned(now, packet.id); },
                 [&](relay::Arrived& packet) { on_packet_arrived(now, std::move(packet)); },
                 [&](relay::Met& met) { learn(now, std::move(met.record), Heard::from_others); },
             },
             effect);
}

void Node::Impl::forward_message(Now now, const router::Forward& forward) {
  const bool sent = relay.send(now,
                               {.id = forward.id,
                                .to = forward.to,
                                .expires = forward.expires,
                                .priority = forward.priority,
                                .kind = relay::PacketKind::envelope,
                                .durable = forward.delivery == router::DeliveryClass::durable,
                                .buffer = forward.message,
                                .payload = ByteView(*forward.message).subspan(1)},
                               relay_out);
  if (!sent) router.on_returned(now, forward.id);
}

void Node::Impl::forward_receipt(Now now, const router::ForwardReceipt& forward) {
  const bool sent = relay.send(now,
                               {.id = receipt_id(*forward.receipt),
                                .to = forward.to,
                                .expires = now.wall + kForwardTtl,
                                .priority = wire::Priority::high,
                                .kind = relay::PacketKind::receipt,
                                .durable = false,
                                .buffer = forward.receipt,
                                .payload = *forward.receipt},
                               relay_out);
  if (!sent) leave_receipt(now, {forward.to, *forward.receipt});
}

void Node::Impl::on_packet_arrived(Now now, relay::Arrived packet) {
  weigh_routed(now, packet);
  Status taken;
  if (packet.kind == relay::PacketKind::receipt) {
    // Whoever waits for a receipt has the record, for the message was sealed with it.
    const identity::PeerRecord* signer = record_of(packet.from);
    taken = signer == nullptr
                ? fail(Errc::refused, "a receipt of somebody to whom nothing was sent")
                : router.on_receipt_parcel(now, packet.from, signer->public_key, packet.payload, router_out);
  } else {
    taken = router.on_routed(now, packet.from, packet.id, packet.buffer, packet.payload, packet.subject,
                             std::move(packet.path), router_out);
    if (!taken) relay.settled(packet.from, packet.id, true);
  }
  if (taken) return;
  log_limited(now, message_lines, LogLevel::warning, "relay",
              "a packet of " + packet.from.text() + " is worth nothing: " + taken.error().message);
}

/// Those of our mailboxes, to which we keep links, that hand on what is for us.
std::vector<identity::PeerId> Node::Impl::own_relays() {
  std::vector<identity::PeerId> relays;
  for (const identity::PeerId& node : collector.own()) {
    const identity::PeerRecord* known = record_of(node);
    if (known != nullptr && (known->features & relay::kRelayFeature) != 0) relays.push_back(node);
  }
  return relays;
}

}  // namespace ekiden::node
