// /v1/capabilities and /v1/relay: what this node does for others.
#include <utility>

#include "api/handlers.hpp"
#include "api/views.hpp"

namespace ekiden::api {
namespace {

Backend::Done answer_without_body(const Call& call) {
  return [respond = call.respond](const Status& done) {
    Response answer;
    answer.status = 204;
    respond(done ? answer : problem(done.error()));
  };
}

}  // namespace

void handle_capabilities(const Call& call) {
  if (call.route.endpoint == Endpoint::offer_capability) {
    call.backend.offer_capability(call.route.name, answer_without_body(call));
  } else if (call.route.endpoint == Endpoint::withdraw_capability) {
    call.backend.withdraw_capability(call.route.name, answer_without_body(call));
  } else if (call.route.endpoint == Endpoint::switch_relay_on || call.route.endpoint == Endpoint::switch_relay_off) {
    call.backend.switch_relay(call.route.endpoint == Endpoint::switch_relay_on, answer_without_body(call));
  } else {
    call.respond(json_response(200, offers_view(call.backend)));
  }
}

}  // namespace ekiden::api
