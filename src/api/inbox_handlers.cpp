// /v1/inbox: reading, which changes nothing, and taking, which does.
#include <utility>

#include "api/handlers.hpp"
#include "api/views.hpp"

namespace ekiden::api {
namespace {

Status read_inbox(const Call& call) {
  EKIDEN_ASSIGN(const auto after, number_parameter(call.target, "after", 0, UINT64_MAX));
  EKIDEN_ASSIGN(const auto limit, number_parameter(call.target, "limit", 64, kMaxPage));
  // One more than asked for tells whether there is more.
  const auto found = call.backend.inbox(after, limit + 1);
  auto list = Json::array();
  std::size_t bytes = 0;
  for (const auto& message : found) {
    bytes += message->body.size();
    if (list.size() == limit || (!list.empty() && bytes > kPageBytes)) break;
    list.push_back(message_view(*message, call.backend.contacts()));
  }
  const bool more = list.size() < found.size();
  call.respond(json_response(200, {{"messages", std::move(list)}, {"more", more}}));
  return {};
}

Status take_inbox(const Call& call) {
  EKIDEN_ASSIGN(const auto json, parse_json(call.body));
  ObjectReader reader(json);
  auto numbers = reader.numbers("numbers", kMaxTaken);
  if (!numbers) reader.refuse(Errc::invalid_argument, "'numbers' is missing: a list of numbers of the inbox");
  EKIDEN_TRY(reader.finish());
  const auto count = numbers->size();
  call.backend.take(std::move(*numbers), [respond = call.respond, count](const Status& done) {
    respond(done ? json_response(200, {{"taken", count}}) : problem(done.error()));
  });
  return {};
}

}  // namespace

void handle_inbox(const Call& call) {
  const auto done = call.route.endpoint == Endpoint::take_inbox ? take_inbox(call) : read_inbox(call);
  if (!done) call.respond(problem(done.error()));
}

}  // namespace ekiden::api
