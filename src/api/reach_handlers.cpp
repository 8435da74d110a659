// /v1/peers/{}, /v1/probes and /v1/bootstrap: how a peer can be reached, and through whom this node joins.
#include <utility>

#include "api/handlers.hpp"
#include "api/views.hpp"

namespace ekiden::api {
namespace {

constexpr std::string_view kForm =
    "a probe is {\"peer\": petname or id, \"endpoint\": \"tcp://host:port\", \"from\": \"owner\", \"lan\" or "
    "\"record\"}; "
    "\"from\" may be left out";

Result<std::string> text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return fail(Errc::invalid_argument, std::string(kForm));
  return found->get<std::string>();
}

/// Who names the endpoint decides whether it may be private: the caller of this API, a peer on the local
/// network, or the record of a stranger.
Result<identity::LearnedFrom> source_of(const Json& json) {
  if (!json.contains("from")) return identity::LearnedFrom::configuration;
  EKIDEN_ASSIGN(const auto from, text_of(json, "from"));
  if (from == "owner") return identity::LearnedFrom::configuration;
  if (from == "lan") return identity::LearnedFrom::lan;
  if (from == "record") return identity::LearnedFrom::remote_record;
  return fail(Errc::invalid_argument, std::string(kForm));
}

Status probe(const Call& call) {
  EKIDEN_ASSIGN(const auto json, parse_json(call.body));
  if (!json.is_object() || json.size() != 2 + json.count("from"))
    return fail(Errc::invalid_argument, std::string(kForm));
  EKIDEN_ASSIGN(const auto named, text_of(json, "peer"));
  EKIDEN_ASSIGN(const auto endpoint_text, text_of(json, "endpoint"));
  EKIDEN_ASSIGN(const auto source, source_of(json));
  EKIDEN_ASSIGN(const auto peer, resolve_peer(call.backend.contacts(), named));
  EKIDEN_ASSIGN(auto endpoint, identity::Endpoint::parse(endpoint_text));
  call.backend.probe_peer(
      {.request = {}, .peer = peer, .public_key = {}, .endpoint = std::move(endpoint), .learned_from = source},
      [respond = call.respond, &backend = call.backend](const node::PeerProbed& probed) {
        respond(json_response(200, probe_view(probed, backend.contacts())));
      });
  return {};
}

}  // namespace

void handle_reach(const Call& call) {
  if (call.route.endpoint == Endpoint::bootstrap) {
    return call.respond(json_response(200, bootstrap_view(call.backend)));
  }
  if (call.route.endpoint == Endpoint::probe_bootstrap) {
    return call.backend.probe_bootstrap([respond = call.respond](const Status& done) {
      respond(done ? json_response(202, Json::object()) : problem(done.error()));
    });
  }
  if (call.route.endpoint == Endpoint::show_peer) {
    const auto peer = resolve_peer(call.backend.contacts(), call.route.name);
    return call.respond(peer ? json_response(200, peer_view(call.backend, *peer)) : problem(peer.error()));
  }
  if (const auto done = probe(call); !done) call.respond(problem(done.error()));
}

}  // namespace ekiden::api
