#include "embed/open_host.hpp"

#include <string>
#include <utility>

#include "runtime/bootstrap_source.hpp"

namespace ekiden::embed {

Result<std::unique_ptr<runtime::Host>> open_host(const NodeOptions& options) {
  auto identity = runtime::load_identity(options.data_dir);
  if (!identity && identity.error().code == Errc::not_found && options.create) {
    runtime::InitOptions init;
    init.data_dir = options.data_dir;
    if (!options.listen.empty()) init.listen = options.listen;
    EKIDEN_TRY(runtime::init_data_dir(init));
    identity = runtime::load_identity(options.data_dir);
  }
  if (!identity) return std::unexpected(identity.error());
  EKIDEN_ASSIGN(auto settings, runtime::load_settings(options.data_dir));
  if (!options.listen.empty()) {
    settings.listen.clear();
    for (const std::string& text : options.listen) {
      EKIDEN_ASSIGN(auto endpoint, runtime::parse_listen(text));
      settings.listen.push_back(std::move(endpoint));
    }
  }
  if (!options.lan) settings.lan = "off";
  if (!options.strangers.empty()) {
    EKIDEN_ASSIGN(settings.node.router.strangers, runtime::parse_strangers(options.strangers));
  }
  // Of the three places only the file: the environment belongs to the program that embeds us.
  EKIDEN_ASSIGN(settings.node.sources, runtime::read_bootstrap_source({.data_dir = options.data_dir}));
  // The standard error stream belongs to the program that embeds us: what goes well is not told there.
  if (settings.log_level == "info") settings.log_level = "warning";
  return runtime::Host::open({.data_dir = options.data_dir, .settings = std::move(settings), .identity = *identity});
}

}  // namespace ekiden::embed
