// A message as requests to the local API write it:
//   {"to": "bob", "body": "hello", "ttl_ms": 60000, "priority": "high"}
#pragma once

#include "api/json.hpp"
#include "base/result.hpp"
#include "identity/contact.hpp"
#include "router/router.hpp"

namespace ekiden::api {

/// Reads {"to", "body"? or "body_base64"?, "type"?, "content_type"?, "id"?, "in_reply_to"?, "ttl_ms"?, "priority"?,
/// "class"?}; "to" is an id or the petname of one of `contacts`. Errors: invalid_argument, malformed, too_large,
/// not_found.
Result<router::Draft> read_draft(const Json& json, const identity::ContactBook& contacts);

}  // namespace ekiden::api
