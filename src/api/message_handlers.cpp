// /v1/messages: sending, and what became of what was sent.
#include <utility>

#include "api/base64.hpp"
#include "api/handlers.hpp"
#include "api/views.hpp"

namespace ekiden::api {
namespace {

/// The body of the message: "body", or "body_base64", not both. None is an empty message.
Bytes read_message_body(ObjectReader& reader) {
  // Base64 is longer by a third; the router bounds what comes out.
  const auto text = reader.text("body", router::kMaxBody);
  const auto encoded = reader.text("body_base64", router::kMaxBody / 3 * 4 + 4);
  if (text && encoded) {
    reader.refuse(Errc::invalid_argument, "give 'body' or 'body_base64', not both");
    return {};
  }
  if (!encoded) return text ? to_bytes(as_bytes(*text)) : Bytes{};
  auto bytes = from_base64(*encoded);
  if (!bytes) reader.refuse(bytes.error().code, "'body_base64': " + bytes.error().message);
  return std::move(bytes).value_or(Bytes{});
}

std::optional<router::MessageId> read_message_id(ObjectReader& reader, std::string_view key) {
  const auto text = reader.text(key, 64);
  if (!text) return std::nullopt;
  const auto id = Uuid::parse(*text);
  if (!id) reader.refuse(Errc::invalid_argument, "'" + std::string(key) + "' must be a UUID of version 4");
  return id ? std::optional(*id) : std::nullopt;
}

void read_delivery(ObjectReader& reader, router::Draft& draft) {
  if (const auto ttl = reader.number("ttl_ms", 1, router::kMaxTtlMs)) draft.ttl = milliseconds(*ttl);
  if (const auto name = reader.text("priority", 32)) {
    const auto priority = parse_priority(*name);
    if (priority) draft.priority = *priority;
    if (!priority) reader.refuse(priority.error().code, priority.error().message);
  }
  if (const auto name = reader.text("class", 32)) {
    const auto delivery = parse_class(*name);
    if (delivery) draft.delivery = *delivery;
    if (!delivery) reader.refuse(delivery.error().code, delivery.error().message);
  }
}

Result<router::Draft> read_draft(const Json& json, const identity::ContactBook& contacts) {
  ObjectReader reader(json);
  router::Draft draft;
  const auto to = reader.required_text("to", identity::kMaxPetnameSize);
  draft.type = reader.text("type", router::kMaxTypeLength).value_or("");
  draft.content_type = reader.text("content_type", router::kMaxTypeLength).value_or("");
  draft.body = read_message_body(reader);
  draft.id = read_message_id(reader, "id");
  draft.in_reply_to = read_message_id(reader, "in_reply_to");
  read_delivery(reader, draft);
  EKIDEN_TRY(reader.finish());
  if (draft.body.size() > router::kMaxBody) {
    return fail(Errc::too_large,
                "the body is over the limit of a message, " + std::to_string(router::kMaxBody) + " bytes");
  }
  EKIDEN_ASSIGN(draft.to, resolve_peer(contacts, to));
  return draft;
}

Status send_message(const Call& call) {
  EKIDEN_ASSIGN(const auto json, parse_json(call.body));
  EKIDEN_ASSIGN(auto draft, read_draft(json, call.backend.contacts()));
  const auto to = draft.to;
  call.backend.send(std::move(draft), [respond = call.respond, to](const Result<router::MessageId>& id) {
    if (!id) return respond(problem(id.error()));
    auto answer = json_response(202, {{"id", id->text()}, {"to", to.text()}});
    answer.fields.emplace_back("Location", "/v1/messages/" + id->text());
    respond(std::move(answer));
  });
  return {};
}

Result<router::Trace> named_trace(const Call& call) {
  const auto id = Uuid::parse(call.route.name);
  if (!id) return fail(Errc::invalid_argument, "'" + call.route.name + "' is not the id of a message");
  auto trace = call.backend.trace(*id);
  if (!trace) return fail(Errc::not_found, "no message with the id " + id->text() + " is known here any more");
  return std::move(*trace);
}

Status show_trace(const Call& call) {
  EKIDEN_ASSIGN(const auto trace, named_trace(call));
  call.respond(json_response(200, trace_view(trace, call.backend.contacts(), /*with_story=*/true)));
  return {};
}

Status retry_message(const Call& call) {
  EKIDEN_ASSIGN(const auto trace, named_trace(call));
  if (!trace.outgoing) return fail(Errc::invalid_argument, "that message came in; only outgoing ones are tried again");
  call.backend.retry_now(trace.peer, [respond = call.respond, id = trace.id](const Status& done) {
    respond(done ? json_response(202, {{"id", id.text()}}) : problem(done.error()));
  });
  return {};
}

Status list_messages(const Call& call) {
  EKIDEN_ASSIGN(const auto limit, number_parameter(call.target, "limit", 64, kMaxPage));
  auto list = Json::array();
  for (const auto& trace : call.backend.outgoing(limit)) {
    list.push_back(trace_view(trace, call.backend.contacts(), /*with_story=*/false));
  }
  call.respond(json_response(200, {{"messages", std::move(list)}}));
  return {};
}

Status dispatch(const Call& call) {
  switch (call.route.endpoint) {
    case Endpoint::send_message:
      return send_message(call);
    case Endpoint::trace_message:
      return show_trace(call);
    case Endpoint::retry_message:
      return retry_message(call);
    default:
      return list_messages(call);
  }
}

}  // namespace

void handle_messages(const Call& call) {
  if (const auto done = dispatch(call); !done) call.respond(problem(done.error()));
}

}  // namespace ekiden::api
