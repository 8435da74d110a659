#include "embed/convert.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace ekiden::embed {
namespace {

std::chrono::system_clock::time_point to_system(WallTime at) {
  return std::chrono::system_clock::time_point(milliseconds(static_cast<std::int64_t>(to_unix_ms(at))));
}

}  // namespace

Message to_message(const router::Arrived& arrived, TrustTier tier) {
  Message message;
  message.tier = tier;
  message.number = arrived.number;
  message.id = arrived.id.text();
  message.from = PeerId{arrived.from.bytes};
  message.body = as_text(arrived.body);
  message.type = arrived.type;
  message.content_type = arrived.content_type;
  if (arrived.in_reply_to) message.in_reply_to = arrived.in_reply_to->text();
  message.sent = to_system(arrived.sent);
  message.received = to_system(arrived.received);
  message.priority = static_cast<Priority>(arrived.priority);
  message.delivery = static_cast<Delivery>(arrived.delivery);
  message.ordered = arrived.order.has_value();
  if (arrived.order) message.conversation = arrived.order->conversation;
  message.missing = arrived.missing;
  message.late = arrived.late;
  return message;
}

Answer to_answer(const router::Answer& answer) {
  const router::Arrived& reply = *answer.message;
  return {.from = PeerId{reply.from.bytes},
          .capability = answer.capability,
          .body = std::string(as_text(reply.body)),
          .type = reply.type,
          .content_type = reply.content_type,
          .took = std::chrono::duration_cast<microseconds>(answer.took)};
}

Request to_request(const router::Arrived& arrived, const std::string& capability) {
  return {.id = arrived.id.text(),
          .from = PeerId{arrived.from.bytes},
          .capability = capability,
          .body = std::string(as_text(arrived.body)),
          .type = arrived.type,
          .content_type = arrived.content_type,
          .received = to_system(arrived.received),
          .timeout = arrived.expires - arrived.sent};
}

Placement to_placement(const router::Placement& placed) {
  return {
      .id = placed.id.text(), .to = PeerId{placed.to.bytes}, .capability = placed.capability, .linked = placed.linked};
}

router::Question to_question(Question question) {
  router::Question out;
  if (question.to) out.to = identity::PeerId{question.to->bytes};
  out.capability = std::move(question.capability);
  out.type = std::move(question.type);
  out.content_type = std::move(question.content_type);
  out.body = to_bytes(as_bytes(question.body));
  // As the time to live of messages: the engine refuses what is out of bounds.
  out.timeout =
      std::chrono::duration_cast<Duration>(std::clamp(question.timeout, milliseconds(-1), milliseconds(days(1))));
  out.priority = static_cast<wire::Priority>(question.priority);
  return out;
}

router::Response to_response(Result<Reply> reply) {
  router::Response response;
  if (reply && reply->body.size() <= router::kMaxBody && reply->type.size() <= router::kMaxTypeLength &&
      reply->content_type.size() <= router::kMaxTypeLength) {
    response.type = std::move(reply->type);
    response.content_type = std::move(reply->content_type);
    response.body = to_bytes(as_bytes(reply->body));
    return response;
  }
  const Error why = reply ? Error{Errc::too_large, "the answer is over its bounds"} : reply.error();
  response.failed = true;
  response.type = errc_name(why.code);
  response.content_type = "text/plain";
  response.body = to_bytes(as_bytes(std::string_view(why.message).substr(0, router::kMaxBody)));
  return response;
}

NetworkChange to_network_change(const node::NetworkChanged& changed) {
  NetworkChange out{.state = static_cast<NetworkState>(changed.state),
                    .reason = std::string(partition::reason_name(changed.reason)),
                    .since = to_system(changed.wall),
                    .here = changed.here,
                    .away = changed.away,
                    .other_side = {},
                    .healed = {}};
  for (const identity::PeerId& peer : changed.listed) out.other_side.push_back(PeerId{peer.bytes});
  if (const auto& healed = changed.healed) {
    out.healed = NetworkHealed{.split_for = std::chrono::duration_cast<milliseconds>(healed->split_for),
                               .took = std::chrono::duration_cast<milliseconds>(healed->took),
                               .away = healed->away_most,
                               .back = healed->back,
                               .merged = healed->merged,
                               .conflicts = healed->conflicts};
  }
  return out;
}

std::vector<NetworkChange> to_network_changes(const node::NetworkStatus& network) {
  std::vector<NetworkChange> changes;
  for (const node::NetworkChanged& changed : network.history) changes.push_back(to_network_change(changed));
  if (changes.empty()) return changes;
  NetworkChange& last = changes.back();  // Who is away has been counted to the end since then.
  last.here = network.counts.members + 1 - network.counts.away;
  last.away = network.counts.away;
  last.other_side.clear();
  for (const identity::PeerId& peer : network.away) last.other_side.push_back(PeerId{peer.bytes});
  return changes;
}

TopicMessage to_topic_message(const node::TopicMessage& message) {
  return {.topic = message.topic,
          .from = PeerId{message.publisher.bytes},
          .body = std::string(as_text(message.payload)),
          .run = message.run,
          .sequence = message.sequence,
          .at = to_system(message.at),
          .hops = message.hops,
          .realm = message.realm};
}

Publication to_publication(const gossip::Publication& made) {
  return {.sequence = made.sequence, .neighbours = made.neighbours};
}

Trace to_trace(const router::Trace& trace) {
  Trace out;
  out.id = trace.id.text();
  out.peer = PeerId{trace.peer.bytes};
  out.outgoing = trace.outgoing;
  out.state = static_cast<MessageState>(trace.state);
  out.priority = static_cast<Priority>(trace.priority);
  out.delivery = static_cast<Delivery>(trace.delivery);
  out.accepted = to_system(trace.accepted);
  out.delivered = trace.delivered.transform(to_system);
  out.expires = to_system(trace.expires);
  out.attempts = trace.attempts;
  out.size = trace.size;
  for (const auto& step : trace.steps) out.steps.push_back({to_system(step.at), step.what});
  out.receipt = as_text(trace.receipt);
  return out;
}

Result<router::Draft> to_draft(OutgoingMessage message) {
  router::Draft draft;
  draft.to = identity::PeerId{message.to.bytes};
  draft.type = std::move(message.type);
  draft.content_type = std::move(message.content_type);
  if (!message.in_reply_to.empty()) {
    EKIDEN_ASSIGN(draft.in_reply_to, Uuid::parse(message.in_reply_to));
  }
  if (!message.id.empty()) {
    EKIDEN_ASSIGN(draft.id, Uuid::parse(message.id));
  }
  draft.body = to_bytes(as_bytes(message.body));
  // Clamped here so that the conversion to nanoseconds cannot overflow; the router refuses what is out of bounds.
  draft.ttl = std::chrono::duration_cast<Duration>(std::clamp(message.ttl, milliseconds(-1), milliseconds(days(366))));
  draft.priority = static_cast<wire::Priority>(message.priority);
  draft.delivery = static_cast<router::DeliveryClass>(message.delivery);
  draft.conversation = std::move(message.conversation);
  draft.unordered = message.unordered;
  return draft;
}

Result<identity::Contact> to_contact(const std::string& name, const PeerId& id,
                                     const std::vector<std::string>& endpoints) {
  identity::Contact contact;
  contact.id = identity::PeerId{id.bytes};
  contact.petname = name;
  for (const std::string& text : endpoints) {
    EKIDEN_ASSIGN(auto endpoint, identity::Endpoint::parse(text));
    contact.endpoints.push_back(std::move(endpoint));
  }
  EKIDEN_TRY(identity::check_contact(contact));
  return contact;
}

ContactRequest to_contact_request(const router::Waiting& stranger) {
  return {.id = PeerId{stranger.peer.bytes},
          .messages = stranger.messages,
          .bytes = stranger.bytes,
          .first_received = to_system(stranger.first->received),
          .first_type = stranger.first->type,
          .first_body = std::string(as_text(stranger.first->body))};
}

Contact from_contact(const identity::Contact& contact) {
  Contact out;
  out.id = PeerId{contact.id.bytes};
  out.name = contact.petname;
  out.tier = static_cast<TrustTier>(contact.tier);
  for (const auto& endpoint : contact.endpoints) out.endpoints.push_back(endpoint.text());
  return out;
}

}  // namespace ekiden::embed
