// lookup and peers: finding others, and whom this node knows.
#include <algorithm>
#include <utility>

#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

constexpr const char* kNear = "on the local network";

void print_record(Output& output, const api::Json& record) {
  output.field("issued", text_of(record, "issued"));
  output.field("expires", text_of(record, "expires"));
  for (const auto& endpoint : part_of(record, "endpoints")) {
    if (endpoint.is_string()) output.field("endpoint", output.text(endpoint.get<std::string>()));
  }
  for (const auto& capability : part_of(record, "capabilities")) {
    if (capability.is_string()) output.field("capability", output.text(capability.get<std::string>()));
  }
}

void print_steps(Output& output, const api::Json& lookup) {
  output.field("asked", std::to_string(number_of(lookup, "asked")) + " nodes in " +
                            human_duration(microseconds(number_of(lookup, "took_us"))) + ", " +
                            std::to_string(number_of(lookup, "answered")) + " answered");
  std::vector<std::vector<std::string>> rows;
  for (const auto& step : part_of(lookup, "steps")) {
    auto outcome = text_of(step, "outcome");
    if (step.contains("took_us")) outcome += " in " + human_duration(microseconds(number_of(step, "took_us")));
    rows.push_back({"  " + output.text(peer_of(step, "peer", "name")), text_of(step, "at"), outcome,
                    flag_of(step, "had_value") ? "has the record" : ""});
  }
  output.table(rows);
}

}  // namespace

Status run_lookup(const Context& context, const std::string& peer) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto lookup, client.post("/v1/lookups", {{"peer", peer}}));
  const bool found = flag_of(lookup, "found");
  if (context.output.json()) {
    context.output.object(lookup);
  } else {
    context.output.field("peer", text_of(lookup, "peer"));
    if (found) print_record(context.output, part_of(lookup, "record"));
    print_steps(context.output, lookup);
  }
  if (found) return {};
  const Error problem = problem_of(lookup);
  return fail(problem.code, context.output.text(problem.message));
}

Status run_peers(const Context& context) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto answer, client.get("/v1/peers"));
  if (context.output.json()) {
    context.output.object(answer);
    return {};
  }
  const auto nodes = part_of(answer, "nodes");
  const auto neighbours = part_of(answer, "lan");
  if (nodes.empty() && neighbours.empty()) {
    context.output.note(
        flag_of(answer, "discovery")
            ? "no node of the network is known yet: name one with `ekiden up --bootstrap ID@ENDPOINT`; "
              "where all addresses are private, as on a single machine, set private_network = \"on\" in "
              "ekiden.toml"
            : "discovery is off: this node listens on no udp:// endpoint");
    return {};
  }
  const auto is_same = [](const api::Json& one, const api::Json& other) {
    return text_of(one, "peer") == text_of(other, "peer");
  };
  std::vector<std::vector<std::string>> rows = {{"PEER", "AT", ""}};
  for (const auto& node : nodes) {
    const bool is_near = std::ranges::any_of(neighbours, [&](const auto& one) { return is_same(one, node); });
    rows.push_back({context.output.text(peer_of(node, "peer", "name")), text_of(node, "at"), is_near ? kNear : ""});
  }
  for (const auto& neighbour : neighbours) {
    const bool is_listed = std::ranges::any_of(nodes, [&](const auto& one) { return is_same(one, neighbour); });
    const auto endpoints = part_of(neighbour, "endpoints");
    if (is_listed || endpoints.empty() || !endpoints.back().is_string()) continue;
    rows.push_back(
        {context.output.text(peer_of(neighbour, "peer", "name")), endpoints.back().get<std::string>(), kNear});
  }
  context.output.table(rows);
  return {};
}

}  // namespace ekiden::cli
