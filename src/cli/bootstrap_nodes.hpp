// The nodes that are configured to join through, as the bootstrap commands show and check them.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bootstrap/list.hpp"
#include "cli/commands.hpp"
#include "crypto/keys.hpp"
#include "runtime/bootstrap_source.hpp"

namespace ekiden::cli {

/// What a list has to stand.
struct Checks {
  WallTime now;
  std::optional<std::set<identity::PeerId>> signers;  ///< None: any.
};

/// By the clock, and the signers that the command names. Errors: malformed.
Result<Checks> checks_of(const BootstrapArguments& arguments);

/// What the node would trust, unless the command says otherwise. Without a node, nothing is configured.
Status add_configured_signers(const std::filesystem::path& data_dir, Checks& checks);

/// Whether a node would take the list now.
Status check_list(const Checks& checks, const bootstrap::NodeList& list);

/// One node of the configuration, for the table or as an object.
struct ConfiguredNode {
  identity::PeerId id;
  std::optional<crypto::Ed25519PublicKey> public_key;
  std::vector<std::string> endpoints;
  std::string note;
  std::string from;
  std::string state;  ///< "ok", or why it is not used
};

/// Seeds, and the nodes of all lists whose signature is right. Errors: a list that does not verify.
Result<std::vector<ConfiguredNode>> configured_nodes(const runtime::BootstrapSource& source, const Checks& checks);

}  // namespace ekiden::cli
