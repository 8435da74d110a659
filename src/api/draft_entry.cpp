#include "api/draft_entry.hpp"

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

void read_priority(ObjectReader& reader, wire::Priority& out) {
  const auto name = reader.text("priority", 32);
  if (!name) return;
  const auto priority = parse_priority(*name);
  if (priority) out = *priority;
  if (!priority) reader.refuse(priority.error().code, priority.error().message);
}

Status check_body(const Bytes& body) {
  if (body.size() <= router::kMaxBody) return {};
  return fail(Errc::too_large,
              "the body is over the limit of a message, " + std::to_string(router::kMaxBody) + " bytes");
}

/// After "@".
Result<std::string> read_capability(const std::string& to) {
  std::string capability = to.substr(1);
  if (identity::is_capability(capability)) return capability;
  return fail(Errc::invalid_argument, "'" + to + "' names no capability: one is like @translate/ja-en");
}

void read_delivery(ObjectReader& reader, router::Draft& draft) {
  if (const auto ttl = reader.number("ttl_ms", 1, router::kMaxTtlMs)) draft.ttl = milliseconds(*ttl);
  read_priority(reader, draft.priority);
  if (const auto name = reader.text("class", 32)) {
    const auto delivery = parse_class(*name);
    if (delivery) draft.delivery = *delivery;
    if (!delivery) reader.refuse(delivery.error().code, delivery.error().message);
  }
  draft.conversation = reader.text("conversation", router::kMaxConversationLength).value_or("");
  draft.unordered = reader.boolean("unordered").value_or(false);
}

}  // namespace

Result<Entry> read_draft(const Json& json, const identity::ContactBook& contacts) {
  ObjectReader reader(json);
  Entry entry;
  router::Draft& draft = entry.draft;
  const auto to = reader.required_text("to", identity::kMaxPetnameSize);
  draft.type = reader.text("type", router::kMaxTypeLength).value_or("");
  draft.content_type = reader.text("content_type", router::kMaxTypeLength).value_or("");
  draft.body = read_message_body(reader);
  draft.id = read_message_id(reader, "id");
  draft.in_reply_to = read_message_id(reader, "in_reply_to");
  read_delivery(reader, draft);
  EKIDEN_TRY(reader.finish());
  EKIDEN_TRY(check_body(draft.body));
  if (to.starts_with('@')) {
    EKIDEN_ASSIGN(entry.capability, read_capability(to));
  } else {
    EKIDEN_ASSIGN(draft.to, resolve_peer(contacts, to));
  }
  return entry;
}

Result<router::Question> read_question(const Json& json, const identity::ContactBook& contacts) {
  ObjectReader reader(json);
  router::Question question;
  const auto to = reader.required_text("to", identity::kMaxPetnameSize);
  question.capability = reader.text("capability", identity::kMaxCapabilitySize).value_or("");
  question.type = reader.text("type", router::kMaxTypeLength).value_or("");
  question.content_type = reader.text("content_type", router::kMaxTypeLength).value_or("");
  question.body = read_message_body(reader);
  read_priority(reader, question.priority);
  const auto max_ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(router::kMaxAskTimeout).count());
  if (const auto timeout = reader.number("timeout_ms", 1, max_ms)) question.timeout = milliseconds(*timeout);
  EKIDEN_TRY(reader.finish());
  EKIDEN_TRY(check_body(question.body));
  if (!to.starts_with('@')) {
    EKIDEN_ASSIGN(question.to, resolve_peer(contacts, to));
    return question;
  }
  if (!question.capability.empty()) {
    return fail(Errc::invalid_argument, "give the capability in 'to' or in 'capability', not in both");
  }
  EKIDEN_ASSIGN(question.capability, read_capability(to));
  return question;
}

Result<Bytes> read_payload(const Json& json) {
  ObjectReader reader(json);
  Bytes payload = read_message_body(reader);
  EKIDEN_TRY(reader.finish());
  return payload;
}

Result<router::Response> read_response(const Json& json) {
  ObjectReader reader(json);
  router::Response response;
  response.failed = reader.boolean("failed").value_or(false);
  response.type = reader.text("type", router::kMaxTypeLength).value_or("");
  response.content_type = reader.text("content_type", router::kMaxTypeLength).value_or("");
  response.body = read_message_body(reader);
  EKIDEN_TRY(reader.finish());
  EKIDEN_TRY(check_body(response.body));
  return response;
}

}  // namespace ekiden::api
