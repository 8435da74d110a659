// /v1/peers and /v1/lookups: whom this node knows, and finding others.
#include <utility>

#include "api/handlers.hpp"
#include "api/views.hpp"

namespace ekiden::api {
namespace {

constexpr std::uint64_t kMaxOwners = 64;
constexpr std::uint64_t kDefaultOwners = 20;

std::unexpected<Error> no_lookup() {
  return fail(Errc::invalid_argument,
              "a lookup is {\"peer\": petname or id}, or {\"capability\": name, \"limit\": 1 to " +
                  std::to_string(kMaxOwners) + "}");
}

Status look_up_peer(const Call& call, const std::string& named) {
  EKIDEN_ASSIGN(const auto peer, resolve_peer(call.backend.contacts(), named));
  call.backend.find_peer(peer, [respond = call.respond, &backend = call.backend](const node::PeerFound& found) {
    respond(json_response(200, lookup_view(found, backend.contacts())));
  });
  return {};
}

Status look_up_capability(const Call& call, const Json& json) {
  std::uint64_t limit = kDefaultOwners;
  if (const auto given = json.find("limit"); given != json.end()) {
    if (!given->is_number_unsigned()) return no_lookup();
    limit = given->get<std::uint64_t>();
    if (limit == 0 || limit > kMaxOwners) return no_lookup();
  }
  const auto& capability = json.at("capability").get_ref<const std::string&>();
  if (!identity::is_capability(capability)) {
    return fail(Errc::invalid_argument, "'" + capability + "' is no capability: one is like translate/ja-en");
  }
  call.backend.find_capability(capability, limit,
                               [respond = call.respond, &backend = call.backend](const node::CapabilityFound& found) {
                                 respond(json_response(200, owners_view(found, backend.contacts())));
                               });
  return {};
}

Status look_up(const Call& call) {
  EKIDEN_ASSIGN(const auto json, parse_json(call.body));
  if (!json.is_object()) return no_lookup();
  const auto is_text = [&](const char* key) { return json.contains(key) && json.at(key).is_string(); };
  const std::size_t keys = json.size();
  if (keys == 1 && is_text("peer")) return look_up_peer(call, json.at("peer").get<std::string>());
  const bool is_capability = is_text("capability") && (keys == 1 || (keys == 2 && json.contains("limit")));
  return is_capability ? look_up_capability(call, json) : no_lookup();
}

}  // namespace

void handle_peers(const Call& call) {
  if (call.route.endpoint == Endpoint::list_peers) return call.respond(json_response(200, nodes_view(call.backend)));
  if (const auto done = look_up(call); !done) call.respond(problem(done.error()));
}

}  // namespace ekiden::api
