// explain: whether a peer can be reached, step by step: what is known of it, where its record is, what each of its
// addresses answers; and what to do about the first step that fails.
#include <algorithm>
#include <chrono>
#include <utility>

#include "api/http_target.hpp"
#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"
#include "runtime/utc_text.hpp"

namespace ekiden::cli {
namespace {

constexpr std::size_t kMaxAddresses = 16;

bool is_udp(const std::string& endpoint) { return endpoint.starts_with("udp://"); }

/// What is known, gathered as an object that --json shows as it is.
class Explanation {
 public:
  Explanation(api::Client& client, api::Json known) : client_(client), json_(std::move(known)) {}

  Status look_up();
  Status try_addresses();
  void judge();

  const api::Json& json() const { return json_; }
  bool is_reachable() const { return flag_of(json_, "reachable"); }

 private:
  Status try_address(const std::string& endpoint, const char* from);
  void add_age();
  std::string advice() const;
  bool has_record() const { return json_.contains("record"); }

  api::Client& client_;
  api::Json json_;
};

/// The DHT may know a newer record than we hold.
Status Explanation::look_up() {
  EKIDEN_ASSIGN(auto lookup, client_.post("/v1/lookups", {{"peer", text_of(json_, "peer")}}));
  if (has_record()) json_["record"]["where"] = "held by this node";
  const auto found = part_of(lookup, "record");
  const bool is_news = flag_of(lookup, "found") &&
                       (!has_record() || number_of(found, "sequence") > number_of(json_["record"], "sequence"));
  if (is_news) {
    json_["record"] = found;
    json_["record"]["where"] = "found in the network";
  }
  json_["lookup"] = std::move(lookup);
  return {};
}

Status Explanation::try_addresses() {
  json_["addresses"] = api::Json::array();
  for (const auto& endpoint : part_of(json_, "endpoints")) {
    if (endpoint.is_string()) EKIDEN_TRY(try_address(endpoint.get<std::string>(), "owner"));
  }
  for (const auto& endpoint : part_of(json_, "lan")) {
    if (endpoint.is_string()) EKIDEN_TRY(try_address(endpoint.get<std::string>(), "lan"));
  }
  for (const auto& endpoint : part_of(part_of(json_, "record"), "endpoints")) {
    if (endpoint.is_string()) EKIDEN_TRY(try_address(endpoint.get<std::string>(), "record"));
  }
  return {};
}

Status Explanation::try_address(const std::string& endpoint, const char* from) {
  auto& addresses = json_["addresses"];
  const auto is_same = [&](const api::Json& tried) { return text_of(tried, "endpoint") == endpoint; };
  if (addresses.size() >= kMaxAddresses || std::ranges::any_of(addresses, is_same)) return {};
  auto probed = client_.post("/v1/probes", {{"peer", text_of(json_, "peer")}, {"endpoint", endpoint}, {"from", from}});
  api::Json tried = {{"endpoint", endpoint}, {"from", from}, {"reachable", false}};
  if (probed) {
    for (const char* key : {"reachable", "round_trip_us", "address", "version", "problem"}) {
      if (probed->contains(key)) tried[key] = (*probed)[key];
    }
    if (!has_record() && probed->contains("record")) {
      json_["record"] = (*probed)["record"];
      json_["record"]["where"] = "shown in the handshake";
    }
  } else if (probed.error().code == Errc::closed) {
    return std::unexpected(std::move(probed).error());
  } else {
    // An address of a kind that this build does not know, for one.
    tried["problem"] = {{"code", errc_name(probed.error().code)}, {"detail", probed.error().message}};
  }
  addresses.push_back(std::move(tried));
  return {};
}

/// How old the record is by the clock of this machine, which is not that of the owner.
void Explanation::add_age() {
  if (!has_record()) return;
  const auto issued = runtime::parse_utc(text_of(json_["record"], "issued"));
  if (!issued) return;
  const WallTime now(std::chrono::floor<milliseconds>(std::chrono::system_clock::now().time_since_epoch()));
  json_["record"]["age_ms"] = std::max<std::int64_t>(0, (now - *issued).count());
}

void Explanation::judge() {
  add_age();
  const auto addresses = part_of(json_, "addresses");
  const bool answers = std::ranges::any_of(addresses, [](const api::Json& tried) {
    return flag_of(tried, "reachable") && !is_udp(text_of(tried, "endpoint"));
  });
  json_["reachable"] = answers || flag_of(json_, "linked");
  json_["advice"] = advice();
}

std::string Explanation::advice() const {
  if (flag_of(json_, "self")) return "this is the running node itself";
  const auto addresses = part_of(json_, "addresses");
  if (is_reachable()) return "messages to it leave at once";
  const auto code = text_of(part_of(part_of(json_, "lookup"), "problem"), "code");
  if (addresses.empty() && !has_record()) {
    if (code == "unsupported") {
      return "this node does not search: let it listen on udp:// (listen under [network] in ekiden.toml), or name an "
             "address with `ekiden contact add NAME ID --endpoint tcp://HOST:PORT`";
    }
    if (code == "unreachable") {
      return "this node knows nobody to ask: see `ekiden bootstrap discover` and `ekiden bootstrap check`";
    }
    return "nobody has a record of it: it has never joined this network, or not for a week; ask its owner whether it "
           "runs, and for its address";
  }
  if (addresses.empty()) {
    const std::string why =
        "its record names no address: it was stopped, or no peer could reach it yet, for it is behind a NAT or has "
        "just started (`ekiden status` there says which addresses were tried); ";
    if (!part_of(part_of(json_, "record"), "mailboxes").empty()) {
      return why + "messages are left with the mailboxes that its record names, where it collects them";
    }
    return why + "a message waits here until it comes to this node by itself";
  }
  const bool udp_answers =
      std::ranges::any_of(addresses, [](const auto& tried) { return flag_of(tried, "reachable"); });
  if (udp_answers) {
    return "it runs, and answers over UDP, but no link can be made: its TCP port is closed or not forwarded";
  }
  const bool all_refused = std::ranges::all_of(
      addresses, [](const auto& tried) { return text_of(part_of(tried, "problem"), "code") == "refused"; });
  if (all_refused) {
    return "none of its addresses may be dialled from here: name one that is yours to use with `ekiden contact add "
           "NAME "
           "ID --endpoint tcp://HOST:PORT`";
  }
  return "none of its addresses answers as this peer: ask its owner whether it runs and where; messages wait meanwhile";
}

// What people see. ----------------------------------------------------------------------------------------------------

void print_found_record(Output& output, const api::Json& json) {
  if (!json.contains("record")) {
    output.field("record", "none: " + output.text(text_of(part_of(part_of(json, "lookup"), "problem"), "detail")));
    return;
  }
  const auto record = part_of(json, "record");
  output.field("record", text_of(record, "where") + ", sequence " + std::to_string(number_of(record, "sequence")));
  std::string issued = text_of(record, "issued");
  if (record.contains("age_ms")) {
    issued += ", " + human_duration(milliseconds(number_of(record, "age_ms"))) + " ago";
  }
  output.field("issued", issued + ", expires " + text_of(record, "expires"));
  print_mailboxes(output, record);
}

void print_lookup(Output& output, const api::Json& lookup) {
  const auto problem = part_of(lookup, "problem");
  std::size_t had = 0;
  std::string who;
  for (const auto& step : part_of(lookup, "steps")) {
    if (!flag_of(step, "had_value")) continue;
    if (++had <= 3) who += (who.empty() ? ": " : ", ") + output.text(peer_of(step, "peer", "name"));
  }
  std::string line = std::to_string(number_of(lookup, "asked")) + " asked, " +
                     std::to_string(number_of(lookup, "answered")) + " answered, " + std::to_string(had) +
                     " had the record" + who;
  if (text_of(problem, "code") == "unsupported") line = output.text(text_of(problem, "detail"));
  output.field("search", line);
}

std::string source_text(const std::string& from) {
  if (from == "owner") return "contact";
  return from == "lan" ? "local network" : from;
}

void print_addresses(Output& output, const api::Json& addresses) {
  std::vector<std::vector<std::string>> rows = {{"  ADDRESS", "FROM", "RESULT"}};
  for (const auto& tried : addresses) {
    std::string result;
    if (flag_of(tried, "reachable")) {
      result = "answers, round trip " + human_duration(microseconds(number_of(tried, "round_trip_us")));
    } else {
      result =
          "FAILED: " + output.text(reason_at(text_of(tried, "endpoint"), text_of(part_of(tried, "problem"), "detail")));
    }
    rows.push_back({"  " + output.text(text_of(tried, "endpoint")), source_text(text_of(tried, "from")), result});
  }
  if (rows.size() > 1) output.table(rows);
}

void print_explanation(Output& output, const api::Json& json) {
  output.field("peer", text_of(json, "peer"));
  const auto name = text_of(json, "name");
  output.field("contact", name.empty() ? "no" : output.text(name));
  output.field("link", flag_of(json, "linked") ? "up" : "none");
  if (!flag_of(json, "self")) {
    print_found_record(output, json);
    print_lookup(output, part_of(json, "lookup"));
    print_addresses(output, part_of(json, "addresses"));
  }
  if (flag_of(json, "self")) return output.field("verdict", text_of(json, "advice"));
  output.field("verdict",
               std::string(flag_of(json, "reachable") ? "reachable: " : "NOT reachable: ") + text_of(json, "advice"));
}

}  // namespace

Status run_explain(const Context& context, const std::string& peer) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(auto known, client.get("/v1/peers/" + api::escape_segment(peer)));
  Explanation explanation(client, std::move(known));
  if (!flag_of(explanation.json(), "self")) {
    EKIDEN_TRY(explanation.look_up());
    EKIDEN_TRY(explanation.try_addresses());
  }
  explanation.judge();
  const api::Json& json = explanation.json();
  if (context.output.json()) {
    context.output.object(json);
  } else {
    print_explanation(context.output, json);
  }
  if (explanation.is_reachable() || flag_of(json, "self")) return {};
  return fail(Errc::unreachable, text_of(json, "peer") + " cannot be reached now");
}

}  // namespace ekiden::cli
