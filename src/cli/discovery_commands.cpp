// lookup and peers: finding others, and whom this node knows.
#include <map>
#include <utility>

#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

/// The table of `peers`: each peer once, with all that is known of it.
class PeerTable {
 public:
  explicit PeerTable(Output& output) : output_(output) {}

  void add(const api::Json& entry, const std::string& at, const std::string& how) {
    const auto [known, is_new] = places_.try_emplace(text_of(entry, "peer"), rows_.size());
    if (is_new) {
      rows_.push_back({output_.text(peer_of(entry, "peer", "name")), output_.text(at), how});
    } else {
      rows_[known->second][2] += ", " + how;
    }
  }
  bool empty() const { return rows_.empty(); }
  void print() {
    rows_.insert(rows_.begin(), {"PEER", "AT", "KNOWN"});
    output_.table(rows_);
  }

 private:
  Output& output_;
  std::vector<std::vector<std::string>> rows_;
  std::map<std::string, std::size_t> places_;  ///< rows, by peer
};

/// "linked over wss (in, up 3 min, round trip 2.1 ms)"
std::string connection_text(const char* what, const api::Json& link) {
  auto text = what + text_of(link, "transport") + " (" + text_of(link, "direction") + ", up " +
              human_duration(milliseconds(number_of(link, "age_ms")));
  if (link.contains("round_trip_us")) {
    text += ", round trip " + human_duration(microseconds(number_of(link, "round_trip_us")));
  }
  return text + ")";
}

void print_record(Output& output, const api::Json& record) {
  output.field("issued", text_of(record, "issued"));
  output.field("expires", text_of(record, "expires"));
  for (const auto& endpoint : part_of(record, "endpoints")) {
    if (endpoint.is_string()) output.field("endpoint", output.text(endpoint.get<std::string>()));
  }
  for (const auto& capability : part_of(record, "capabilities")) {
    if (capability.is_string()) output.field("capability", output.text(capability.get<std::string>()));
  }
  print_mailboxes(output, record);
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

void print_mailboxes(Output& output, const api::Json& record) {
  for (const auto& mailbox : part_of(record, "mailboxes")) {
    if (mailbox.is_string()) output.field("mailbox", output.text(mailbox.get<std::string>()));
  }
}

std::string nobody_to_ask(bool discovery) {
  if (!discovery) return "discovery is off: this node listens on no udp:// endpoint";
  return "no node of the network is known yet: name one with `ekiden up --bootstrap ID@ENDPOINT`; where all addresses "
         "are private, as on a single machine, set private_network = \"on\" in ekiden.toml";
}

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
  PeerTable table(context.output);
  for (const auto& link : part_of(answer, "links")) {
    table.add(link, text_of(link, "remote"), connection_text("linked over ", link));
  }
  for (const auto& session : part_of(answer, "datagram_sessions")) {
    table.add(session, text_of(session, "remote"), connection_text("session over ", session));
  }
  for (const auto& node : part_of(answer, "nodes")) table.add(node, text_of(node, "at"), "in the DHT");
  for (const auto& neighbour : part_of(answer, "lan")) {
    const auto endpoints = part_of(neighbour, "endpoints");
    if (endpoints.empty() || !endpoints.back().is_string()) continue;
    table.add(neighbour, endpoints.back().get<std::string>(), "on the local network");
  }
  if (!table.empty()) table.print();
  if (part_of(answer, "nodes").empty()) context.output.note(nobody_to_ask(flag_of(answer, "discovery")));
  return {};
}

}  // namespace ekiden::cli
