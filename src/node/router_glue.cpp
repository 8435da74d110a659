// The router's effects reach the links, the store and the application.
#include <utility>

#include "node/impl.hpp"

namespace ekiden::node {

void Node::Impl::on_router_effect(Now now, router::Router::Effect effect) {
  std::visit(Overloaded{
                 [&](router::Seal& request) { seal(now, std::move(request)); },
                 [&](const router::Open& request) { open(now, request); },
                 [&](router::Persist& persist) {
                   batch.append(std::move(persist.batch));
                   waiting.router = persist.token;
                   persist_wanted = true;
                 },
                 [&](const router::Transmit& transmit) {
                   if (!links.send(now, transmit.to, transmit.priority, *transmit.message, link_out)) {
                     router.on_transmit_failed(now, transmit.to, router_out);
                   }
                 },
                 [&](const router::Connect& request) { connect(now, request); },
                 [&](router::Submitted& answer) {
                   if (router::is_own(answer.request)) {
                     asks.on_submitted(now, answer.request, std::move(answer.result), ask_out);
                   } else {
                     out->push(Reply{answer.request, std::move(answer.result)});
                   }
                 },
                 [&](router::Taken& answer) {
                   if (router::is_own(answer.request)) {
                     asks.on_take_done(answer.request, ask_out);
                   } else {
                     reply(answer.request, std::move(answer.result));
                   }
                 },
                 [&](router::Arrival& arrival) {
                   if (arrival.message->exchange && asks.on_arrival(now, arrival.message, ask_out)) return;
                   out->push(std::move(arrival));
                 },
                 [&](const router::StateChanged& change) {
                   const bool is_settled =
                       change.state != router::MessageState::queued && change.state != router::MessageState::in_flight;
                   if (is_settled) {
                     depositor.forget(now, change.to, change.id, mailbox_out);
                     relay.on_settled(now, change.to, change.id, change.state == router::MessageState::delivered);
                   }
                   asks.on_state(change.id, change.state);
                   out->push(change);
                 },
                 [&](const router::Deposit& deposit) { leave_message(now, deposit); },
                 [&](const router::DepositReceipt& deposit) { leave_receipt(now, deposit); },
                 [&](const router::Forward& forward) { forward_message(now, forward); },
                 [&](const router::ForwardReceipt& forward) { forward_receipt(now, forward); },
                 [&](const router::ParcelSettled& parcel) {
                   collector.settled(now, parcel.from, parcel.id, parcel.done);
                   relay.settled(parcel.from, parcel.id, parcel.done);
                 },
                 [&](const router::SessionsLost& lost) {
                   for (const Uuid& id : lost.sessions) drop_session(now, lost.peer, id);
                 },
             },
             effect);
}

void Node::Impl::connect(Now now, const router::Connect& request) {
  if (request.wanted) {
    relay.want_route(now, request.peer, relay_out);
    want(now, request.peer, by_router);
  } else {
    relay.unwant_route(request.peer, relay_out);
    unwant(now, request.peer, by_router);
  }
}

void Node::Impl::want(Now now, const identity::PeerId& peer, WantedBy by) {
  wanted[peer] |= by;
  reach(now, peer);
  links.set_awaited(peer, is_awaited(peer));
}

bool Node::Impl::is_awaited(const identity::PeerId& peer) const {
  const auto reasons = wanted.find(peer);
  return reasons != wanted.end() && (reasons->second & (by_router | by_ask | by_collector)) != 0;
}

void Node::Impl::unwant(Now now, const identity::PeerId& peer, WantedBy by) {
  const auto reasons = wanted.find(peer);
  if (reasons == wanted.end()) return;
  const bool was_lasting = (reasons->second & ~kPassing) != 0;
  reasons->second &= static_cast<std::uint8_t>(~by);
  const bool is_lasting = (reasons->second & ~kPassing) != 0;
  // As reach() wrote it: a member that is away is wanted every few seconds, and must not cost a write each time.
  if (was_lasting && !is_lasting && contacts.find(peer) == nullptr) batch.erase(store::Table::records, peer.view());
  if (reasons->second != 0) return links.set_awaited(peer, is_awaited(peer));
  wanted.erase(reasons);
  end_search(peer);
  links.unwant(now, peer, /*is_over=*/(by & kPassing) != 0);
}

void Node::Impl::reach(Now now, const identity::PeerId& peer) {
  const identity::SignedRecord* known = newest_of(peer);
  const bool is_lasting = (wanted.at(peer) & ~kPassing) != 0;
  if (known != nullptr && contacts.find(peer) == nullptr && is_lasting) {
    batch.put(store::Table::records, peer.view(), known->signed_bytes);
  }
  dial(now, peer);
}

void Node::Impl::dial(Now now, const identity::PeerId& peer) {
  if (record.empty()) return;  // Handshakes show our record; all who are wanted are dialled once it is on disk.
  auto endpoints = endpoints_of(peer);
  if (endpoints.empty() && !links.is_up(peer)) {
    const std::string remedy =
        config.discovery ? ": searching" : ": add one with `ekiden contact add NAME ID --endpoint tcp://HOST:PORT`";
    router.on_unreachable(now, peer, {Errc::unreachable, "no address known for " + peer.text() + remedy});
    relay.hurry(now, peer);
    if (!takes_part()) asks.on_unreachable(now, peer, ask_out);
    search(now, peer);
  }
  const identity::PeerRecord* known = record_of(peer);
  links.want(now, peer, std::move(endpoints), known ? std::optional(*known) : std::nullopt, link_out);
}

}  // namespace ekiden::node
