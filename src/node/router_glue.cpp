// The router's effects reach the links, the store and the application.
#include <utility>

#include "node/impl.hpp"

namespace ekiden::node {

void Node::Impl::on_router_effect(Now now, router::Router::Effect effect) {
  std::visit(Overloaded{
                 [&](const router::Seal& request) { seal(now, request); },
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
                 [&](router::Submitted& answer) { out->push(Reply{answer.request, std::move(answer.result)}); },
                 [&](router::Taken& answer) { reply(answer.request, std::move(answer.result)); },
                 [&](router::Arrival& arrival) { out->push(std::move(arrival)); },
                 [&](const router::StateChanged& change) { out->push(change); },
             },
             effect);
}

void Node::Impl::connect(Now now, const router::Connect& request) {
  if (!request.wanted) {
    wanted.erase(request.peer);
    end_search(request.peer);
    links.unwant(now, request.peer);
    if (contacts.find(request.peer) == nullptr) batch.erase(store::Table::records, request.peer.view());
    return;
  }
  wanted.insert(request.peer);
  const identity::PeerRecord* known = record_of(request.peer);
  if (known != nullptr && contacts.find(request.peer) == nullptr) {
    batch.put(store::Table::records, request.peer.view(), records.find(request.peer)->signed_bytes);
  }
  dial(now, request.peer);
}

void Node::Impl::dial(Now now, const identity::PeerId& peer) {
  if (record.empty()) return;  // Handshakes show our record; all who are wanted are dialled once it is on disk.
  auto endpoints = endpoints_of(peer);
  if (endpoints.empty() && !links.is_up(peer)) {
    const std::string remedy =
        config.discovery ? ": searching" : ": add one with `ekiden contact add NAME ID --endpoint tcp://HOST:PORT`";
    router.on_unreachable(now, peer, {Errc::unreachable, "no address known for " + peer.text() + remedy});
    search(now, peer);
  }
  const identity::PeerRecord* known = record_of(peer);
  links.want(now, peer, std::move(endpoints), known ? std::optional(*known) : std::nullopt, link_out);
}

}  // namespace ekiden::node
