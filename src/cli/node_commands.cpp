// init, id, up, version: the commands that need no running node.
#include <algorithm>
#include <filesystem>
#include <utility>

#include "api/daemon.hpp"
#include "api/version.hpp"
#include "base/encoding.hpp"
#include "cli/commands.hpp"
#include "cli/program_pages.hpp"
#include "identity/identity.hpp"
#include "runtime/bootstrap_source.hpp"
#include "runtime/settings.hpp"

namespace ekiden::cli {
namespace {

constexpr const char* kDefaultMetrics = "127.0.0.1:9420";
constexpr const char* kDefaultWeb = "wss://0.0.0.0:443";

Result<std::vector<identity::Endpoint>> parse_endpoints(const std::vector<std::string>& texts) {
  std::vector<identity::Endpoint> out;
  for (const auto& text : texts) {
    EKIDEN_ASSIGN(auto endpoint, identity::Endpoint::parse(text));
    out.push_back(std::move(endpoint));
  }
  return out;
}

bool listens_on(const runtime::Settings& settings, identity::Endpoint::Transport transport) {
  return std::ranges::any_of(settings.listen, [&](const auto& endpoint) { return endpoint.transport == transport; });
}

/// The settings of the file, with what the command line says instead.
Result<runtime::Settings> settings_for(const Context& context, const UpArguments& arguments) {
  EKIDEN_ASSIGN(auto settings, runtime::load_settings(context.data_dir));
  if (!arguments.listen.empty()) {
    settings.listen.clear();
    for (const std::string& text : arguments.listen) {
      EKIDEN_ASSIGN(auto endpoint, runtime::parse_listen(text));
      settings.listen.push_back(std::move(endpoint));
    }
  }
  if (!arguments.endpoints.empty()) {
    EKIDEN_ASSIGN(settings.advertise, parse_endpoints(arguments.endpoints));
    settings.node.advertised = settings.advertise;
  }
  if (!arguments.certificate.empty()) settings.tls_certificate = std::filesystem::absolute(arguments.certificate);
  if (!arguments.key.empty()) settings.tls_key = std::filesystem::absolute(arguments.key);
  if (arguments.no_lan) settings.lan = "off";
  if (!arguments.api.empty()) settings.api_listen = arguments.api;
  if (arguments.metrics) settings.metrics_listen = *arguments.metrics;
  if (!arguments.log_level.empty()) settings.log_level = arguments.log_level;
  if (!arguments.log_format.empty()) settings.log_format = arguments.log_format;
  EKIDEN_ASSIGN(settings.node.sources,
                runtime::read_bootstrap_source(runtime::bootstrap_places(arguments.bootstrap, context.data_dir)));
  return settings;
}

/// A node that has run before goes on by itself; a new one has nobody to ask.
void say_what_is_missing(Output& output, const runtime::Settings& settings) {
  const bool has_sources = !settings.node.sources.seeds.empty() || !settings.node.sources.lists.empty();
  if (!listens_on(settings, identity::Endpoint::Transport::udp)) {
    if (!has_sources) return;
    return output.note(
        "the bootstrap nodes that are named are not used: discovery is off, for this node listens on no udp:// "
        "endpoint; add one with --listen udp://0.0.0.0:7420, or to listen under [network] in ekiden.toml");
  }
  if (has_sources) return;
  output.note(
      "no node to join through is named: this one waits for those that it remembers or hears nearby; "
      "`ekiden up --bootstrap ID@ENDPOINT` names one");
}

void print_ready(Output& output, const api::DaemonInfo& info) {
  if (output.json()) {
    api::Json json = {{"kind", "ready"}, {"id", info.id.text()}};
    json["listening"] = api::Json::array();
    for (const auto& endpoint : info.listening) json["listening"].push_back(endpoint.text());
    json["api"] = "http://" + info.api_address;
    if (!info.metrics_address.empty()) json["metrics"] = "http://" + info.metrics_address + "/metrics";
    output.object(json);
  } else {
    output.field("id", info.id.text());
    for (const auto& endpoint : info.listening) output.field("listening", endpoint.text());
    output.field("local API", "http://" + info.api_address);
    if (!info.metrics_address.empty()) output.field("metrics", "http://" + info.metrics_address + "/metrics");
    output.line("ready");
  }
  // A daemon whose output is closed goes on: nobody reads it, and that is fine.
  static_cast<void>(output.flush());
}

}  // namespace

Status run_init(const Context& context, const InitArguments& arguments) {
  EKIDEN_ASSIGN(const auto id,
                runtime::init_data_dir(
                    {.data_dir = context.data_dir, .listen = arguments.listen, .advertise = arguments.endpoints}));
  if (context.output.json()) {
    context.output.object({{"id", id.text()}, {"data_dir", context.data_dir.string()}});
    return {};
  }
  context.output.note("Made a new node in " + context.data_dir.string() + ". Others find it by its id:");
  context.output.line(id.text());
  context.output.note("Its settings are in ekiden.toml. Start it with `ekiden up`.");
  return {};
}

Status run_id(const Context& context) {
  EKIDEN_ASSIGN(const auto seed, runtime::load_identity(context.data_dir));
  const identity::Identity self(seed);
  if (context.output.json()) {
    context.output.object({{"id", self.id().text()}, {"public_key", to_hex(self.public_key().view())}});
  } else {
    context.output.line(self.id().text());
  }
  return {};
}

namespace {

Status run_node(const Context& context, runtime::Settings settings, bool new_store) {
  EKIDEN_ASSIGN(auto seed, runtime::load_identity(context.data_dir));
  return api::run_daemon({.data_dir = context.data_dir,
                          .settings = std::move(settings),
                          .identity = std::move(seed),
                          .new_store = new_store},
                         [&](const api::DaemonInfo& info) {
                           print_ready(context.output, info);
                           let_go_of_program_pages();
                         });
}

/// What is missing for others to join through this node. Warnings are for what works, but not for everybody.
Status check_serving(Output& output, const runtime::Settings& settings) {
  using enum identity::Endpoint::Transport;
  if (!listens_on(settings, udp)) {
    return fail(Errc::invalid_argument,
                "a bootstrap node needs discovery: let it listen on udp://, as in "
                "--listen udp://0.0.0.0:7420");
  }
  if (!listens_on(settings, tcp) && !listens_on(settings, ws) && !listens_on(settings, wss)) {
    return fail(Errc::invalid_argument,
                "a bootstrap node needs links: let it listen on tcp://, as in "
                "--listen tcp://0.0.0.0:7420");
  }
  if (settings.advertise.empty() && !settings.node.private_network) {
    return fail(Errc::invalid_argument,
                "nobody would learn where this node is: say where others reach it, as in "
                "--endpoint tcp://203.0.113.7:7420 --endpoint udp://203.0.113.7:7420");
  }
  if (!listens_on(settings, wss)) {
    output.note("no wss:// endpoint: networks that allow nothing but the web cannot join through this node");
  }
  return {};
}

/// By default nodes listen on IPv4. One that tells addresses of IPv6 has to listen there as well.
void listen_on_ipv6_too(runtime::Settings& settings) {
  const auto is_v6 = [](const identity::Endpoint& endpoint) {
    const auto address = endpoint.address();
    return address && address->family == identity::IpAddress::Family::v6;
  };
  if (std::ranges::none_of(settings.advertise, is_v6) || std::ranges::any_of(settings.listen, is_v6)) return;
  std::vector<identity::Endpoint> more = settings.listen;
  for (identity::Endpoint& endpoint : more) endpoint.host = "::";
  settings.listen.insert(settings.listen.end(), more.begin(), more.end());
}

}  // namespace

Status run_up(const Context& context, const UpArguments& arguments) {
  EKIDEN_ASSIGN(auto settings, settings_for(context, arguments));
  say_what_is_missing(context.output, settings);
  return run_node(context, std::move(settings), arguments.new_store);
}

Status run_bootstrap_serve(const Context& context, const UpArguments& arguments) {
  if (!std::filesystem::exists(context.data_dir / "ekiden.toml")) {
    EKIDEN_TRY(run_init(context, {.listen = runtime::InitOptions().listen, .endpoints = {}}));
  }
  EKIDEN_ASSIGN(auto settings, settings_for(context, arguments));
  if (!arguments.metrics && settings.metrics_listen.empty()) settings.metrics_listen = kDefaultMetrics;
  const bool has_pair = !settings.tls_certificate.empty() && !settings.tls_key.empty();
  if (arguments.listen.empty() && has_pair && !listens_on(settings, identity::Endpoint::Transport::wss)) {
    EKIDEN_ASSIGN(auto web, runtime::parse_listen(kDefaultWeb));
    settings.listen.push_back(std::move(web));
  }
  if (arguments.listen.empty()) listen_on_ipv6_too(settings);
  EKIDEN_TRY(check_serving(context.output, settings));
  // It vouches for those that it has reached itself: the sooner it knows them, the longer its list.
  settings.node.bootstrap.enough = settings.node.bootstrap.max_nodes;
  return run_node(context, std::move(settings), arguments.new_store);
}

Status run_version(const Context& context) {
  if (context.output.json()) {
    context.output.object({{"version", api::version()}});
  } else {
    context.output.line("ekiden " + std::string(api::version()));
  }
  return {};
}

}  // namespace ekiden::cli
