// find and capability: agents by what they offer, and what this one offers.
#include <chrono>
#include <map>
#include <utility>

#include "api/http_target.hpp"
#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// An answer holds a sample where many offer the same, so an owner that is missing once may still be there.
constexpr std::uint32_t kMissesUntilGone = 3;

std::string capability_path(const std::string& capability) {
  return "/v1/capabilities/" + api::escape_segment(capability);
}

Result<api::Json> search(api::Client& client, const FindArguments& arguments) {
  return client.post("/v1/lookups", {{"capability", arguments.capability}, {"limit", arguments.limit}});
}

std::vector<std::string> row_of(Output& output, const api::Json& owner) {
  return {output.text(peer_of(owner, "peer", "name")), output.text(text_of(owner, "capability")),
          "announced " + text_of(owner, "announced"),
          text_of(owner, "expires").empty() ? "" : "until " + text_of(owner, "expires")};
}

/// Searches again and again, and tells who came and who went.
class Watch {
 public:
  Watch(const Context& context, const FindArguments& arguments) : context_(context), arguments_(arguments) {}

  Status run(api::Client& client) {
    EKIDEN_ASSIGN(auto stream, client.events("peer"));
    for (;;) {
      EKIDEN_ASSIGN(const auto found, search(client, arguments_));
      EKIDEN_TRY(compare(found));
      EKIDEN_TRY(pause(client, stream));
    }
  }

 private:
  struct Known {
    api::Json owner;
    std::uint32_t misses = 0;
  };

  Status compare(const api::Json& found) {
    for (auto& [peer, known] : known_) ++known.misses;
    for (const auto& owner : part_of(found, "owners")) {
      const auto [known, is_new] = known_.insert_or_assign(text_of(owner, "peer"), Known{owner});
      if (is_new) print("found", known->second.owner);
    }
    for (auto known = known_.begin(); known != known_.end();) {
      if (known->second.misses < kMissesUntilGone) {
        ++known;
        continue;
      }
      print("gone", known->second.owner);
      known = known_.erase(known);
    }
    // Nobody yet is what one watches for; a search that cannot work is worth a line, once.
    std::string trouble;
    if (const Error error = problem_of(found); found.contains("problem") && error.code != Errc::not_found) {
      trouble = context_.output.text(error.message);
    }
    if (trouble != trouble_ && !trouble.empty()) context_.output.note(trouble);
    trouble_ = std::move(trouble);
    return context_.output.flush();
  }

  void print(const char* kind, const api::Json& owner) {
    if (context_.output.json()) {
      auto json = owner;
      json["kind"] = kind;
      return context_.output.object(json);
    }
    std::string line = kind;
    for (const auto& cell : row_of(context_.output, owner)) line += "  " + cell;
    context_.output.line(line);
  }

  /// Until the next search is due; a node that stops meanwhile is told at once.
  Status pause(api::Client& client, api::EventStream& stream) {
    const auto due = Clock::now() + arguments_.every;
    for (auto now = Clock::now(); now < due; now = Clock::now()) {
      const auto event = stream.next(due - now);
      if (event || event.error().code == Errc::timed_out) continue;
      if (event.error().code != Errc::limit_exceeded) return std::unexpected<Error>(event.error());
      EKIDEN_ASSIGN(stream, client.events("peer"));
    }
    return {};
  }

  const Context& context_;
  const FindArguments& arguments_;
  std::map<std::string, Known> known_;
  std::string trouble_;
};

}  // namespace

Status run_find(const Context& context, const FindArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  if (arguments.watch) return Watch(context, arguments).run(client);
  EKIDEN_ASSIGN(const auto found, search(client, arguments));
  Output& output = context.output;
  if (output.json()) {
    output.object(found);
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const auto& owner : part_of(found, "owners")) rows.push_back(row_of(output, owner));
    output.table(rows);
    output.note(counted(rows.size(), "agent") + " found; " + std::to_string(number_of(found, "answered")) + " of " +
                counted(number_of(found, "asked"), "node") + " answered in " +
                human_duration(microseconds(number_of(found, "took_us"))));
  }
  if (!found.contains("problem")) return {};
  const Error problem = problem_of(found);
  return fail(problem.code, output.text(problem.message));
}

Status run_capability_add(const Context& context, const std::string& capability) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_TRY(client.put(capability_path(capability)));
  EKIDEN_ASSIGN(const auto listed, client.get("/v1/capabilities"));
  if (context.output.json()) context.output.object({{"capability", capability}, {"offered", true}});
  if (flag_of(listed, "discovery") && number_of(listed, "nodes_total") > 0) {
    context.output.note("offered: others find this node with `ekiden find " + capability + "`");
  } else {
    context.output.note("offered to neighbours alone: " + nobody_to_ask(flag_of(listed, "discovery")));
  }
  return {};
}

Status run_capability_remove(const Context& context, const std::string& capability) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_TRY(client.remove(capability_path(capability)));
  if (context.output.json()) context.output.object({{"capability", capability}, {"offered", false}});
  context.output.note("withdrawn; those who asked a moment ago may still know it, for a day at most");
  return {};
}

Status run_capability_list(const Context& context) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto listed, client.get("/v1/capabilities"));
  const auto offers = part_of(listed, "capabilities");
  if (context.output.json()) {
    for (const auto& offer : offers) context.output.object(offer);
    return {};
  }
  if (offers.empty()) {
    context.output.note("nothing is offered: `ekiden capability add translate/ja-en` would");
    return {};
  }
  std::vector<std::vector<std::string>> rows = {{"CAPABILITY", "KEPT BY", ""}};
  for (const auto& offer : offers) {
    rows.push_back({text_of(offer, "capability"), counted(number_of(offer, "holders"), "node"),
                    text_of(offer, "of") == "registry" ? "of an entry in the registry" : ""});
  }
  context.output.table(rows);
  return {};
}

}  // namespace ekiden::cli
