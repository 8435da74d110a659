// /v1/contact-requests and /v1/blocked: strangers whose messages wait for a word of the owner.
#include <utility>

#include "api/contact_entry.hpp"
#include "api/handlers.hpp"
#include "api/views.hpp"

namespace ekiden::api {
namespace {

Response list_requests(const Call& call) {
  auto list = Json::array();
  for (const auto& stranger : call.backend.contact_requests()) {
    list.push_back(contact_request_view(stranger, call.backend.contacts()));
  }
  return json_response(200, {{"requests", std::move(list)}});
}

Response list_blocked(const Call& call) {
  auto list = Json::array();
  for (const auto& blocked : call.backend.blocked()) list.push_back(blocked_view(blocked, call.backend.contacts()));
  return json_response(200, {{"blocked", std::move(list)}});
}

Status accept(const Call& call) {
  EKIDEN_ASSIGN(const auto peer, resolve_peer(call.backend.contacts(), call.route.name));
  EKIDEN_ASSIGN(const auto json, parse_json(call.body));
  const auto* known = call.backend.contacts().find(peer);
  EKIDEN_ASSIGN(auto contact, read_acceptance(peer, known, json));
  if (known == nullptr) contact.added_at = call.backend.now().wall;
  const auto answer = json_response(known == nullptr ? 201 : 200, contact_view(contact));
  call.backend.put_contact(std::move(contact), /*replace=*/true, [respond = call.respond, answer](const Status& done) {
    respond(done ? answer : problem(done.error()));
  });
  return {};
}

Status set_blocked(const Call& call, bool blocked) {
  EKIDEN_ASSIGN(const auto peer, resolve_peer(call.backend.contacts(), call.route.name));
  call.backend.block(peer, blocked, [respond = call.respond](const Status& done) {
    Response answer;
    answer.status = 204;
    respond(done ? answer : problem(done.error()));
  });
  return {};
}

Status dispatch(const Call& call) {
  switch (call.route.endpoint) {
    case Endpoint::accept_contact:
      return accept(call);
    case Endpoint::block_peer:
      return set_blocked(call, true);
    case Endpoint::unblock_peer:
      return set_blocked(call, false);
    case Endpoint::list_blocked:
      call.respond(list_blocked(call));
      return {};
    default:
      call.respond(list_requests(call));
      return {};
  }
}

}  // namespace

void handle_first_contact(const Call& call) {
  if (const auto done = dispatch(call); !done) call.respond(problem(done.error()));
}

}  // namespace ekiden::api
