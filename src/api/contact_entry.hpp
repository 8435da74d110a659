// A contact as requests to the local API write it:
//   {"name": "bob", "id": "ek1...", "tier": "contact", "endpoints": ["tcp://192.0.2.7:7420"]}
#pragma once

#include "api/json.hpp"
#include "base/result.hpp"
#include "identity/contact.hpp"

namespace ekiden::api {

/// Reads {"name", "id", "tier"?, "endpoints"?}, checked as identity::check_contact does. Errors: invalid_argument,
/// malformed, too_large.
Result<identity::Contact> read_contact(const Json& json);

/// The contact as it shall be: {"name", "tier"?, "endpoints"?}. Its id stays, and so does what is not named.
Result<identity::Contact> read_contact_change(const identity::Contact& current, const Json& json);

/// A stranger as it shall be from now on: {"name"?, "tier"?, "endpoints"?}. What is not said is as in `current`, if
/// that is not null; a name is made of the id, and the tier is at least contact.
Result<identity::Contact> read_acceptance(const identity::PeerId& id, const identity::Contact* current,
                                          const Json& json);

}  // namespace ekiden::api
