// bootstrap check: every endpoint of every configured node is tried from this machine, with a node that lives as long
// as the command.
#include <algorithm>
#include <utility>

#include "api/temporary_node.hpp"
#include "cli/bootstrap_nodes.hpp"
#include "cli/commands.hpp"
#include "cli/text.hpp"
#include "runtime/settings.hpp"

namespace ekiden::cli {
namespace {

constexpr std::size_t kMaxParallel = 16;

struct Tried {
  const ConfiguredNode* node = nullptr;
  std::string endpoint;
  Result<node::Reachable> result = fail(Errc::closed, "not tried");
};

/// Lives on the loop of the host, until all were tried.
class Checker {
 public:
  Checker(runtime::Host& host, std::vector<Tried>& all) : host_(host), all_(all) {}

  void pump() {
    while (next_ < all_.size() && running_ < kMaxParallel) begin(all_[next_++]);
    if (running_ == 0) host_.stop();
  }

 private:
  void begin(Tried& tried) {
    auto endpoint = identity::Endpoint::parse(tried.endpoint);
    if (!endpoint) {
      tried.result = std::unexpected(std::move(endpoint).error());
      return;
    }
    ++running_;
    host_.probe_peer({.request = {},
                      .peer = tried.node->id,
                      .public_key = tried.node->public_key,
                      .endpoint = std::move(*endpoint),
                      .learned_from = identity::LearnedFrom::configuration},
                     [this, &tried](const node::PeerProbed& probed) {
                       tried.result = probed.result;
                       --running_;
                       // Not from within the answer: the next may fail at once.
                       host_.post([this] { pump(); });
                     });
  }

  runtime::Host& host_;
  std::vector<Tried>& all_;
  std::size_t next_ = 0;
  std::size_t running_ = 0;
};

void show(Output& output, const std::vector<Tried>& all) {
  std::vector<std::vector<std::string>> rows = {{"ID", "ENDPOINT", "RESULT", "ROUND TRIP", "FROM", "WHY"}};
  for (const Tried& tried : all) {
    if (output.json()) {
      api::Json json = {{"id", tried.node->id.text()},
                        {"endpoint", tried.endpoint},
                        {"from", tried.node->from},
                        {"ok", tried.result.has_value()}};
      if (tried.node->state != "ok") json["list_problem"] = tried.node->state;
      if (tried.result) {
        json["round_trip_us"] = std::chrono::duration_cast<microseconds>(tried.result->round_trip).count();
        if (tried.result->address) json["address"] = tried.result->address->text();
      } else {
        json["error"] = reason_at(tried.endpoint, tried.result.error().message);
      }
      output.object(json);
      continue;
    }
    rows.push_back({tried.node->id.text(), output.text(tried.endpoint), tried.result ? "ok" : "FAILED",
                    tried.result ? human_duration(tried.result->round_trip) : "-", output.text(tried.node->from),
                    tried.result ? "" : output.text(reason_at(tried.endpoint, tried.result.error().message))});
  }
  if (!output.json()) output.table(rows);
}

/// Errors: unreachable, naming the nodes without an endpoint that works.
Status verdict(const std::vector<ConfiguredNode>& nodes, const std::vector<Tried>& all) {
  std::string names;
  std::size_t dead = 0;
  for (const ConfiguredNode& node : nodes) {
    const bool works = std::ranges::any_of(
        all, [&](const Tried& tried) { return tried.node->id == node.id && tried.result.has_value(); });
    if (works) continue;
    ++dead;
    names += (names.empty() ? "" : ", ") + node.id.short_text();
  }
  if (dead == 0) return {};
  return fail(Errc::unreachable, std::to_string(dead) + " of " + counted(nodes.size(), "node") +
                                     " cannot be reached at any endpoint: " + names);
}

Result<std::vector<ConfiguredNode>> nodes_to_check(const Context& context, const BootstrapArguments& arguments) {
  EKIDEN_ASSIGN(auto checks, checks_of(arguments));
  EKIDEN_TRY(add_configured_signers(context.data_dir, checks));
  const auto value = arguments.file.empty() ? arguments.value : std::optional(arguments.file);
  EKIDEN_ASSIGN(const auto source, runtime::read_bootstrap_source(runtime::bootstrap_places(value, context.data_dir)));
  EKIDEN_ASSIGN(auto nodes, configured_nodes(source, checks));
  for (const ConfiguredNode& node : nodes) {
    if (node.state != "ok") {
      context.output.note("nodes do not use the " + context.output.text(node.from) + ": " + node.state);
      break;
    }
  }
  if (nodes.empty()) return fail(Errc::not_found, "no nodes are configured: see `ekiden bootstrap list --help`");
  return nodes;
}

}  // namespace

Status run_bootstrap_check(const Context& context, const BootstrapArguments& arguments) {
  EKIDEN_ASSIGN(const auto nodes, nodes_to_check(context, arguments));
  std::vector<Tried> all;
  for (const ConfiguredNode& node : nodes) {
    for (const std::string& endpoint : node.endpoints) all.push_back({.node = &node, .endpoint = endpoint});
  }
  // How certificates are judged is said in the settings, if there is a node.
  auto settings = runtime::load_settings(context.data_dir);
  if (!settings && settings.error().code != Errc::not_found) return std::unexpected(settings.error());
  std::unique_ptr<Checker> checker;
  const auto ran =
      api::run_temporary_node(settings ? *settings : runtime::default_settings(), [&](runtime::Host& host) {
        checker = std::make_unique<Checker>(host, all);
        checker->pump();
      });
  show(context.output, all);
  if (!ran) return ran.error().code == Errc::closed ? fail(Errc::unreachable, ran.error().message) : ran;
  return verdict(nodes, all);
}

}  // namespace ekiden::cli
