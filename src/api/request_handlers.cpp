// /v1/requests: asking others, and answering them.
#include <utility>

#include "api/draft_entry.hpp"
#include "api/handlers.hpp"
#include "api/views.hpp"

namespace ekiden::api {
namespace {

/// Says whom it is about, as the owner knows it.
Error with_name(const node::Answered& answered, const identity::ContactBook& contacts) {
  Error error = answered.result.error();
  if (!answered.to) return error;
  const auto* contact = contacts.find(*answered.to);
  error.message.insert(0, (contact == nullptr ? answered.to->text() : contact->petname) + ": ");
  return error;
}

Status ask(const Call& call) {
  EKIDEN_ASSIGN(const auto json, parse_json(call.body));
  EKIDEN_ASSIGN(auto question, read_question(json, call.backend.contacts()));
  call.backend.ask(std::move(question),
                   [respond = call.respond, &backend = call.backend](const node::Answered& answered) {
                     const auto& contacts = backend.contacts();
                     if (!answered.result) return respond(submit_problem(with_name(answered, contacts)));
                     respond(json_response(200, answer_view(*answered.result, contacts)));
                   });
  return {};
}

Status list_requests(const Call& call) {
  const auto* capability = call.target.parameter("capability");
  if (capability == nullptr) return fail(Errc::invalid_argument, "the parameter 'capability' says for which requests");
  EKIDEN_ASSIGN(const auto after, number_parameter(call.target, "after", 0, UINT64_MAX));
  EKIDEN_ASSIGN(const auto limit, number_parameter(call.target, "limit", 64, kMaxPage));
  call.respond(message_page(call, call.backend.requests(*capability, after, limit + 1), limit));
  return {};
}

Status answer(const Call& call) {
  std::uint64_t number = 0;
  const std::string& name = call.route.name;
  const auto [stopped, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (failure != std::errc() || stopped != name.data() + name.size()) {
    return fail(Errc::invalid_argument, "'" + name + "' is not the number of a request in the inbox");
  }
  EKIDEN_ASSIGN(const auto json, parse_json(call.body));
  EKIDEN_ASSIGN(auto response, read_response(json));
  call.backend.answer(number, std::move(response), [respond = call.respond](const Result<router::MessageId>& id) {
    respond(id ? json_response(200, {{"id", id->text()}}) : submit_problem(id.error()));
  });
  return {};
}

Status serve_requests(const Call& call) {
  switch (call.route.endpoint) {
    case Endpoint::ask:
      return ask(call);
    case Endpoint::answer_request:
      return answer(call);
    default:
      return list_requests(call);
  }
}

}  // namespace

void handle_requests(const Call& call) {
  if (const auto done = serve_requests(call); !done) call.respond(problem(done.error()));
}

}  // namespace ekiden::api
