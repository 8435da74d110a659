// partition: whether the network is whole, and what it was before.
#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

std::string ms_text(const api::Json& json, const char* key) {
  return human_duration(milliseconds(static_cast<std::int64_t>(number_of(json, key))));
}

/// "members-silent" reads as it is meant.
std::string words(std::string name) {
  for (char& letter : name) {
    if (letter == '-') letter = ' ';
  }
  return name == "none" ? std::string() : name;
}

std::string what_was_healed(const api::Json& change) {
  const auto healed = part_of(change, "healed");
  if (!healed.is_object()) return words(text_of(change, "reason"));
  return std::to_string(number_of(healed, "back")) + " of " + counted(number_of(healed, "away"), "peer") +
         " came back, split for " + ms_text(healed, "split_for_ms") + ", healed in " + ms_text(healed, "took_ms") +
         ", merged " + std::to_string(number_of(healed, "merged")) + " with " +
         counted(number_of(healed, "conflicts"), "conflict");
}

Result<api::Json> ask_node(const Context& context) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(auto answer, client.get("/v1/partition"));
  if (!flag_of(answer, "watched")) {
    return fail(Errc::unsupported,
                "this node does not watch over the network: `watch = \"on\"` under [partition] in ekiden.toml");
  }
  return answer;
}

}  // namespace

Status run_partition_status(const Context& context) {
  EKIDEN_ASSIGN(auto answer, ask_node(context));
  if (context.output.json()) {
    answer.erase("history");
    context.output.object(answer);
    return {};
  }
  std::string line = text_of(answer, "state") + " since " + text_of(answer, "since");
  if (const std::string reason = words(text_of(answer, "reason")); !reason.empty()) line += " (" + reason + ")";
  context.output.line(line);
  context.output.line(counted(number_of(answer, "here"), "peer") + " on this side, this node included; " +
                      std::to_string(number_of(answer, "neighbours_well")) + " of " +
                      counted(number_of(answer, "neighbours"), "neighbour") + " answer");
  const auto away = number_of(answer, "away");
  if (away == 0) return {};
  const auto listed = part_of(answer, "other_side");
  context.output.line(counted(away, "peer") + " on the other side:");
  for (const auto& peer : listed) context.output.line("  " + context.output.text(peer_of(peer, "peer", "name")));
  if (away > listed.size()) context.output.line("  and " + std::to_string(away - listed.size()) + " more");
  return {};
}

Status run_partition_history(const Context& context) {
  EKIDEN_ASSIGN(const auto answer, ask_node(context));
  std::vector<std::vector<std::string>> rows = {{"SINCE", "STATE", "HERE", "AWAY", "WHAT"}};
  for (const auto& change : part_of(answer, "history")) {
    if (context.output.json()) {
      context.output.object(change);
      continue;
    }
    rows.push_back({text_of(change, "since"), text_of(change, "state"), std::to_string(number_of(change, "here")),
                    std::to_string(number_of(change, "away")), what_was_healed(change)});
  }
  if (!context.output.json()) context.output.table(rows);
  return {};
}

void CommandLine::declare_partition() {
  auto* partition = declare(app_, "partition", "Whether the network is whole, and who is on the other side if not",
                            "  ekiden partition status\n"
                            "  ekiden partition history\n");
  partition->require_subcommand(1);
  auto* status =
      declare(*partition, "status", "Whole, suspected, split or healing; since when; who is out of reach",
              "  ekiden partition status\n"
              "  ekiden partition status --json | jq -r .state\n"
              "\n"
              "Of the other side at most 64 are listed. A node knows whom it has heard in the last minutes.\n");
  status->callback([this] { action = run_partition_status; });
  auto* history = declare(*partition, "history", "What it was before: the last 64 changes since the node started",
                          "  ekiden partition history\n"
                          "  ekiden partition history --json    one object a line\n"
                          "\n"
                          "A healed split shows how long it lasted, who came back, and what was merged.\n");
  history->callback([this] { action = run_partition_history; });
}

}  // namespace ekiden::cli
