// /v1/messages: sending, and what became of what was sent.
#include <optional>
#include <utility>

#include "api/draft_entry.hpp"
#include "api/handlers.hpp"
#include "api/views.hpp"
#include "base/encoding.hpp"

namespace ekiden::api {
namespace {

Response accepted(const router::MessageId& id, const Json& json) {
  auto answer = json_response(202, json);
  answer.fields.emplace_back("Location", "/v1/messages/" + id.text());
  return answer;
}

/// To whoever offers the capability; the answer says who was chosen.
void place_message(const Call& call, Entry entry) {
  call.backend.place(std::move(entry.draft), std::move(entry.capability),
                     [respond = call.respond, &backend = call.backend](const Result<router::Placement>& placed) {
                       if (!placed) return respond(submit_problem(placed.error()));
                       respond(accepted(placed->id, placement_view(*placed, backend.contacts())));
                     });
}

Status send_message(const Call& call) {
  EKIDEN_ASSIGN(const auto json, parse_json(call.body));
  EKIDEN_ASSIGN(auto entry, read_draft(json, call.backend.contacts()));
  if (!entry.capability.empty()) {
    place_message(call, std::move(entry));
    return {};
  }
  const auto to = entry.draft.to;
  call.backend.send(std::move(entry.draft), [respond = call.respond, to](const Result<router::MessageId>& id) {
    if (!id) return respond(submit_problem(id.error()));
    respond(accepted(*id, {{"id", id->text()}, {"to", to.text()}}));
  });
  return {};
}

Result<router::Trace> named_trace(const Call& call) {
  const auto id = Uuid::parse(call.route.name);
  if (!id) return fail(Errc::invalid_argument, "'" + call.route.name + "' is not the id of a message");
  auto trace = call.backend.trace(*id);
  if (!trace) return fail(Errc::not_found, "no message with the id " + id->text() + " is known here any more");
  return std::move(*trace);
}

/// Its id is the hash of it, so whoever has it can check that it is the right one.
std::optional<crypto::Ed25519PublicKey> key_of(const Backend& backend, const identity::PeerId& peer) {
  if (const auto record = backend.peer_record(peer)) return record->record.public_key;
  const identity::Contact* contact = backend.contacts().find(peer);
  return contact != nullptr ? contact->public_key : std::nullopt;
}

Status show_trace(const Call& call) {
  EKIDEN_ASSIGN(const auto trace, named_trace(call));
  Json json = trace_view(trace, call.backend.contacts(), /*with_story=*/true);
  if (const auto key = key_of(call.backend, trace.peer); key && !trace.receipt.empty()) {
    json["receipt_key"] = to_hex(key->view());
  }
  call.respond(json_response(200, json));
  return {};
}

Status retry_message(const Call& call) {
  EKIDEN_ASSIGN(const auto trace, named_trace(call));
  if (!trace.outgoing) return fail(Errc::invalid_argument, "that message came in; only outgoing ones are tried again");
  call.backend.retry_now(trace.peer, [respond = call.respond, id = trace.id](const Status& done) {
    respond(done ? json_response(202, {{"id", id.text()}}) : problem(done.error()));
  });
  return {};
}

Result<router::OutgoingFilter> outgoing_filter(const Call& call) {
  router::OutgoingFilter filter;
  if (const auto* to = call.target.parameter("to")) {
    EKIDEN_ASSIGN(filter.to, resolve_peer(call.backend.contacts(), *to));
  }
  if (const auto* type = call.target.parameter("type")) filter.type = *type;
  if (const auto* state = call.target.parameter("state")) {
    EKIDEN_ASSIGN(filter.state, parse_state(*state));
  }
  EKIDEN_ASSIGN(filter.since, time_parameter(call.target, "since"));
  return filter;
}

Status list_messages(const Call& call) {
  EKIDEN_ASSIGN(const auto limit, number_parameter(call.target, "limit", 64, kMaxPage));
  EKIDEN_ASSIGN(const auto filter, outgoing_filter(call));
  auto list = Json::array();
  for (const auto& trace : call.backend.outgoing(limit, filter)) {
    list.push_back(trace_view(trace, call.backend.contacts(), /*with_story=*/false));
  }
  call.respond(json_response(200, {{"messages", std::move(list)}}));
  return {};
}

Status serve_messages(const Call& call) {
  switch (call.route.endpoint) {
    case Endpoint::send_message:
      return send_message(call);
    case Endpoint::trace_message:
      return show_trace(call);
    case Endpoint::retry_message:
      return retry_message(call);
    default:
      return list_messages(call);
  }
}

}  // namespace

void handle_messages(const Call& call) {
  if (const auto done = serve_messages(call); !done) call.respond(problem(done.error()));
}

}  // namespace ekiden::api
