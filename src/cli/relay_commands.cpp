// relay: whether this node hands on messages of others, and what it has handed on.
#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
Status run_relay_status(const Context& context) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto status, client.get("/v1/status"));
  const auto relay = part_of(status, "relay");
  if (context.output.json()) {
    context.output.object(relay);
    return {};
  }
  const auto counters = part_of(relay, "counters");
  context.output.field("for others", flag_of(relay, "forwards") ? "on" : "off (`ekiden relay on` switches it on)");
  context.output.field("held now", use_text(part_of(relay, "held")) + " of " + use_text(part_of(relay, "quota")));
  context.output.field("since start", std::to_string(number_of(counters, "taken")) + " taken, " +
                                          std::to_string(number_of(counters, "handed_on")) + " handed on, " +
                                          std::to_string(number_of(counters, "passed")) + " passed, " +
                                          std::to_string(number_of(counters, "refused")) + " refused, " +
                                          std::to_string(number_of(counters, "expired")) + " expired");
  context.output.field("relays", counted(number_of(relay, "relays"), "neighbour") + " that hand on for this node");
  context.output.field("routes", "to " + counted(number_of(relay, "routed_peers"), "peer"));
  return {};
}

Status run_relay_switch(const Context& context, bool on) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_TRY(on ? client.put("/v1/relay") : client.remove("/v1/relay"));
  if (context.output.json()) {
    context.output.object({{"forwards", on}});
  } else {
    context.output.line(on ? "this node hands on messages of others"
                           : "this node hands on no messages of others; what it has taken, it still delivers");
  }
  return {};
}

void CommandLine::declare_relay() {
  auto* relay = declare(app_, "relay", "Messages that pass through this node: whether it hands them on, and how many",
                        "  ekiden relay status\n"
                        "  ekiden relay off\n");
  relay->require_subcommand(1);
  auto* status = declare(*relay, "status", "What this node hands on for others",
                         "  ekiden relay status\n  ekiden relay status --json\n");
  status->callback([this] { action = run_relay_status; });
  auto* on = declare(*relay, "on", "Hand on messages of others, from now on and after restarts", "  ekiden relay on\n");
  on->callback([this] { action = [](const Context& context) { return run_relay_switch(context, true); }; });
  auto* off =
      declare(*relay, "off", "Hand on no more; what was taken before is still delivered", "  ekiden relay off\n");
  off->callback([this] { action = [](const Context& context) { return run_relay_switch(context, false); }; });
}

}  // namespace ekiden::cli
