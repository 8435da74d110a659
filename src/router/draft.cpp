#include "router/draft.hpp"

#include "base/encoding.hpp"
#include "crypto/hash.hpp"

namespace ekiden::router {
namespace {

bool is_name(std::string_view text) { return text.size() <= kMaxTypeLength && is_utf8(as_bytes(text)); }

bool is_uuid(const std::optional<MessageId>& id) { return !id || Uuid::from_bytes(id->bytes).has_value(); }

Status check_exchange(const Draft& draft) {
  if (!draft.exchange) return {};
  if (draft.delivery != DeliveryClass::durable) {
    return fail(Errc::invalid_argument, "requests and replies are durable messages");
  }
  if (draft.exchange->part != Exchange::Part::request && !draft.in_reply_to) {
    return fail(Errc::invalid_argument, "a reply names the request that it answers");
  }
  if (const std::string& name = draft.exchange->capability; !name.empty() && !identity::is_capability(name)) {
    return fail(Errc::invalid_argument, "the request names no capability: one is like translate/ja-en");
  }
  return {};
}

Status check_conversation(const Draft& draft) {
  if (draft.conversation.empty()) return {};
  if (draft.conversation.size() > kMaxConversationLength || !is_utf8(as_bytes(draft.conversation))) {
    return fail(Errc::invalid_argument, "the name of the conversation is not UTF-8 of at most 64 bytes");
  }
  if (is_ordered(draft)) return {};
  return fail(
      Errc::invalid_argument,
      "only ordered messages belong to a conversation: unordered and volatile ones, requests and replies do not");
}

}  // namespace

bool is_ordered(const Draft& draft) {
  return draft.delivery == DeliveryClass::durable && !draft.exchange && !draft.unordered;
}

Status check_draft(const Draft& draft, const identity::PeerId& self) {
  if (draft.to == self) return fail(Errc::invalid_argument, "a node does not send messages to itself");
  if (draft.body.size() > kMaxBody) {
    return fail(Errc::too_large, "the body has " + std::to_string(draft.body.size()) +
                                     " bytes; a message carries at most " + std::to_string(kMaxBody));
  }
  if (!is_name(draft.type)) return fail(Errc::invalid_argument, "the type is not UTF-8 of at most 128 bytes");
  if (!is_name(draft.content_type)) {
    return fail(Errc::invalid_argument, "the content type is not UTF-8 of at most 128 bytes");
  }
  if (draft.priority > wire::Priority::background || draft.delivery > DeliveryClass::volatile_) {
    return fail(Errc::invalid_argument, "no such priority or delivery class");
  }
  if (draft.ttl <= Duration::zero()) return fail(Errc::invalid_argument, "the time to live must be positive");
  if (!is_uuid(draft.id)) return fail(Errc::invalid_argument, "the message id is not a UUID of version 4");
  if (!is_uuid(draft.in_reply_to)) {
    return fail(Errc::invalid_argument, "the id of the message replied to is not a UUID of version 4");
  }
  EKIDEN_TRY(check_conversation(draft));
  return check_exchange(draft);
}

/// The exchange stands before the body, and ends where its encoding says; so does the conversation, with its length: no
/// two drafts hash the same bytes.
crypto::Digest digest_of(const Draft& draft) {
  const int optional_parts = (draft.in_reply_to ? 1 : 0) | (draft.exchange ? 2 : 0) | (draft.unordered ? 4 : 0) |
                             (draft.conversation.empty() ? 0 : 8);
  const Byte kind[] = {static_cast<Byte>(draft.priority), static_cast<Byte>(draft.delivery),
                       static_cast<Byte>(optional_parts), static_cast<Byte>(draft.type.size()),
                       static_cast<Byte>(draft.content_type.size())};
  const MessageId reply = draft.in_reply_to.value_or(MessageId{});
  const Bytes exchange = draft.exchange ? wire::encode(*draft.exchange) : Bytes{};
  const Byte length[] = {static_cast<Byte>(draft.conversation.size())};
  const ByteView conversation_size = draft.conversation.empty() ? ByteView{} : ByteView(length);
  return crypto::sha256({kind, draft.to.bytes, reply.bytes, as_bytes(draft.type), as_bytes(draft.content_type),
                         exchange, conversation_size, as_bytes(draft.conversation), ByteView(draft.body)});
}

}  // namespace ekiden::router
