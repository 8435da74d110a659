// /v1/topics: what this node takes part in, and publishing. Subscriptions are WebSockets (api/event_connection.hpp).
#include <utility>

#include "api/draft_entry.hpp"
#include "api/handlers.hpp"
#include "api/views.hpp"

namespace ekiden::api {
namespace {

Status publish(const Call& call) {
  EKIDEN_ASSIGN(auto realm, realm_of(call.target));
  EKIDEN_ASSIGN(const auto json, parse_json(call.body));
  EKIDEN_ASSIGN(auto payload, read_payload(json));
  call.backend.publish(
      call.route.name, std::move(realm), std::move(payload),
      [respond = call.respond, topic = call.route.name](const Result<gossip::Publication>& published) {
        if (!published) return respond(submit_problem(published.error()));
        respond(json_response(
            200, {{"topic", topic}, {"sequence", published->sequence}, {"neighbours", published->neighbours}}));
      });
  return {};
}

}  // namespace

void handle_topics(const Call& call) {
  if (call.route.endpoint == Endpoint::list_topics) return call.respond(json_response(200, topics_view(call.backend)));
  if (const auto done = publish(call); !done) call.respond(problem(done.error()));
}

}  // namespace ekiden::api
