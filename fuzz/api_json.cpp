// JSON that a program on this machine sends to the local API: the parser, and the readers of drafts and contacts.
//
// The first byte chooses the reader, the rest is the body of the request. What is accepted has to survive being written
// and read again, and to keep every bound that the engines behind rely on; a draft is compared with a naive reading of
// the same object.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "api/base64.hpp"
#include "api/contact_entry.hpp"
#include "api/draft_entry.hpp"
#include "api/json.hpp"
#include "base/check.hpp"
#include "base/encoding.hpp"

namespace {

using ekiden::api::Json;
using ekiden::identity::Contact;
using ekiden::identity::ContactBook;
namespace api = ekiden::api;
namespace router = ekiden::router;

Contact bob() {
  Contact contact;
  contact.petname = "bob";
  contact.id.bytes.fill(7);
  return contact;
}

const ContactBook& book() {
  static const ContactBook kBook = [] {
    ContactBook made;
    CHECK(made.add(bob()));
    return made;
  }();
  return kBook;
}

int depth_of(const Json& json) {
  if (!json.is_structured()) return 0;
  int deepest = 0;
  for (const auto& item : json) deepest = std::max(deepest, depth_of(item));
  return deepest + 1;
}

void check_parsed(const Json& json) {
  CHECK(depth_of(json) <= api::kMaxJsonDepth);
  const auto written = api::dump_json(json);
  CHECK(written.find('\n') == std::string::npos && ekiden::is_utf8(ekiden::as_bytes(written)));
  const auto again = api::parse_json(written);
  CHECK(again && *again == json);
}

/// "" if the key is missing or null.
std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? std::string() : found->get<std::string>();
}

void check_known_keys(const Json& json, const std::set<std::string_view>& known) {
  for (const auto& [key, unused] : json.items()) CHECK(known.contains(key));
}

void check_draft(const Json& json) {
  const auto entry = api::read_draft(json, book());
  if (!entry) {
    CHECK(!entry.error().message.empty());
    return;
  }
  const router::Draft* draft = &entry->draft;
  check_known_keys(json, {"to", "body", "body_base64", "type", "content_type", "id", "in_reply_to", "ttl_ms",
                          "priority", "class", "conversation", "unordered"});
  CHECK(draft->body.size() <= router::kMaxBody);
  CHECK(draft->type == text_of(json, "type") && draft->type.size() <= router::kMaxTypeLength);
  CHECK(draft->content_type == text_of(json, "content_type") && draft->content_type.size() <= router::kMaxTypeLength);
  CHECK(draft->conversation == text_of(json, "conversation") &&
        draft->conversation.size() <= router::kMaxConversationLength);
  CHECK(draft->ttl > ekiden::Duration::zero() && draft->ttl <= ekiden::milliseconds(router::kMaxTtlMs));
  const auto encoded = text_of(json, "body_base64");
  if (encoded.empty()) {
    CHECK(ekiden::as_text(draft->body) == text_of(json, "body"));
  } else {
    CHECK(text_of(json, "body").empty() && api::to_base64(draft->body) == encoded);
  }
  const auto to = text_of(json, "to");
  if (to.starts_with('@')) {
    CHECK(entry->capability == to.substr(1) && ekiden::identity::is_capability(entry->capability));
  } else {
    CHECK(entry->capability.empty());
    CHECK(to == "bob" ? draft->to == bob().id : draft->to.text().size() == to.size());
  }
}

void check_question(const Json& json) {
  const auto question = api::read_question(json, book());
  if (!question) {
    CHECK(!question.error().message.empty());
    return;
  }
  check_known_keys(json, {"to", "capability", "body", "body_base64", "type", "content_type", "timeout_ms", "priority"});
  CHECK(question->body.size() <= router::kMaxBody);
  CHECK(question->timeout > ekiden::Duration::zero() && question->timeout <= router::kMaxAskTimeout);
  CHECK(question->to || ekiden::identity::is_capability(question->capability));
}

void check_response(const Json& json) {
  const auto response = api::read_response(json);
  if (!response) {
    CHECK(!response.error().message.empty());
    return;
  }
  check_known_keys(json, {"failed", "body", "body_base64", "type", "content_type"});
  CHECK(response->body.size() <= router::kMaxBody && response->type.size() <= router::kMaxTypeLength);
}

void check_contact(const Json& json) {
  const auto contact = api::read_contact(json);
  if (!contact) {
    CHECK(!contact.error().message.empty());
    return;
  }
  check_known_keys(json, {"name", "id", "tier", "endpoints"});
  CHECK(ekiden::identity::check_contact(*contact));
  CHECK(contact->petname == text_of(json, "name"));
}

void check_change(const Json& json) {
  const auto changed = api::read_contact_change(bob(), json);
  if (!changed) {
    CHECK(!changed.error().message.empty());
    return;
  }
  check_known_keys(json, {"name", "tier", "endpoints"});
  CHECK(ekiden::identity::check_contact(*changed) && changed->id == bob().id);
  CHECK(json.contains("tier") || changed->tier == bob().tier);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto json = api::parse_json({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (!json) return 0;
  check_parsed(*json);
  if (data[0] == 'c') {
    check_contact(*json);
  } else if (data[0] == 'u') {
    check_change(*json);
  } else {
    check_question(*json);
    check_response(*json);
    check_draft(*json);
  }
  return 0;
}
