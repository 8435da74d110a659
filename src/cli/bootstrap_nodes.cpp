#include "cli/bootstrap_nodes.hpp"

#include <utility>

#include "runtime/clock.hpp"
#include "runtime/settings.hpp"

namespace ekiden::cli {

Result<Checks> checks_of(const BootstrapArguments& arguments) {
  Checks checks{.now = runtime::read_clocks().wall, .signers = {}};
  if (!arguments.signers.empty()) {
    EKIDEN_ASSIGN(checks.signers, runtime::parse_signers(arguments.signers));
  }
  return checks;
}

Status add_configured_signers(const std::filesystem::path& data_dir, Checks& checks) {
  if (checks.signers) return {};
  const auto settings = runtime::load_settings(data_dir);
  if (!settings) return settings.error().code == Errc::not_found ? Status() : std::unexpected(settings.error());
  const auto& signers = settings->trusted_signers;
  if (!signers.empty()) checks.signers.emplace(signers.begin(), signers.end());
  return {};
}

Status check_list(const Checks& checks, const bootstrap::NodeList& list) {
  if (checks.signers && !checks.signers->contains(list.signer())) {
    return fail(Errc::refused, list.signer().text() + " is not a trusted signer");
  }
  return bootstrap::check_list_time(list, checks.now);
}

Result<std::vector<ConfiguredNode>> configured_nodes(const runtime::BootstrapSource& source, const Checks& checks) {
  std::vector<ConfiguredNode> out;
  for (const auto& seed : source.seeds) {
    ConfiguredNode node{
        .id = seed.id, .public_key = seed.public_key, .endpoints = {}, .note = {}, .from = source.name, .state = "ok"};
    for (const auto& endpoint : seed.endpoints) node.endpoints.push_back(endpoint.text());
    out.push_back(std::move(node));
  }
  for (const auto& [file, signed_list] : source.lists) {
    const auto list = bootstrap::verify_list_ignoring_time(signed_list);
    if (!list) return fail(file, list.error());
    const auto checked = check_list(checks, *list);
    for (const auto& listed : list->nodes) {
      out.push_back({.id = listed.id(),
                     .public_key = listed.public_key,
                     .endpoints = listed.endpoints,
                     .note = listed.note.value_or(""),
                     .from = "list of " + list->signer().short_text(),
                     .state = checked ? "ok" : checked.error().message});
    }
  }
  return out;
}

}  // namespace ekiden::cli
