// bootstrap discover: what the running node has found, and through whom.
#include <algorithm>
#include <chrono>
#include <utility>

#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

constexpr Duration kLookAgain = milliseconds(500);

/// Each was tried at least once, and none is being tried.
bool is_settled(const api::Json& answer) {
  const auto nodes = part_of(answer, "nodes");
  return !nodes.empty() && std::ranges::all_of(nodes, [](const api::Json& node) {
    return !flag_of(node, "probing") && (flag_of(node, "up") || number_of(node, "failures") > 0);
  });
}

std::string state_of(const api::Json& node) {
  if (flag_of(node, "up")) return "up";
  if (flag_of(node, "probing")) return "trying";
  if (number_of(node, "failures") == 0) return node.contains("last_reached") ? "remembered" : "not tried yet";
  return "failed " + counted(number_of(node, "failures"), "time") + ": " + text_of(node, "last_error");
}

/// Who named it: a place of the configuration, or the node whose list it stood in.
std::string teller_of(const api::Json& node) {
  const auto source = text_of(node, "source");
  const auto signer = text_of(node, "signer");
  if (source.empty()) return signer.empty() ? "an earlier run" : "list of " + signer;
  return signer.empty() ? source : source + ", list of " + signer;
}

void print(Output& output, const api::Json& answer) {
  std::vector<std::vector<std::string>> rows = {{"ID", "DEPTH", "SCORE", "LATENCY", "FROM", "STATE"}};
  for (const auto& node : part_of(answer, "nodes")) {
    const auto latency = number_of(node, "latency_us");
    rows.push_back({output.text(peer_of(node, "peer", "name")), std::to_string(number_of(node, "depth")),
                    std::to_string(number_of(node, "score")),
                    latency == 0 ? "-" : human_duration(microseconds(latency)), output.text(teller_of(node)),
                    output.text(state_of(node))});
  }
  output.table(rows);
}

/// By itself a node tries only as many as it needs, and the rest later: here somebody wants to know now. A node that
/// was reached is a peer that has come; failures make no event, so it looks again in any case.
Result<api::Json> wait_until_settled(api::Client& client, Duration limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  EKIDEN_ASSIGN(auto events, client.events("peer"));
  for (;;) {
    EKIDEN_ASSIGN(auto answer, client.get("/v1/bootstrap"));
    const auto left = std::chrono::duration_cast<Duration>(end - std::chrono::steady_clock::now());
    if (!flag_of(answer, "discovery") || is_settled(answer) || left <= Duration(0)) return answer;
    EKIDEN_TRY(client.post("/v1/bootstrap/probe"));
    const auto event = events.next(std::min<Duration>(left, kLookAgain));
    if (!event && event.error().code != Errc::timed_out) return std::unexpected(event.error());
  }
}

}  // namespace

Status run_bootstrap_discover(const Context& context, const BootstrapArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  auto got = arguments.wait ? wait_until_settled(client, *arguments.wait) : client.get("/v1/bootstrap");
  EKIDEN_ASSIGN(const auto answer, std::move(got));
  if (context.output.json()) {
    context.output.object(answer);
  } else if (part_of(answer, "nodes").empty()) {
    context.output.note(flag_of(answer, "discovery") ? "no node is known: see `ekiden bootstrap list`"
                                                     : "discovery is off: this node listens on no udp:// endpoint");
  } else {
    print(context.output, answer);
  }
  return {};
}

}  // namespace ekiden::cli
