#include "api/contact_entry.hpp"

#include <utility>

#include "api/http_grammar.hpp"

namespace ekiden::api {
namespace {

/// What is common to a new contact and a change: name, tier, endpoints. Errors go into the reader.
void read_common(ObjectReader& reader, identity::Contact& contact) {
  contact.petname = reader.required_text("name", identity::kMaxPetnameSize);
  if (const auto tier = reader.text("tier", 32)) {
    const auto parsed = identity::parse_tier(*tier);
    if (parsed) contact.tier = *parsed;
    if (!parsed) reader.refuse(parsed.error().code, parsed.error().message);
  }
  const auto endpoints = reader.texts("endpoints", identity::kMaxContactEndpoints, identity::Endpoint::kWireTextMax);
  if (!endpoints) return;
  contact.endpoints.clear();
  for (const auto& text : *endpoints) {
    auto endpoint = identity::Endpoint::parse(text);
    if (!endpoint) return reader.refuse(endpoint.error().code, endpoint.error().message);
    contact.endpoints.push_back(std::move(*endpoint));
  }
}

}  // namespace

Result<identity::Contact> read_contact(const Json& json) {
  ObjectReader reader(json);
  identity::Contact contact;
  const auto id = reader.required_text("id", 256);
  read_common(reader, contact);
  reader.text("added", 64);
  reader.text("public_key", 64);
  EKIDEN_TRY(reader.finish());
  EKIDEN_ASSIGN(contact.id, identity::PeerId::parse(id));
  EKIDEN_TRY(identity::check_contact(contact));
  return contact;
}

Result<identity::Contact> read_contact_change(const identity::Contact& current, const Json& json) {
  ObjectReader reader(json);
  auto contact = current;
  read_common(reader, contact);
  EKIDEN_TRY(reader.finish());
  EKIDEN_TRY(identity::check_contact(contact));
  return contact;
}

Json write_contact(const identity::Contact& contact) {
  Json json = {{"name", contact.petname}, {"id", contact.id.text()}, {"tier", identity::tier_name(contact.tier)}};
  json["endpoints"] = Json::array();
  for (const auto& endpoint : contact.endpoints) json["endpoints"].push_back(endpoint.text());
  return json;
}

Result<std::vector<identity::Contact>> parse_contact_file(std::string_view text) {
  if (text.size() > kMaxContactFile) return fail(Errc::too_large, "the contact file is too large");
  std::vector<identity::Contact> contacts;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = grammar::trimmed_line(grammar::take_until(text, '\n'));
    if (line.empty() || line.front() == '#') continue;
    const auto where = "line " + std::to_string(number);
    if (line.size() > kMaxContactLine) return fail(Errc::too_large, where + " is too long");
    if (contacts.size() == identity::kMaxContacts) return fail(Errc::too_large, where + ": too many contacts");
    const auto json = parse_json(line);
    if (!json) return fail(where, json.error());
    auto contact = read_contact(*json);
    if (!contact) return fail(where, std::move(contact).error());
    contacts.push_back(std::move(*contact));
  }
  return contacts;
}

}  // namespace ekiden::api
