#include "api/contact_entry.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::api {
namespace {

/// What is common to a new contact and a change: tier, endpoints. Errors go into the reader.
void read_common(ObjectReader& reader, identity::Contact& contact) {
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
  contact.petname = reader.required_text("name", identity::kMaxPetnameSize);
  read_common(reader, contact);
  EKIDEN_TRY(reader.finish());
  EKIDEN_ASSIGN(contact.id, identity::PeerId::parse(id));
  EKIDEN_TRY(identity::check_contact(contact));
  return contact;
}

Result<identity::Contact> read_contact_change(const identity::Contact& current, const Json& json) {
  ObjectReader reader(json);
  auto contact = current;
  contact.petname = reader.required_text("name", identity::kMaxPetnameSize);
  read_common(reader, contact);
  EKIDEN_TRY(reader.finish());
  EKIDEN_TRY(identity::check_contact(contact));
  return contact;
}

Result<identity::Contact> read_acceptance(const identity::PeerId& id, const identity::Contact* current,
                                          const Json& json) {
  ObjectReader reader(json);
  identity::Contact contact;
  if (current != nullptr) contact = *current;
  contact.id = id;
  // Every id begins with "ek1", and no name may.
  if (current == nullptr) contact.petname = "peer-" + id.text().substr(3, 8);
  contact.tier = std::max(contact.tier, identity::TrustTier::contact);
  if (auto name = reader.text("name", identity::kMaxPetnameSize)) contact.petname = std::move(*name);
  read_common(reader, contact);
  EKIDEN_TRY(reader.finish());
  EKIDEN_TRY(identity::check_contact(contact));
  return contact;
}

}  // namespace ekiden::api
