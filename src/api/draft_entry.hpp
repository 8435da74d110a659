// A message as requests to the local API write it:
//   {"to": "bob", "body": "hello", "ttl_ms": 60000, "priority": "high"}
#pragma once

#include <string>

#include "api/json.hpp"
#include "base/result.hpp"
#include "identity/contact.hpp"
#include "router/question.hpp"
#include "router/router.hpp"

namespace ekiden::api {

/// What a request to send asks for.
struct Entry {
  router::Draft draft;
  std::string capability;  ///< "to" was "@" and this: whoever offers it
};

/// Reads {"to", "body"? or "body_base64"?, "type"?, "content_type"?, "id"?, "in_reply_to"?, "ttl_ms"?, "priority"?,
/// "class"?}; "to" is an id, the petname of one of `contacts`, or "@" and a capability. Errors: invalid_argument,
/// malformed, too_large, not_found.
Result<Entry> read_draft(const Json& json, const identity::ContactBook& contacts);

/// Reads {"to", "capability"?, "body"? or "body_base64"?, "type"?, "content_type"?, "timeout_ms"?, "priority"?}.
Result<router::Question> read_question(const Json& json, const identity::ContactBook& contacts);

/// Reads {"body"? or "body_base64"?}.
Result<Bytes> read_payload(const Json& json);

/// Reads {"failed"?, "body"? or "body_base64"?, "type"?, "content_type"?}.
Result<router::Response> read_response(const Json& json);

}  // namespace ekiden::api
