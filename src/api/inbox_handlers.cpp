// /v1/inbox: reading, which changes nothing, and taking, which does.
#include <utility>

#include "api/handlers.hpp"
#include "api/views.hpp"

namespace ekiden::api {
namespace {

/// What belongs to a question is not shown unless it is asked for: an application that reads its messages must not take
/// the requests of one that answers them.
Result<router::InboxFilter> inbox_filter(const Call& call) {
  router::InboxFilter filter{.messages = true, .requests = false, .replies = false};
  if (const auto* purpose = call.target.parameter("purpose")) {
    const bool all = *purpose == "all";
    filter.messages = all || *purpose == "message";
    filter.requests = all || *purpose == "request";
    filter.replies = all || *purpose == "reply";
    if (!filter.messages && !filter.requests && !filter.replies) {
      return fail(Errc::invalid_argument, "'purpose' is one of message, request, reply and all");
    }
  }
  if (const auto* from = call.target.parameter("from")) {
    EKIDEN_ASSIGN(filter.from, resolve_peer(call.backend.contacts(), *from));
  }
  if (const auto* type = call.target.parameter("type")) filter.type = *type;
  EKIDEN_ASSIGN(filter.since, time_parameter(call.target, "since"));
  return filter;
}

Status read_inbox(const Call& call) {
  EKIDEN_ASSIGN(const auto after, number_parameter(call.target, "after", 0, UINT64_MAX));
  EKIDEN_ASSIGN(const auto limit, number_parameter(call.target, "limit", 64, kMaxPage));
  EKIDEN_ASSIGN(const auto filter, inbox_filter(call));
  // One more than asked for tells whether there is more.
  call.respond(message_page(call, call.backend.inbox(after, limit + 1, filter), limit));
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

Response message_page(const Call& call, const std::vector<router::ArrivedPtr>& found, std::size_t limit) {
  auto list = Json::array();
  std::size_t bytes = 0;
  for (const auto& message : found) {
    bytes += message->body.size();
    if (list.size() == limit || (!list.empty() && bytes > kPageBytes)) break;
    list.push_back(message_view(*message, call.backend.contacts()));
  }
  const bool more = list.size() < found.size();
  return json_response(200, {{"messages", std::move(list)}, {"more", more}});
}

void handle_inbox(const Call& call) {
  const auto done = call.route.endpoint == Endpoint::take_inbox ? take_inbox(call) : read_inbox(call);
  if (!done) call.respond(problem(done.error()));
}

}  // namespace ekiden::api
