// The reader of contacts files, which come from other people: what it takes is a valid set of contacts with no name or
// id twice, and is written and read back the same; what it refuses, it refuses with a place.
#include "runtime/contacts_file.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/check.hpp"

namespace {

using namespace ekiden;

constexpr std::string_view kName = "contacts.toml";

void check_set(const std::vector<identity::Contact>& contacts) {
  std::set<std::string> names;
  std::set<identity::PeerId> ids;
  CHECK(contacts.size() <= identity::kMaxContacts);
  for (const identity::Contact& contact : contacts) {
    CHECK(identity::check_contact(contact).has_value());
    CHECK(names.insert(contact.petname).second);
    CHECK(ids.insert(contact.id).second);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto contacts = runtime::parse_contacts(as_text({data, size}), kName);
  if (!contacts) {
    CHECK(contacts.error().code == Errc::malformed || contacts.error().code == Errc::too_large);
    CHECK(contacts.error().message.starts_with(kName));
    return 0;
  }
  check_set(*contacts);
  const auto again = runtime::parse_contacts(runtime::format_contacts(*contacts), kName);
  CHECK(again.has_value());
  CHECK(*again == *contacts);
  return 0;
}
