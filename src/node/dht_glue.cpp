// Datagrams carry the queries of the DHT; the DHT finds records for the application and for waiting messages.
#include <utility>

#include "node/impl.hpp"

namespace ekiden::node {

void Node::Impl::on_datagram_effect(Now now, datagram::Datagrams::Effect effect) {
  std::visit(Overloaded{
                 [&](datagram::Send& packet) {
                   if (!packet.in_session) datagram_hosts.put(packet.to.ip);
                   out->push(std::move(packet));
                 },
                 [&](const datagram::Queried& query) {
                   if (!takes_part()) return;
                   dht.on_query(now, dht::QueryToken{static_cast<std::uint64_t>(query.token)}, query.from, query.proven,
                                query.body.view(), dht_out);
                 },
                 [&](const datagram::Answered& answer) {
                   if (end_ping(now, answer.id, {})) return;
                   dht.on_answer(now, dht::QueryId{static_cast<std::uint64_t>(answer.id)}, answer.body.view(), dht_out);
                 },
                 [&](const datagram::Failed& failed) {
                   if (end_ping(now, failed.id, std::unexpected(failed.why))) return;
                   dht.on_failed(now, dht::QueryId{static_cast<std::uint64_t>(failed.id)}, failed.why, dht_out);
                 },
                 [&](const datagram::Confirmed& confirmed) {
                   if (takes_part()) dht.on_confirmed(now, confirmed.node, dht_out);
                 },
             },
             effect);
}

void Node::Impl::on_dht_effect(Now now, dht::Dht::Effect effect) {
  std::visit(Overloaded{
                 [&](dht::Ask& ask) {
                   datagrams.ask(now, datagram::QueryId{static_cast<std::uint64_t>(ask.id)}, ask.to,
                                 std::move(ask.body), ask.first_flight_allowed, datagram_out);
                 },
                 [&](const dht::Answer& answer) {
                   datagrams.answer(now, datagram::QueryToken{static_cast<std::uint64_t>(answer.token)}, answer.body,
                                    datagram_out);
                 },
                 [&](dht::LookupDone& done) { on_lookup_done(now, std::move(done)); },
                 [&](const dht::Published& published) { on_published(now, published); },
                 [&](const dht::SignAgain& again) {
                   if (!ending && capabilities.is_announced(again.capability)) announce(now, again.capability);
                 },
                 [&](const dht::Joined& joined) {
                   log(LogLevel::info, "dht", "joined: " + std::to_string(joined.nodes) + " nodes are known");
                   for (const auto& [peer, search] : searches.all) {
                     if (!search.is_running) searches.due.set(peer, now.mono);
                   }
                 },
                 [&](const dht::Misbehaved& node) {
                   log_limited(now, message_lines, LogLevel::warning, "dht", node.peer.text() + ": " + node.what);
                 },
                 [&](const dht::Observed& observed) {
                   reachability.on_observed_datagram(now, {.peer = observed.by.id(), .address = observed.by.at.ip},
                                                     observed.address, reachability_out);
                 },
                 [&](dht::Write& write) { batch.append(std::move(write.batch)); },
             },
             effect);
}

void Node::Impl::propose_nodes(Now now, const identity::PeerRecord& peer) {
  if (!takes_part()) return;
  for (const identity::Endpoint& endpoint : peer.known_endpoints()) {
    const auto address = endpoint.address();
    if (endpoint.transport != identity::Endpoint::Transport::udp || !address || !may_dial(*address)) continue;
    dht.on_candidate(now, {peer.public_key, {*address, endpoint.port}}, dht_out);
  }
}

void Node::Impl::find_for_request(Now now, const FindPeer& request) {
  if (!takes_part()) {
    out->push(PeerFound{request.request, request.peer, discovery_is_off(), {}});
    return;
  }
  const dht::LookupId id = lookups.begin(LookupFor{.peer = request.peer, .request = request.request});
  dht.find_peer(now, id, request.peer, dht_out, lan_node(request.peer));
}

void Node::Impl::on_lookup_done(Now now, dht::LookupDone done) {
  const auto found = lookups.running.extract(done.id);
  LookupFor& purpose = found.mapped();
  if (purpose.topic) return on_members_found(now, *purpose.topic, done);
  if (purpose.ask) return on_ask_owners(now, *purpose.ask, std::move(done));
  if (!purpose.capability.empty()) return on_owners_found(std::move(purpose), std::move(done));
  if (done.record && done.record->record.id() == self.id()) {
    on_own_record(now, done.record->record, done.record->signed_bytes);
  } else if (done.record) {
    learn(now, *done.record, Heard::from_others);
  }
  if (purpose.own) return;
  if (purpose.mailboxes) return tell_mailboxes(now, purpose.peer, done.closest);
  if (purpose.meeting) return meet_found(now, purpose, done);
  if (!purpose.request) return on_searched(now, purpose.peer, done);
  Result<identity::SignedRecord> result = fail(Errc::not_found, "");
  if (done.record) {
    // What others keep may be older than what we have heard.
    const identity::SignedRecord* newest = newest_of(purpose.peer);
    const bool is_valid = newest != nullptr && newest->record.expires_at() > now.wall;
    if (is_valid) {
      result = *newest;
    } else {
      result = std::move(*done.record);
    }
  } else {
    result = std::unexpected(done.status.error());
  }
  out->push(PeerFound{*purpose.request, purpose.peer, std::move(result), std::move(done.trail)});
}

void Node::Impl::on_owners_found(LookupFor purpose, dht::LookupDone done) {
  Result<std::vector<identity::SignedAnnouncement>> owners = std::move(done.announcements);
  if (!done.status) owners = std::unexpected(std::move(done.status).error());
  out->push(CapabilityFound{*purpose.request, std::move(purpose.capability), std::move(owners), std::move(done.trail)});
}

}  // namespace ekiden::node
