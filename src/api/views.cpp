#include "api/views.hpp"

#include <algorithm>
#include <chrono>

#include "api/base64.hpp"
#include "api/version.hpp"
#include "base/encoding.hpp"

namespace ekiden::api {
namespace {

std::string padded(std::int64_t value, std::size_t digits) {
  auto text = std::to_string(value);
  return text.size() < digits ? std::string(digits - text.size(), '0') + text : text;
}

/// Adds the id of a peer under `key` and its petname, if it has one, under `name_key`.
void put_peer(Json& json, const char* key, const char* name_key, const identity::PeerId& id,
              const identity::ContactBook& contacts) {
  json[key] = id.text();
  if (const auto* contact = contacts.find(id)) json[name_key] = contact->petname;
}

/// Text that reads the same for everybody: UTF-8 without control characters other than line ends and tabs.
bool is_plain_text(ByteView body) {
  const auto control = [](Byte b) { return (b < 0x20 && b != '\n' && b != '\r' && b != '\t') || b == 0x7f; };
  return std::ranges::none_of(body, control) && is_utf8(body);
}

Json session_view(const session::SessionStatus& session, const identity::ContactBook& contacts) {
  Json json;
  json["id"] = session.id.text();
  put_peer(json, "peer", "name", session.peer, contacts);
  json["state"] = session::state_name(session.state);
  json["active"] = session.active;
  json["initiated_by_us"] = session.initiated_by_us;
  json["created"] = iso_time(session.created);
  json["expires"] = iso_time(session.expires);
  json["sent"] = session.sent;
  json["received"] = session.received;
  json["skipped_keys"] = session.skipped_keys;
  return json;
}

Json counters_view(const router::RouterStatus& router) {
  return {{"accepted", router.accepted}, {"delivered", router.delivered},   {"expired", router.expired},
          {"received", router.received}, {"duplicates", router.duplicates}, {"retransmitted", router.retransmitted},
          {"refused", router.refused}};
}

Json endpoints_view(const std::vector<identity::Endpoint>& endpoints) {
  auto json = Json::array();
  for (const auto& endpoint : endpoints) json.push_back(endpoint.text());
  return json;
}

}  // namespace

std::int64_t microseconds_of(Duration duration) { return std::chrono::duration_cast<microseconds>(duration).count(); }

std::string iso_time(WallTime time) {
  using std::chrono::floor;
  const std::chrono::sys_time<milliseconds> at(time.time_since_epoch());
  const auto day = floor<days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<milliseconds> clock(at - day);
  return padded(static_cast<int>(date.year()), 4) + "-" + padded(static_cast<unsigned>(date.month()), 2) + "-" +
         padded(static_cast<unsigned>(date.day()), 2) + "T" + padded(clock.hours().count(), 2) + ":" +
         padded(clock.minutes().count(), 2) + ":" + padded(clock.seconds().count(), 2) + "." +
         padded(clock.subseconds().count(), 3) + "Z";
}

std::string_view class_name(router::DeliveryClass delivery) {
  return delivery == router::DeliveryClass::durable ? "durable" : "volatile";
}

Result<router::DeliveryClass> parse_class(std::string_view name) {
  if (name == "durable") return router::DeliveryClass::durable;
  if (name == "volatile") return router::DeliveryClass::volatile_;
  return fail(Errc::invalid_argument, "'" + std::string(name) + "' is not a class; there are durable and volatile");
}

Result<wire::Priority> parse_priority(std::string_view name) {
  for (std::size_t i = 0; i < wire::kPriorities; ++i) {
    if (wire::kPriorityNames[i] == name) return static_cast<wire::Priority>(i);
  }
  return fail(Errc::invalid_argument,
              "'" + std::string(name) + "' is not a priority; there are critical, high, normal, low and background");
}

Result<router::MessageState> parse_state(std::string_view name) {
  using router::MessageState;
  for (const auto state : {MessageState::queued, MessageState::in_flight, MessageState::delivered,
                           MessageState::expired, MessageState::sent}) {
    if (router::message_state_name(state) == name) return state;
  }
  return fail(Errc::invalid_argument,
              "'" + std::string(name) + "' is not a state; there are queued, in-flight, delivered, expired and sent");
}

Json problem_view(const Error& error) { return {{"code", errc_name(error.code)}, {"detail", error.message}}; }

Json use_view(const mailbox::Use& use) { return {{"messages", use.parcels}, {"bytes", use.bytes}}; }

Json mailbox_view(const node::NodeStatus& status, const identity::ContactBook& contacts) {
  const auto& kept = status.mailbox;
  Json json = {{"serves", kept.serves},
               {"used", use_view(kept.used)},
               {"used_by_strangers", use_view(kept.strangers)},
               {"recipients", kept.owners},
               {"collecting", kept.collecting},
               {"counters",
                {{"stored", kept.stored},
                 {"collected", kept.collected},
                 {"expired", kept.expired},
                 {"refused", kept.refused},
                 {"damaged", kept.damaged}}},
               {"quota",
                {{"all", use_view(kept.limit)},
                 {"strangers", use_view(kept.stranger_limit)},
                 {"sender", use_view(kept.sender_limit)},
                 {"recipient", use_view(kept.owner_limit)},
                 {"network", use_view(kept.prefix_limit)}}},
               {"deposits",
                {{"pending", status.deposits.parcels},
                 {"bytes", status.deposits.bytes},
                 {"placed", status.deposits.placed},
                 {"refused", status.deposits.refused}}},
               {"own", Json::array()}};
  for (const auto& own : status.own_mailboxes.own) {
    Json entry = {{"up", own.up}};
    put_peer(entry, "peer", "name", own.node, contacts);
    json["own"].push_back(std::move(entry));
  }
  return json;
}

Json relay_view(const relay::RelayStatus& relay) {
  return {{"forwards", relay.forwards},
          {"held", {{"messages", relay.packets}, {"bytes", relay.bytes}}},
          {"quota", {{"messages", relay.max_packets}, {"bytes", relay.max_bytes}}},
          {"relays", relay.relays},
          {"routed_peers", relay.routed_peers},
          {"counters",
           {{"taken", relay.taken},
            {"handed_on", relay.handed_on},
            {"passed", relay.passed},
            {"refused", relay.refused},
            {"expired", relay.expired}}}};
}

Json status_view(const Backend& backend) {
  const auto status = backend.status();
  const auto& contacts = backend.contacts();
  const auto now = backend.now();
  Json json;
  json["id"] = status.id.text();
  json["version"] = version();
  json["ready"] = status.ready;
  json["uptime_ms"] = backend.uptime_ms();
  json["time"] = iso_time(now.wall);
  json["data_dir"] = backend.data_dir();
  json["listening"] = endpoints_view(backend.listening());
  json["endpoints"] = own_endpoints_view(status, now);
  if (status.storage) {
    json["storage_problem"] = {{"code", errc_name(status.storage->code)}, {"detail", status.storage->message}};
  }
  json["contacts"] = status.contacts;
  json["outbox"] = {{"messages", status.router.outbox_messages},
                    {"bytes", status.router.outbox_bytes},
                    {"in_flight", status.router.in_flight}};
  json["inbox"] = {{"messages", status.router.inbox_messages}, {"bytes", status.router.inbox_bytes}};
  json["contact_requests"] = {{"peers", status.router.waiting_strangers}, {"messages", status.router.waiting_messages}};
  json["questions"] = status.questions;
  json["requests"] = status.requests;
  json["counters"] = counters_view(status.router);
  json["half_open"] = status.half_open;
  json["discovery"] = {{"on", status.discovery},
                       {"nodes", status.dht.nodes},
                       {"values", status.dht.values},
                       {"lookups", status.dht.lookups},
                       {"sessions", status.datagrams.sessions},
                       {"handshakes", status.datagrams.handshakes},
                       {"lan", {{"on", status.lan.on}, {"peers", status.lan.peers}}}};
  json["mailbox"] = mailbox_view(status, contacts);
  json["relay"] = relay_view(status.relay);
  json["links_total"] = status.links.size();
  json["links"] = Json::array();
  for (std::size_t i = 0; i < std::min(status.links.size(), kMaxListed); ++i) {
    json["links"].push_back(link_view(status.links[i], now, contacts));
  }
  json["sessions_total"] = status.sessions.size();
  json["sessions"] = Json::array();
  for (std::size_t i = 0; i < std::min(status.sessions.size(), kMaxListed); ++i) {
    json["sessions"].push_back(session_view(status.sessions[i], contacts));
  }
  return json;
}

Json identity_view(const Backend& backend) {
  Json json;
  json["id"] = backend.id().text();
  json["public_key"] = to_hex(backend.public_key().view());
  json["listening"] = endpoints_view(backend.listening());
  const auto record = backend.own_record();
  if (!record.empty()) json["record_base64"] = to_base64(record);
  return json;
}

Json contact_view(const identity::Contact& contact) {
  Json json;
  json["name"] = contact.petname;
  json["id"] = contact.id.text();
  json["tier"] = identity::tier_name(contact.tier);
  json["endpoints"] = endpoints_view(contact.endpoints);
  json["added"] = iso_time(contact.added_at);
  if (contact.public_key) json["public_key"] = to_hex(contact.public_key->view());
  return json;
}

Json contact_request_view(const router::Waiting& stranger, const identity::ContactBook& contacts) {
  constexpr std::size_t kPreview = 200;
  const router::Arrived& first = *stranger.first;
  Json json;
  put_peer(json, "peer", "name", stranger.peer, contacts);
  json["messages"] = stranger.messages;
  json["bytes"] = stranger.bytes;
  json["first_received"] = iso_time(first.received);
  json["type"] = first.type;
  json["size"] = first.body.size();
  if (!is_plain_text(first.body)) return json;
  std::size_t length = std::min(first.body.size(), kPreview);
  // Not in the middle of a character.
  while (length < first.body.size() && length > 0 && (first.body[length] & 0xc0) == 0x80) --length;
  json["text"] = std::string(as_text(first.body).substr(0, length));
  return json;
}

Json blocked_view(const router::Blocked& blocked, const identity::ContactBook& contacts) {
  Json json;
  put_peer(json, "peer", "name", blocked.peer, contacts);
  json["since"] = iso_time(blocked.since);
  return json;
}

void put_body(Json& json, ByteView body) {
  json["size"] = body.size();
  if (is_plain_text(body)) {
    json["body"] = std::string(as_text(body));
  } else {
    json["body_base64"] = to_base64(body);
  }
}

Json message_view(const router::Arrived& message, const identity::ContactBook& contacts) {
  Json json;
  json["number"] = message.number;
  json["id"] = message.id.text();
  put_peer(json, "from", "from_name", message.from, contacts);
  json["tier"] = identity::tier_name(contacts.tier_of(message.from));
  json["sent"] = iso_time(message.sent);
  json["received"] = iso_time(message.received);
  json["expires"] = iso_time(message.expires);
  json["priority"] = wire::priority_name(message.priority);
  json["class"] = class_name(message.delivery);
  json["purpose"] = purpose_name(message.exchange);
  if (message.exchange && !message.exchange->capability.empty()) json["capability"] = message.exchange->capability;
  json["type"] = message.type;
  json["content_type"] = message.content_type;
  if (message.in_reply_to) json["in_reply_to"] = message.in_reply_to->text();
  json["ordered"] = message.order.has_value();
  if (message.order && !message.order->conversation.empty()) json["conversation"] = message.order->conversation;
  if (message.missing > 0) json["missing"] = message.missing;
  if (message.late) json["late"] = true;
  put_body(json, message.body);
  return json;
}

Json trace_view(const router::Trace& trace, const identity::ContactBook& contacts, bool with_story) {
  Json json;
  json["id"] = trace.id.text();
  json["direction"] = trace.outgoing ? "out" : "in";
  put_peer(json, "peer", "name", trace.peer, contacts);
  json["state"] = router::message_state_name(trace.state);
  json["priority"] = wire::priority_name(trace.priority);
  json["class"] = class_name(trace.delivery);
  json["accepted"] = iso_time(trace.accepted);
  if (trace.delivered) json["delivered"] = iso_time(*trace.delivered);
  json["expires"] = iso_time(trace.expires);
  json["attempts"] = trace.attempts;
  json["size"] = trace.size;
  json["type"] = trace.type;
  if (!with_story) return json;
  json["steps"] = Json::array();
  for (const auto& step : trace.steps) json["steps"].push_back({{"at", iso_time(step.at)}, {"what", step.what}});
  if (!trace.stored.empty()) json["stored"] = Json::array();
  for (const auto& stored : trace.stored) {
    Json entry = {{"until", iso_time(stored.until)}};
    put_peer(entry, "by", "name", stored.by, contacts);
    json["stored"].push_back(std::move(entry));
  }
  if (trace.relay) put_peer(json, "relay", "relay_name", *trace.relay, contacts);
  if (!trace.path.empty()) json["path"] = Json::array();
  for (const path::Hop& hop : trace.path) {
    Json entry = {{"at", iso_time(hop.at)}, {"signature", to_hex(hop.signature.view())}};
    put_peer(entry, "by", "name", identity::PeerId::of(hop.by), contacts);
    json["path"].push_back(std::move(entry));
  }
  if (!trace.receipt.empty()) json["receipt_base64"] = to_base64(trace.receipt);
  return json;
}

Json message_event(const router::Arrived& message, const identity::ContactBook& contacts) {
  const bool is_request = message.exchange && message.exchange->part == router::Exchange::Part::request;
  Json json = {{"kind", !message.exchange ? "message" : is_request ? "request" : "reply"}};
  json.update(message_view(message, contacts));
  return json;
}

Json state_event(const node::StateChanged& change, WallTime at, const identity::ContactBook& contacts) {
  Json json = {{"kind", "state"}, {"id", change.id.text()}, {"state", router::message_state_name(change.state)}};
  put_peer(json, "peer", "name", change.to, contacts);
  json["at"] = iso_time(at);
  return json;
}

Json peer_event(const identity::PeerId& peer, const Error* why, const identity::ContactBook& contacts) {
  Json json = {{"kind", "peer"}, {"up", why == nullptr}};
  put_peer(json, "peer", "name", peer, contacts);
  if (why != nullptr) json["why"] = why->message;
  return json;
}

}  // namespace ekiden::api
