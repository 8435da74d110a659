// /v1/registry: the directory of services that this node holds with others, and what it writes there.
#include <algorithm>
#include <utility>

#include "api/base64.hpp"
#include "api/handlers.hpp"
#include "api/views.hpp"
#include "base/encoding.hpp"

namespace ekiden::api {
namespace {

constexpr std::uint64_t kMostEntriesOfPage = 1'000;
constexpr std::uint64_t kEntriesOfPage = 100;

std::string hex_of(const registry::EntryId& id) { return to_hex(id.bytes); }

// Reading. ------------------------------------------------------------------------------------------------------------

std::unexpected<Error> no_metadata() {
  return fail(Errc::invalid_argument, "metadata are an object of at most 16 texts, like {\"paper\": \"a4\"}");
}

Result<std::vector<registry::Metadata>> read_metadata(const Json& json) {
  if (!json.is_object() || json.size() > registry::kMaxMetadata) return no_metadata();
  std::vector<registry::Metadata> metadata;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) return no_metadata();
    metadata.push_back({.key = key, .value = value.get<std::string>()});
  }
  return metadata;
}

struct EntryFilter {
  registry::Query query;
  std::optional<identity::PeerId> owner;
};

Result<EntryFilter> read_filter(const Call& call) {
  EntryFilter filter;
  if (const auto* name = call.target.parameter("name")) filter.query.name = *name;
  if (const auto* capability = call.target.parameter("capability")) filter.query.capability = *capability;
  if (const auto* where = call.target.parameter("where")) {
    EKIDEN_ASSIGN(const auto json, parse_json(*where));
    EKIDEN_ASSIGN(filter.query.where, read_metadata(json));
  }
  if (const auto* owner = call.target.parameter("owner")) {
    EKIDEN_ASSIGN(filter.owner, resolve_peer(call.backend.contacts(), *owner));
  }
  return filter;
}

Result<registry::EntryId> read_place(const std::string& text) {
  const auto bytes = from_hex(text);
  if (bytes && bytes->size() == sizeof(registry::EntryId::bytes)) {
    return registry::EntryId{take_array<sizeof(registry::EntryId::bytes)>(*bytes)};
  }
  return fail(Errc::invalid_argument, "the parameter 'after' must be what 'next' was");
}

/// Errors: those of realm_of, not_found (a realm that this node is not in), unsupported (it holds no replicas).
Result<const registry::Registry*> registry_for(const Call& call) {
  EKIDEN_ASSIGN(const std::string realm, realm_of(call.target));
  if (realm.empty()) call.backend.read_registry();
  if (const auto* found = call.backend.registry(realm)) return found;
  const auto realms = call.backend.realms();
  const bool is_in = std::ranges::any_of(realms, [&](const auto& each) { return each.realm.name == realm; });
  if (is_in) {
    return fail(Errc::unsupported, "this node holds no replicas: `hold = \"on\"` under [registry] in ekiden.toml");
  }
  return fail(Errc::not_found, "this node is not in the realm \"" + realm + "\"");
}

/// A page of all, in the order of ids.
Result<Json> list_all(const Call& call, const registry::Registry& registry, const EntryFilter& filter,
                      std::size_t limit) {
  std::optional<registry::EntryId> from;
  if (const auto* after = call.target.parameter("after")) {
    EKIDEN_ASSIGN(from, read_place(*after));
  }
  Json json = {{"entries", Json::array()}};
  const auto entries = registry.list(call.backend.now(), from, limit);
  for (const registry::Entry& entry : entries) {
    if (filter.owner && entry.owner_id() != *filter.owner) continue;
    json["entries"].push_back(entry_view(call.backend, registry, entry));
  }
  if (entries.size() == limit) json["next"] = hex_of(entries.back().id());
  return json;
}

/// A page of what the query finds, in the order of this replica.
Result<Json> find_some(const Call& call, const registry::Registry& registry, const EntryFilter& filter,
                       std::size_t limit) {
  EKIDEN_ASSIGN(const std::uint64_t from, number_parameter(call.target, "after", 0, 0xffff'ffff));
  Json json = {{"entries", Json::array()}};
  const auto page = registry.find(call.backend.now(), filter.query, static_cast<registry::Slot>(from), limit);
  for (const registry::Entry& entry : page.entries) {
    if (filter.owner && entry.owner_id() != *filter.owner) continue;
    json["entries"].push_back(entry_view(call.backend, registry, entry));
  }
  if (page.next) json["next"] = std::to_string(*page.next);
  return json;
}

Status list_entries(const Call& call) {
  EKIDEN_ASSIGN(const auto* registry, registry_for(call));
  EKIDEN_ASSIGN(const auto filter, read_filter(call));
  EKIDEN_ASSIGN(const auto limit, number_parameter(call.target, "limit", kEntriesOfPage, kMostEntriesOfPage));
  if (limit == 0) return fail(Errc::invalid_argument, "the parameter 'limit' must be at least 1");
  const auto& query = filter.query;
  const bool is_search = !query.name.empty() || !query.capability.empty() || !query.where.empty();
  EKIDEN_ASSIGN(auto json,
                is_search ? find_some(call, *registry, filter, limit) : list_all(call, *registry, filter, limit));
  const registry::RegistryStatus status = registry->status();
  json["shown_total"] = status.shown;
  json["neighbours"] = status.neighbours;
  call.respond(json_response(200, json));
  return {};
}

Status list_conflicts(const Call& call) {
  EKIDEN_ASSIGN(const auto* registry, registry_for(call));
  Json json = {{"conflicts", Json::array()}};
  for (const registry::Conflict& conflict : registry->conflicts()) {
    json["conflicts"].push_back(conflict_view(conflict, call.backend.contacts()));
  }
  call.respond(json_response(200, json));
  return {};
}

// Writing. ------------------------------------------------------------------------------------------------------------

Result<registry::Shape> read_shape(const std::string& text) {
  if (text == "own") return registry::Shape::own;
  if (text == "shared") return registry::Shape::shared;
  if (text == "set") return registry::Shape::set;
  return fail(Errc::invalid_argument, "'shape' must be own, shared or set");
}

Result<std::vector<Bytes>> read_elements(ObjectReader& reader, std::string_view key) {
  std::vector<Bytes> elements;
  const auto texts = reader.texts(key, registry::kMaxElements, registry::kMaxElementSize);
  if (texts) {
    for (const std::string& text : *texts) elements.push_back(to_bytes(as_bytes(text)));
  }
  return elements;
}

Result<Bytes> read_value(ObjectReader& reader) {
  const auto text = reader.text("value", registry::kMaxValue);
  const auto encoded = reader.text("value_base64", registry::kMaxValue / 3 * 4 + 4);
  if (text && encoded) return fail(Errc::invalid_argument, "give 'value' or 'value_base64', not both");
  if (encoded) return from_base64(*encoded);
  return text ? to_bytes(as_bytes(*text)) : Bytes();
}

Result<registry::Draft> read_entry_draft(const Call& call) {
  EKIDEN_ASSIGN(const auto json, parse_json(call.body));
  ObjectReader reader(json);
  registry::Draft draft;
  draft.name = call.route.name;
  if (const auto owner = reader.text("owner", identity::kMaxPetnameSize)) {
    EKIDEN_ASSIGN(draft.owner, resolve_peer(call.backend.contacts(), *owner));
  }
  if (const auto shape = reader.text("shape", 16)) {
    EKIDEN_ASSIGN(draft.shape, read_shape(*shape));
  }
  EKIDEN_ASSIGN(draft.value, read_value(reader));
  draft.capability = reader.text("capability", identity::kMaxCapabilitySize).value_or("");
  if (const Json* metadata = reader.raw("metadata")) {
    EKIDEN_ASSIGN(draft.metadata, read_metadata(*metadata));
  }
  if (const auto writers = reader.texts("writers", registry::kMaxWriters, identity::kMaxPetnameSize)) {
    for (const std::string& writer : *writers) {
      EKIDEN_ASSIGN(draft.writers.emplace_back(), resolve_peer(call.backend.contacts(), writer));
    }
  }
  EKIDEN_ASSIGN(draft.add, read_elements(reader, "add"));
  EKIDEN_ASSIGN(draft.take, read_elements(reader, "take"));
  const auto ttl = reader.number("ttl_ms", static_cast<std::uint64_t>(registry::kMinLifetime.count()),
                                 static_cast<std::uint64_t>(registry::kMaxLifetime.count()));
  if (ttl) draft.lifetime = milliseconds(*ttl);
  // What has no end of its own goes on until it is removed.
  draft.renew = reader.boolean("renew").value_or(!ttl);
  EKIDEN_TRY(reader.finish());
  return draft;
}

Status put_entry(const Call& call) {
  EKIDEN_ASSIGN(auto realm, realm_of(call.target));
  EKIDEN_ASSIGN(auto draft, read_entry_draft(call));
  const identity::PeerId owner = draft.owner.value_or(call.backend.id());
  const Json answer = {{"name", draft.name}, {"owner", owner.text()}};
  call.backend.put_entry(std::move(draft), std::move(realm), [respond = call.respond, answer](const Status& done) {
    respond(done ? json_response(200, answer) : submit_problem(done.error()));
  });
  return {};
}

Status remove_entry(const Call& call) {
  EKIDEN_ASSIGN(auto realm, realm_of(call.target));
  identity::PeerId owner = call.backend.id();
  if (const auto* named = call.target.parameter("owner")) {
    EKIDEN_ASSIGN(owner, resolve_peer(call.backend.contacts(), *named));
  }
  call.backend.remove_entry(owner, call.route.name, std::move(realm), [respond = call.respond](const Status& done) {
    Response answer;
    answer.status = 204;
    respond(done ? answer : submit_problem(done.error()));
  });
  return {};
}

}  // namespace

void handle_registry(const Call& call) {
  const Status done = call.route.endpoint == Endpoint::list_conflicts ? list_conflicts(call)
                      : call.route.endpoint == Endpoint::list_entries ? list_entries(call)
                      : call.route.endpoint == Endpoint::put_entry    ? put_entry(call)
                                                                      : remove_entry(call);
  if (!done) call.respond(problem(done.error()));
}

}  // namespace ekiden::api
