// /v1/peers and /v1/lookups: whom this node knows, and finding others.
#include <utility>

#include "api/handlers.hpp"
#include "api/views.hpp"

namespace ekiden::api {
namespace {

Status look_up(const Call& call) {
  EKIDEN_ASSIGN(const auto json, parse_json(call.body));
  const auto named = json.is_object() ? json.find("peer") : json.end();
  if (!json.is_object() || json.size() != 1 || named == json.end() || !named->is_string()) {
    return fail(Errc::invalid_argument, "a lookup is {\"peer\": petname or id}");
  }
  EKIDEN_ASSIGN(const auto peer, resolve_peer(call.backend.contacts(), named->get<std::string>()));
  call.backend.find_peer(peer, [respond = call.respond, &backend = call.backend](const node::PeerFound& found) {
    respond(json_response(200, lookup_view(found, backend.contacts())));
  });
  return {};
}

}  // namespace

void handle_peers(const Call& call) {
  if (call.route.endpoint == Endpoint::list_peers) return call.respond(json_response(200, nodes_view(call.backend)));
  if (const auto done = look_up(call); !done) call.respond(problem(done.error()));
}

}  // namespace ekiden::api
