// Entries of the registry, and conflicts among them, in JSON.
#include "api/base64.hpp"
#include "api/views.hpp"
#include "base/encoding.hpp"

namespace ekiden::api {
namespace {

constexpr std::array<const char*, 3> kShapes = {"own", "shared", "set"};

void put_name(Json& json, const char* key, const char* name_key, const identity::PeerId& id,
              const identity::ContactBook& contacts) {
  json[key] = id.text();
  if (const auto* contact = contacts.find(id)) json[name_key] = contact->petname;
}

void put_value(Json& json, ByteView value) {
  if (value.empty()) return;
  if (is_utf8(value)) {
    json["value"] = std::string(as_text(value));
  } else {
    json["value_base64"] = to_base64(value);
  }
}

/// What can be written as text is; anything else as {"base64"}.
Json element_of(ByteView element) {
  if (is_utf8(element)) return std::string(as_text(element));
  return {{"base64", to_base64(element)}};
}

}  // namespace

Json entry_view(const Backend& backend, const registry::Registry& registry, const registry::Entry& entry) {
  const identity::ContactBook& contacts = backend.contacts();
  Json json = {{"name", entry.name}};
  put_name(json, "owner", "owner_name", entry.owner_id(), contacts);
  if (entry.author) put_name(json, "author", "author_name", entry.author_id(), contacts);
  json["shape"] = kShapes[static_cast<std::size_t>(entry.shape)];
  if (!entry.capability.empty()) json["capability"] = entry.capability;
  if (!entry.metadata.empty()) {
    json["metadata"] = Json::object();
    for (const registry::Metadata& item : entry.metadata) json["metadata"][item.key] = item.value;
  }
  put_value(json, entry.value);
  for (const registry::Writer& writer : entry.writers) json["writers"].push_back(writer.id.text());
  json["written"] = iso_time(from_unix_ms(entry.stamp.ms));
  json["expires"] = iso_time(entry.expires);
  if (entry.shape == registry::Shape::own) return json;
  const auto view = registry.get(backend.now(), entry.owner_id(), entry.name);
  if (!view) return json;
  if (view->values.size() > 1) json["concurrent"] = view->values.size();
  if (entry.shape != registry::Shape::set) return json;
  json["elements"] = Json::array();
  for (const Bytes& element : view->elements) json["elements"].push_back(element_of(element));
  return json;
}

Json conflict_view(const registry::Conflict& conflict, const identity::ContactBook& contacts) {
  Json json = {{"kind", conflict.kind == registry::ConflictKind::concurrent ? "concurrent" : "equivocal"},
               {"name", conflict.name}};
  put_name(json, "owner", "owner_name", conflict.owner, contacts);
  json["since"] = iso_time(conflict.since);
  json["open"] = !conflict.settled.has_value();
  if (conflict.settled) {
    put_name(json, "settled_by", "settled_by_name", *conflict.settled, contacts);
    json["settled"] = iso_time(conflict.changed);
  }
  json["values"] = Json::array();
  for (const registry::Claim& claim : conflict.claims) {
    Json value = Json::object();
    put_name(value, "author", "author_name", claim.author, contacts);
    put_value(value, claim.value);
    value["written"] = iso_time(from_unix_ms(claim.stamp.ms));
    json["values"].push_back(std::move(value));
  }
  return json;
}

Json entry_event(const Backend& backend, const node::EntryChanged& changed) {
  Json json = {{"kind", "entry"}, {"name", changed.name}};
  if (!changed.realm.empty()) json["realm"] = changed.realm;
  put_name(json, "owner", "owner_name", changed.owner, backend.contacts());
  json["entries"] = Json::array();
  const registry::Registry* registry = backend.registry(changed.realm);
  if (registry == nullptr) return json;  // It was left meanwhile.
  const auto view = registry->get(backend.now(), changed.owner, changed.name);
  if (!view) return json;
  std::vector<registry::Entry> shown = view->values;
  if (view->shape == registry::Shape::set) {
    // Of a set the owner's entry stands for all. By its id: others may have put any number of the same name.
    const auto id = registry::EntryId::of(changed.owner, changed.owner, changed.name);
    shown.push_back(registry->replica().find(id)->entry());
  }
  for (const registry::Entry& entry : shown) json["entries"].push_back(entry_view(backend, *registry, entry));
  return json;
}

}  // namespace ekiden::api
