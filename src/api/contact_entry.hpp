// A contact as people write it: in requests to the local API and in contact files.
//
// A contact file holds one JSON object a line, as `ekiden contact export` writes it:
//   {"name":"bob","id":"ek1...","tier":"contact","endpoints":["tcp://192.0.2.7:7420"]}
// Empty lines and lines that begin with '#' are skipped. Bounds: kMaxContactFile bytes, identity::kMaxContacts entries,
// kMaxContactLine bytes a line. Errors name the line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json.hpp"
#include "base/result.hpp"
#include "identity/contact.hpp"

namespace ekiden::api {

inline constexpr std::size_t kMaxContactFile = 32 << 20;
inline constexpr std::size_t kMaxContactLine = 8 * 1024;

/// Reads {"name", "id", "tier"?, "endpoints"?} and, in what export wrote, ignores "added" and "public_key". Checked as
/// identity::check_contact does. Errors: invalid_argument, malformed, too_large.
Result<identity::Contact> read_contact(const Json& json);

/// Changes of a contact whose id is known: as read_contact, but "id" must not be there.
Result<identity::Contact> read_contact_change(const identity::Contact& current, const Json& json);

/// What a file holds of a contact.
Json write_contact(const identity::Contact& contact);

Result<std::vector<identity::Contact>> parse_contact_file(std::string_view text);

}  // namespace ekiden::api
