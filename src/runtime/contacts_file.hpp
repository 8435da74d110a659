// Contacts as a text that people write, mail and merge: TOML, one table each.
//
//   [[contact]]
//   name = "alice"
//   id = "ek1..."
//   endpoints = ["tcp://alice.example:7420"]
//   tier = "contact"
//
// Read strictly, because such files come from other people: unknown keys, mistyped ids, two contacts of one name or id
// are errors with their line, and nothing of the file is used. Endpoints and tier are optional. Bounds:
// kMaxContactsFile bytes, identity::kMaxContacts contacts.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "identity/contact.hpp"

namespace ekiden::runtime {

inline constexpr std::size_t kMaxContactsFile = std::size_t{1} << 20;

/// `name` stands in errors. Errors: too_large, malformed (file, line, what is allowed).
Result<std::vector<identity::Contact>> parse_contacts(std::string_view text, std::string_view name);

/// What parse_contacts reads back: the same contacts, without what is learned rather than given (keys, records, times).
std::string format_contacts(std::span<const identity::Contact> contacts);

}  // namespace ekiden::runtime
