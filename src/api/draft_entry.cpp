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

}  // namespace

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

}  // namespace ekiden::api
