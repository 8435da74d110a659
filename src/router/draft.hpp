// What an application may ask to send, and when two drafts are the same message.
#pragma once

#include "crypto/keys.hpp"
#include "router/router.hpp"

namespace ekiden::router {

/// Whether it has a place in a conversation.
bool is_ordered(const Draft& draft);

/// Errors: invalid_argument, too_large.
Status check_draft(const Draft& draft, const identity::PeerId& self);

/// What makes two drafts the same message. The time to live is not part of it: asking again later is asking the same.
crypto::Digest digest_of(const Draft& draft);

}  // namespace ekiden::router
