#include "runtime/contacts_file.hpp"

#include <array>
#include <map>
#include <utility>

#include "runtime/toml.hpp"

namespace ekiden::runtime {
namespace {

constexpr std::array<std::string_view, 4> kKeys = {"name", "id", "endpoints", "tier"};

Result<TomlPlace> required(const toml::table& table, std::string_view file, const char* key) {
  const toml::node* value = table.get(key);
  if (value == nullptr) return TomlPlace{file, &table}.malformed("a [[contact]] needs its " + std::string(key));
  return TomlPlace{file, value};
}

Status read_endpoints(const toml::table& table, std::string_view file, identity::Contact& contact) {
  const toml::node* value = table.get("endpoints");
  if (value == nullptr) return {};
  const TomlPlace place{file, value};
  EKIDEN_ASSIGN(const auto texts, read_texts(place, "endpoints", identity::kMaxContactEndpoints));
  for (const std::string& text : texts) {
    auto endpoint = identity::Endpoint::parse(text);
    if (!endpoint) return place.malformed(endpoint.error().message);
    contact.endpoints.push_back(std::move(*endpoint));
  }
  return {};
}

Result<identity::Contact> read_contact(const toml::table& table, std::string_view file) {
  EKIDEN_TRY(check_keys(table, file, "a [[contact]]", kKeys));
  identity::Contact contact;
  EKIDEN_ASSIGN(const TomlPlace name, required(table, file, "name"));
  EKIDEN_ASSIGN(contact.petname, read_text(name, "name"));
  EKIDEN_ASSIGN(const TomlPlace id, required(table, file, "id"));
  EKIDEN_ASSIGN(const std::string id_text, read_text(id, "id"));
  auto parsed = identity::PeerId::parse(id_text);
  if (!parsed) return id.malformed(parsed.error().message);
  contact.id = *parsed;
  EKIDEN_TRY(read_endpoints(table, file, contact));
  if (const toml::node* tier = table.get("tier")) {
    EKIDEN_ASSIGN(const std::string tier_text, read_text({file, tier}, "tier"));
    auto value = identity::parse_tier(tier_text);
    if (!value) return TomlPlace{file, tier}.malformed(value.error().message);
    contact.tier = *value;
  }
  if (auto valid = identity::check_contact(contact); !valid) {
    return TomlPlace{file, &table}.malformed(valid.error().message);
  }
  return contact;
}

}  // namespace

Result<std::vector<identity::Contact>> parse_contacts(std::string_view text, std::string_view name) {
  EKIDEN_ASSIGN(const toml::table root, parse_toml(text, name, kMaxContactsFile));
  constexpr std::array<std::string_view, 1> kRoot = {"contact"};
  EKIDEN_TRY(check_keys(root, name, "the file", kRoot));
  std::vector<identity::Contact> contacts;
  const toml::node* list = root.get("contact");
  if (list == nullptr) return contacts;
  const toml::array* tables = list->as_array();
  if (tables == nullptr) return TomlPlace{name, list}.malformed("write [[contact]] with two brackets");
  if (tables->size() > identity::kMaxContacts) {
    return TomlPlace{name, list}.malformed("more than " + std::to_string(identity::kMaxContacts) + " contacts");
  }
  identity::ContactBook book;  // finds names and ids that stand there twice
  for (const toml::node& entry : *tables) {
    const toml::table* table = entry.as_table();
    if (table == nullptr) return TomlPlace{name, &entry}.malformed("each contact is a [[contact]] table");
    EKIDEN_ASSIGN(identity::Contact contact, read_contact(*table, name));
    if (auto added = book.add(contact); !added) return TomlPlace{name, table}.malformed(added.error().message);
    contacts.push_back(std::move(contact));
  }
  return contacts;
}

std::string format_contacts(std::span<const identity::Contact> contacts) {
  std::string out;
  for (const identity::Contact& contact : contacts) {
    if (!out.empty()) out += '\n';
    out += "[[contact]]\nname = " + toml_quoted(contact.petname) + "\nid = " + toml_quoted(contact.id.text()) + '\n';
    std::vector<std::string> endpoints;
    for (const identity::Endpoint& endpoint : contact.endpoints) endpoints.push_back(endpoint.text());
    if (!endpoints.empty()) out += "endpoints = " + toml_list(endpoints) + '\n';
    out += "tier = " + toml_quoted(identity::tier_name(contact.tier)) + '\n';
  }
  return out;
}

}  // namespace ekiden::runtime
