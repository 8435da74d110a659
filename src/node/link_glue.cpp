// Neighbours meet the router, the sessions and the contact book.
#include <utility>

#include "node/impl.hpp"

namespace ekiden::node {

void Node::Impl::on_link_effect(Now now, link::LinkPool::Effect effect) {
  std::visit(Overloaded{
                 [&](link::Dial& dial) { dial_for_link(std::move(dial)); },
                 [&](link::Hangup& hangup) { out->push(hangup); },
                 [&](link::WantWrite& want) { out->push(want); },
                 [&](link::Resume& resume) { out->push(resume); },
                 [&](link::Up& up) { on_link_up(now, up); },
                 [&](link::Down& down) {
                   log_limited(now, link_lines, LogLevel::info, "link",
                               "down: " + down.peer.text() + ": " + down.why.message);
                   neighbours.erase(down.peer);
                   note_linked_contact(down.peer);
                   const bool showed_older = records.forget_shown(down.peer);  // It is dialled by the newest again.
                   reachability.on_peer_down(now, down.peer, reachability_out);
                   end_list_waits(now, down.peer, std::nullopt);
                   router.on_link_down(now, down.peer, router_out);
                   keeper.on_link_down(down.peer);
                   depositor.on_link_down(now, down.peer, mailbox_out);
                   collector.on_link_down(now, down.peer);
                   relay.on_link_down(now, down.peer, relay_out);
                   asks.on_link_down(down.peer);
                   const bool is_broken = down.why.code != Errc::closed;
                   realms.members.on_link_down(down.peer, is_broken, realms.out);
                   settle_members(now);
                   gossip.on_link_down(now, down.peer, gossip_out);
                   if (open_registry.registry) {
                     open_registry.registry->on_link_down(now, down.peer, is_broken, open_registry.out);
                   }
                   if (watch.detector) watch.detector->on_neighbour_down(now, down.peer, is_broken);
                   if (showed_older && wanted.contains(down.peer)) dial(now, down.peer);
                   out->push(PeerDown{down.peer, std::move(down.why)});
                 },
                 [&](const link::Message& message) { on_message(now, message); },
                 [&](const link::DialFailed& failed) {
                   const bool is_sought = end_seek(now, failed.peer);
                   const auto wanter = wanted.find(failed.peer);
                   // A member that is away is tried every few seconds, for days: that is no news.
                   const bool is_attempt = wanter == wanted.end() ? is_sought : wanter->second == by_watch;
                   log(is_attempt ? LogLevel::debug : LogLevel::warning, "link",
                       "cannot reach " + failed.peer.text() + ": " + failed.why.message);
                   router.on_unreachable(now, failed.peer, failed.why);
                   relay.hurry(now, failed.peer);
                   asks.on_unreachable(now, failed.peer, ask_out);
                   gossip.on_unreachable(now, failed.peer, gossip_out);
                   if (wanted.contains(failed.peer)) search(now, failed.peer);
                 },
                 [&](link::Probed& probed) { on_probed(now, std::move(probed)); },
                 [&](const link::Notice& notice) {
                   log(LogLevel::warning, "link", notice.remote + ": " + notice.what.message);
                 },
             },
             effect);
}

void Node::Impl::on_link_up(Now now, link::Up& up) {
  const identity::PeerRecord shown = up.record.record;
  const identity::PeerId peer = shown.id();
  log_limited(now, link_lines, LogLevel::info, "link",
              "up: " + peer.text() + (up.initiated_by_us ? " (dialled)" : " (accepted)"));
  Neighbour& it = neighbours[peer];
  it.since = now.mono;
  end_search(peer);
  propose_nodes(now, shown);
  greet(now, peer, up);
  learn(now, std::move(up.record), Heard::from_itself);
  out->push(PeerUp{peer, up.initiated_by_us});
  router.on_link_up(now, peer, shown.public_key, router_out);
  show_neighbour(now, shown);
  asks.on_link_up(now, peer, ask_out);
  if ((shown.features & gossip::kGossipFeature) != 0) gossip.on_link_up(now, peer, gossip_out);
  end_seek(now, peer);
  it.compares_registry = config.hold_registry && (shown.features & registry::kRegistryFeature) != 0;
  if (open_registry.registry && it.compares_registry) {
    open_registry.registry->on_link_up(now, peer, open_registry.out);
  }
  if ((shown.features & realm::kRealmFeature) != 0) realms.members.on_link_up(peer, realms.out);
  if ((shown.features & partition::kPartitionFeature) != 0) watch_neighbour(now, peer);
}

void Node::Impl::dial_for_link(link::Dial dial) {
  const auto source = dial_source(dial);
  const auto tried = attempts.dials.find(dial.conn);
  auto only = tried == attempts.dials.end() ? std::vector<identity::IpAddress>{} : tried->second.only;
  out->push(Dial{dial.conn, std::move(dial.endpoint), source, std::move(only)});
}

void Node::Impl::on_message(Now now, const link::Message& message) {
  const std::uint64_t envelopes = relay.envelopes();
  const Status status = dispatch(now, message);
  weigh(now, message, relay.envelopes() != envelopes);
  if (!status) {
    on_bad_message(now, message.from, message.bytes.empty() ? 0 : message.bytes[0], status.error());
  }
}

Status Node::Impl::on_error_message(Now now, const identity::PeerId& from, ByteView body) {
  EKIDEN_ASSIGN(const auto error, wire::decode<ErrorMessage>(body));
  log_limited(now, message_lines, LogLevel::warning, "link",
              from.text() + " did not understand a message of type " + std::to_string(error.type));
  if (error.type == static_cast<std::uint8_t>(wire::MessageType::list_request)) end_list_waits(now, from, std::nullopt);
  return {};
}

Status Node::Impl::dispatch(Now now, const link::Message& message) {
  if (message.bytes.empty()) return fail(Errc::malformed, "an empty message");
  const ByteView body = message.bytes.subspan(1);
  switch (static_cast<wire::MessageType>(message.bytes[0])) {
    case wire::MessageType::error:
      return on_error_message(now, message.from, body);
    case wire::MessageType::record:
      return on_record_message(now, message.from, body);
    case wire::MessageType::envelope:
      return router.on_envelope(now, message.from, message.buffer, body, router_out);
    case wire::MessageType::receipt:
      return router.on_receipt(now, message.from, body, router_out);
    case wire::MessageType::refusal:
      return router.on_refusal(now, message.from, body, router_out);
    case wire::MessageType::session_reset:
      return on_session_reset(now, message.from, body);
    case wire::MessageType::list_request:
      return on_list_request(now, message.from);
    case wire::MessageType::list:
      if (!waits_for_list(message.from)) return fail(Errc::refused, "a list that nobody asked for");
      end_list_waits(now, message.from, to_bytes(body));
      return {};
    case wire::MessageType::observed:
      return on_observed(now, message.from, body);
    case wire::MessageType::dial_back:
      return on_dial_back(now, message.from, body);
    case wire::MessageType::dial_back_answer:
      return on_dial_back_answer(now, message.from, body);
    case wire::MessageType::deposit:
    case wire::MessageType::stored:
    case wire::MessageType::not_stored:
    case wire::MessageType::collect:
    case wire::MessageType::parcel:
    case wire::MessageType::collected:
      return on_mailbox_message(now, message);
    case wire::MessageType::packet:
      return relay.on_packet(now, message.from, message.buffer, body, relay_out);
    case wire::MessageType::taken:
      return relay.on_taken(now, message.from, body, relay_out);
    case wire::MessageType::not_taken:
      return relay.on_not_taken(now, message.from, body, relay_out);
    default:
      return dispatch_shared(now, message);
  }
}

/// What members of topics, of registries, of realms, and neighbours who watch each other say.
Status Node::Impl::dispatch_shared(Now now, const link::Message& message) {
  const ByteView body = message.bytes.subspan(1);
  switch (static_cast<wire::MessageType>(message.bytes[0])) {
    case wire::MessageType::topic_join:
    case wire::MessageType::topic_forward_join:
    case wire::MessageType::topic_neighbour:
    case wire::MessageType::topic_answer:
    case wire::MessageType::topic_disconnect:
    case wire::MessageType::topic_shuffle:
    case wire::MessageType::topic_shuffle_reply:
    case wire::MessageType::topic_gossip:
    case wire::MessageType::topic_announce:
    case wire::MessageType::topic_graft:
    case wire::MessageType::topic_prune:
    case wire::MessageType::topic_recall:
      return gossip.on_message(now, message.from, static_cast<wire::MessageType>(message.bytes[0]), body, gossip_out);
    case wire::MessageType::registry_ask:
    case wire::MessageType::registry_places:
    case wire::MessageType::registry_want:
    case wire::MessageType::registry_entries:
      if (!config.hold_registry) break;
      made_registry();
      return on_registry_message(now, open_registry, message.from, message.bytes);
    case wire::MessageType::realm_hello:
      EKIDEN_TRY(realms.members.on_hello(message.from, body, realms.out));
      settle_members(now);  // What it shows counts for the next message of the same read.
      return {};
    case wire::MessageType::realm_message:
      return on_realm_message(now, message.from, body);
    case wire::MessageType::partition_heartbeat:
      if (!watch.detector) break;
      return watch.detector->on_heartbeat(now, message.from, body, watch.out);
    case wire::MessageType::partition_statement:
      if (!watch.detector) break;
      return watch.detector->on_statement(now, message.from, body, watch.out);
    default:
      break;
  }
  const ErrorMessage answer{.type = message.bytes[0], .reason = ErrorMessage::Reason::unknown_type, .detail = {}};
  send_message(now, message.from, wire::Priority::low, wire::MessageType::error, wire::encode(answer));
  return {};
}

Status Node::Impl::on_session_reset(Now now, const identity::PeerId& from, ByteView body) {
  EKIDEN_ASSIGN(const auto reset, wire::decode<SessionReset>(body));
  drop_session(now, from, reset.session);
  return {};
}

void Node::Impl::drop_session(Now now, const identity::PeerId& peer, const session::SessionId& id) {
  if (!sessions.on_reset(now, peer, id, batch, session_out)) return;
  log_limited(now, message_lines, LogLevel::warning, "session",
              peer.text() + " lost session " + id.text() + ": starting a new one");
  router.on_session_lost(now, peer, router_out);
}

void Node::Impl::send_message(Now now, const identity::PeerId& to, wire::Priority priority, wire::MessageType type,
                              ByteView body) {
  Bytes message;
  message.reserve(body.size() + 1);
  message.push_back(static_cast<Byte>(type));
  append(message, body);
  if (auto status = links.send(now, to, priority, message, link_out); !status) {
    log(LogLevel::debug, "link", "not sent to " + to.text() + ": " + status.error().message);
  }
}

void Node::Impl::on_bad_message(Now now, const identity::PeerId& from, std::uint8_t type, const Error& why) {
  if (!count_bad_message(now, from, type, why)) return;
  const ErrorMessage answer{
      .type = type, .reason = ErrorMessage::Reason::malformed, .detail = why.message.substr(0, 256)};
  send_message(now, from, wire::Priority::low, wire::MessageType::error, wire::encode(answer));
}

bool Node::Impl::count_bad_message(Now now, const identity::PeerId& from, std::uint8_t type, const Error& why) {
  log_limited(now, message_lines, LogLevel::warning, "link",
              "bad message of type " + std::to_string(type) + " from " + from.text() + ": " + why.message);
  const auto neighbour = neighbours.find(from);
  if (neighbour == neighbours.end()) return false;  // It came with the end of the link.
  if (++neighbour->second.bad_messages < config.max_bad_messages) return true;
  links.cut(now, from, {Errc::malformed, "too many malformed messages"}, link_out);
  return false;
}

}  // namespace ekiden::node
