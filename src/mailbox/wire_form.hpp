// Link messages as mailboxes and those who use them build them: a type byte and a CBOR map.
#pragma once

#include "mailbox/messages.hpp"
#include "wire/link_message.hpp"

namespace ekiden::mailbox {

/// More than a Delivery takes beside its parcel, and a Parcel beside its payload.
inline constexpr std::size_t kParcelOverhead = 160;

using wire::link_message;

}  // namespace ekiden::mailbox
