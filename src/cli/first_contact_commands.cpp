// contact requests, accept, block, unblock: strangers whose messages wait.
#include "api/http_target.hpp"
#include "cli/body.hpp"
#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

std::string preview(const Output& output, const api::Json& request) {
  std::string text = text_of(request, "type");
  if (!text.empty()) text = "[" + output.text(text) + "] ";
  if (!request.contains("text")) return text + human_size(number_of(request, "size"));
  const auto begin = text_of(request, "text");
  return text + output.text(begin) + (begin.size() < number_of(request, "size") ? "..." : "");
}

}  // namespace

Status run_contact_requests(const Context& context) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto answer, client.get("/v1/contact-requests"));
  const auto requests = part_of(answer, "requests");
  if (context.output.json()) {
    for (const auto& request : requests) context.output.object(request);
    return {};
  }
  if (requests.empty()) {
    context.output.note("nobody waits: what strangers write shows here until you accept or block them");
    return {};
  }
  for (const auto& request : requests) {
    context.output.line(context.output.text(peer_of(request, "peer", "name")) + "  " +
                        counted(number_of(request, "messages"), "message") + ", " +
                        human_size(number_of(request, "bytes")) + ", since " + text_of(request, "first_received"));
    context.output.line("  " + preview(context.output, request));
  }
  context.output.note("`ekiden contact accept ID NAME` lets them in, `ekiden contact block ID` refuses them");
  return {};
}

Status run_contact_accept(const Context& context, const ContactArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  api::Json json = api::Json::object();
  if (!arguments.name.empty()) json["name"] = arguments.name;
  if (arguments.trusted) json["tier"] = "trusted";
  if (!arguments.endpoints.empty()) json["endpoints"] = arguments.endpoints;
  EKIDEN_ASSIGN(const auto contact,
                client.post("/v1/contact-requests/" + api::escape_segment(arguments.id) + "/accept", json));
  if (context.output.json()) context.output.object(contact);
  context.output.note("accepted " + context.output.text(text_of(contact, "name")) + " (" + text_of(contact, "id") +
                      "): what it has written is in the inbox");
  return {};
}

Status run_contact_block(const Context& context, const ContactArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_TRY(client.put("/v1/blocked/" + api::escape_segment(arguments.id)));
  if (context.output.json()) context.output.object({{"blocked", arguments.id}});
  context.output.note("blocked " + arguments.id +
                      ": what it has in the inbox is gone, and further messages are refused");
  return {};
}

Status run_contact_unblock(const Context& context, const ContactArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_TRY(client.remove("/v1/blocked/" + api::escape_segment(arguments.id)));
  if (context.output.json()) context.output.object({{"unblocked", arguments.id}});
  context.output.note("unblocked " + arguments.id);
  return {};
}

}  // namespace ekiden::cli
