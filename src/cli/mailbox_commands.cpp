// mailbox: what this node keeps for others, and who keeps messages for it.
#include <utility>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

Result<api::Json> mailbox_of(const Context& context) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto status, client.get("/v1/status"));
  return part_of(status, "mailbox");
}

void print_mailbox(Output& output, const api::Json& mailbox) {
  if (flag_of(mailbox, "serves")) {
    output.field("kept for others", use_text(part_of(mailbox, "used")) + ", for " +
                                        counted(number_of(mailbox, "recipients"), "recipient"));
  } else {
    output.field("kept for others", "off (mailbox.serve in ekiden.toml)");
  }
  const auto counters = part_of(mailbox, "counters");
  output.field("since start", std::to_string(number_of(counters, "stored")) + " stored, " +
                                  std::to_string(number_of(counters, "collected")) + " collected, " +
                                  std::to_string(number_of(counters, "expired")) + " expired, " +
                                  std::to_string(number_of(counters, "refused")) + " refused, " +
                                  std::to_string(number_of(counters, "damaged")) + " damaged on the disk");
  const auto deposits = part_of(mailbox, "deposits");
  output.field("left with others", std::to_string(number_of(deposits, "placed")) + " copies since start, " +
                                       std::to_string(number_of(deposits, "pending")) + " messages wait for mailboxes");
  std::vector<std::vector<std::string>> rows;
  for (const auto& own : part_of(mailbox, "own")) {
    rows.push_back({"  " + output.text(peer_of(own, "peer", "name")), flag_of(own, "up") ? "linked" : "not there"});
  }
  output.field("own mailboxes", std::to_string(rows.size()));
  output.table(rows);
}

}  // namespace

Status run_mailbox_status(const Context& context) {
  EKIDEN_ASSIGN(const auto mailbox, mailbox_of(context));
  if (context.output.json()) {
    context.output.object(mailbox);
  } else {
    print_mailbox(context.output, mailbox);
  }
  return {};
}

Status run_mailbox_quota(const Context& context) {
  EKIDEN_ASSIGN(const auto mailbox, mailbox_of(context));
  const auto quota = part_of(mailbox, "quota");
  if (context.output.json()) {
    context.output.object({{"quota", quota},
                           {"used", part_of(mailbox, "used")},
                           {"used_by_strangers", part_of(mailbox, "used_by_strangers")}});
    return {};
  }
  const auto row = [&](const char* what, const char* limit, const api::Json& used) {
    return std::vector<std::string>{what, use_text(part_of(quota, limit)), used.is_null() ? "" : use_text(used)};
  };
  context.output.table({{"WHO", "AT MOST", "USED"},
                        row("all together", "all", part_of(mailbox, "used")),
                        row("strangers together", "strangers", part_of(mailbox, "used_by_strangers")),
                        row("one sender", "sender", {}),
                        row("for one recipient", "recipient", {}),
                        row("from one network", "network", {})});
  return {};
}

void CommandLine::declare_mailbox() {
  auto* mailbox = declare(app_, "mailbox", "Messages for those who are away: what is kept here, and where",
                          "  ekiden mailbox status\n"
                          "  ekiden mailbox quota\n");
  mailbox->require_subcommand(1);
  auto* status = declare(*mailbox, "status", "What this node keeps for others, and who keeps messages for it",
                         "  ekiden mailbox status\n  ekiden mailbox status --json\n");
  status->callback([this] { action = run_mailbox_status; });
  auto* quota = declare(*mailbox, "quota", "How much it keeps at most, and how much of that is used",
                        "  ekiden mailbox quota\n  ekiden mailbox quota --json\n"
                        "\n"
                        "The limits stand in ekiden.toml, under [mailbox].\n");
  quota->callback([this] { action = run_mailbox_quota; });
}

}  // namespace ekiden::cli
