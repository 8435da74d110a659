// trace and status: looking at what the node knows.
#include <utility>

#include "api/http_target.hpp"
#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

std::string named_peer(const Output& output, const api::Json& json) {
  const auto name = text_of(json, "name");
  return name.empty() ? text_of(json, "peer") : output.text(name) + " (" + text_of(json, "peer") + ")";
}

void print_trace(Output& output, const api::Json& trace) {
  output.field("message", text_of(trace, "id"));
  output.field(text_of(trace, "direction") == "in" ? "from" : "to", named_peer(output, trace));
  const auto delivered = text_of(trace, "delivered");
  output.field("state", text_of(trace, "state") + (delivered.empty() ? "" : " " + delivered));
  output.field("kind", text_of(trace, "class") + ", " + text_of(trace, "priority") + " priority, " +
                           human_size(number_of(trace, "size")));
  output.field("accepted", text_of(trace, "accepted"));
  output.field("expires", text_of(trace, "expires"));
  output.field("attempts", std::to_string(number_of(trace, "attempts")));
  for (const auto& stored : part_of(trace, "stored")) {
    output.field("mailbox", output.text(peer_of(stored, "by", "name")) + " until " + text_of(stored, "until"));
  }
  if (trace.contains("relay")) output.field("relay", output.text(peer_of(trace, "relay", "relay_name")));
  for (const auto& hop : part_of(trace, "path")) {
    output.field("hop", output.text(peer_of(hop, "by", "name")) + " at " + text_of(hop, "at") + ", signed " +
                            text_of(hop, "signature").substr(0, 16) + "...");
  }
  if (trace.contains("receipt_base64")) output.field("receipt", "signed by the recipient (--json shows it)");
  output.line("story");
  for (const auto& step : part_of(trace, "steps")) {
    output.line("  " + text_of(step, "at") + "  " + output.text(text_of(step, "what")));
  }
}

Status list_traces(const Context& context, const OutboxArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  std::string path = "/v1/messages?limit=" + std::to_string(arguments.limit);
  const auto add = [&path](const char* name, const std::string& value) {
    if (!value.empty()) path += std::string("&") + name + "=" + api::escape_segment(value);
  };
  add("to", arguments.to);
  add("type", arguments.type);
  add("state", arguments.state);
  add("since", arguments.since);
  EKIDEN_ASSIGN(const auto answer, client.get(path));
  const auto list = part_of(answer, "messages");
  if (context.output.json()) {
    for (const auto& trace : list) context.output.object(trace);
    return {};
  }
  if (list.empty()) {
    context.output.note("no such messages were sent");
    return {};
  }
  std::vector<std::vector<std::string>> rows = {{"MESSAGE", "TO", "STATE", "ACCEPTED", "SIZE"}};
  for (const auto& trace : list) {
    rows.push_back({text_of(trace, "id"), context.output.text(peer_of(trace, "peer", "name")), text_of(trace, "state"),
                    text_of(trace, "accepted"), human_size(number_of(trace, "size"))});
  }
  context.output.table(rows);
  return {};
}

std::string queue_text(const api::Json& queue) {
  auto text = counted(number_of(queue, "messages"), "message") + ", " + human_size(number_of(queue, "bytes"));
  if (queue.contains("in_flight")) text += ", " + std::to_string(number_of(queue, "in_flight")) + " in flight";
  return text;
}

void print_links(Output& output, const api::Json& status) {
  output.field("links", std::to_string(number_of(status, "links_total")));
  std::vector<std::vector<std::string>> rows;
  for (const auto& link : part_of(status, "links")) {
    auto trip = std::string();
    if (link.contains("round_trip_us")) {
      trip = "round trip " + human_duration(microseconds(number_of(link, "round_trip_us")));
    }
    rows.push_back({"  " + output.text(peer_of(link, "peer", "name")), text_of(link, "direction"),
                    text_of(link, "remote"), "up " + human_duration(milliseconds(number_of(link, "age_ms"))), trip});
  }
  output.table(rows);
}

/// Where others can reach this node, or why they cannot.
void print_endpoints(Output& output, const api::Json& status) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& endpoint : part_of(status, "endpoints")) {
    auto why = text_of(endpoint, "why");
    if (!why.empty() && endpoint.contains("said_by")) why += " (says " + text_of(endpoint, "said_by") + ")";
    rows.push_back({"  " + text_of(endpoint, "endpoint"), text_of(endpoint, "source"), text_of(endpoint, "state"),
                    output.text(why)});
  }
  output.field("endpoints", std::to_string(rows.size()));
  output.table(rows);
}

void print_status(Output& output, const api::Json& status) {
  output.field("id", text_of(status, "id"));
  output.field("running", human_duration(milliseconds(number_of(status, "uptime_ms"))) + ", version " +
                              text_of(status, "version") + (flag_of(status, "ready") ? "" : ", not ready yet"));
  output.field("data", text_of(status, "data_dir"));
  for (const auto& endpoint : part_of(status, "listening")) {
    if (endpoint.is_string()) output.field("listening", endpoint.get<std::string>());
  }
  print_endpoints(output, status);
  if (status.contains("storage_problem")) {
    output.field("STORAGE", output.text(text_of(status["storage_problem"], "detail")) + "; nothing new is accepted");
  }
  output.field("contacts", std::to_string(number_of(status, "contacts")));
  output.field("outbox", queue_text(part_of(status, "outbox")));
  output.field("inbox", queue_text(part_of(status, "inbox")));
  if (const auto strangers = number_of(part_of(status, "contact_requests"), "peers"); strangers > 0) {
    output.field("strangers", counted(strangers, "peer") + " to be accepted or blocked: `ekiden contact requests`");
  }
  output.field("questions", std::to_string(number_of(status, "questions")) + " asked, " +
                                std::to_string(number_of(status, "requests")) + " to be answered");
  const auto counters = part_of(status, "counters");
  output.field("since start", std::to_string(number_of(counters, "accepted")) + " accepted, " +
                                  std::to_string(number_of(counters, "delivered")) + " delivered, " +
                                  std::to_string(number_of(counters, "received")) + " received");
  const auto lan = part_of(part_of(status, "discovery"), "lan");
  output.field("local network", flag_of(lan, "on") ? counted(number_of(lan, "peers"), "peer") : "off");
  print_links(output, status);
  output.field("sessions", std::to_string(number_of(status, "sessions_total")));
}

}  // namespace

Status run_trace(const Context& context, const TraceArguments& arguments) {
  if (arguments.message.empty()) return list_traces(context, {.limit = arguments.limit});
  EKIDEN_ASSIGN(auto client, context.client());
  const auto path = "/v1/messages/" + api::escape_segment(arguments.message);
  if (arguments.retry) EKIDEN_TRY(client.post(path + "/retry"));
  EKIDEN_ASSIGN(const auto trace, client.get(path));
  if (context.output.json()) {
    context.output.object(trace);
  } else {
    print_trace(context.output, trace);
  }
  return {};
}

Status run_outbox(const Context& context, const OutboxArguments& arguments) { return list_traces(context, arguments); }

Status run_status(const Context& context) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto status, client.get("/v1/status"));
  if (context.output.json()) {
    context.output.object(status);
  } else {
    print_status(context.output, status);
  }
  return {};
}

}  // namespace ekiden::cli
