// init, id, up, version: the commands that need no running node.
#include <utility>

#include "api/daemon.hpp"
#include "api/version.hpp"
#include "base/encoding.hpp"
#include "cli/commands.hpp"
#include "identity/identity.hpp"
#include "runtime/bootstrap_source.hpp"
#include "runtime/clock.hpp"
#include "runtime/settings.hpp"

namespace ekiden::cli {
namespace {

Result<std::vector<identity::Endpoint>> parse_endpoints(const std::vector<std::string>& texts) {
  std::vector<identity::Endpoint> out;
  for (const auto& text : texts) {
    EKIDEN_ASSIGN(auto endpoint, identity::Endpoint::parse(text));
    out.push_back(std::move(endpoint));
  }
  return out;
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
  if (!arguments.api.empty()) settings.api_listen = arguments.api;
  if (!arguments.log_level.empty()) settings.log_level = arguments.log_level;
  if (!arguments.log_format.empty()) settings.log_format = arguments.log_format;
  EKIDEN_ASSIGN(const auto source,
                runtime::read_bootstrap_source(runtime::bootstrap_places(arguments.bootstrap, context.data_dir)));
  auto bootstrap = runtime::bootstrap_nodes(source, settings.trusted_signers, settings.node.private_network,
                                            runtime::read_clocks().wall);
  for (const std::string& why : bootstrap.left_out) context.output.note(why);
  settings.node.bootstrap = std::move(bootstrap.nodes);
  return settings;
}

void print_ready(Output& output, const api::DaemonInfo& info) {
  if (output.json()) {
    api::Json json = {{"kind", "ready"}, {"id", info.id.text()}};
    json["listening"] = api::Json::array();
    for (const auto& endpoint : info.listening) json["listening"].push_back(endpoint.text());
    json["api"] = "http://" + info.api_address;
    output.object(json);
  } else {
    output.field("id", info.id.text());
    for (const auto& endpoint : info.listening) output.field("listening", endpoint.text());
    output.field("local API", "http://" + info.api_address);
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

Status run_up(const Context& context, const UpArguments& arguments) {
  EKIDEN_ASSIGN(auto settings, settings_for(context, arguments));
  EKIDEN_ASSIGN(auto seed, runtime::load_identity(context.data_dir));
  return api::run_daemon({.data_dir = context.data_dir,
                          .settings = std::move(settings),
                          .identity = std::move(seed),
                          .new_store = arguments.new_store},
                         [&](const api::DaemonInfo& info) { print_ready(context.output, info); });
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
