// Settings that name peers: whose bootstrap lists count, and who keeps messages for this node.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/settings.hpp"

namespace ekiden::runtime {

std::vector<std::string> signers_of(const Settings& settings);
/// Ids or public keys. Errors: malformed.
Status set_signers(Settings& settings, const std::vector<std::string>& texts);

std::vector<std::string> mailboxes_of(const Settings& settings);
/// Ids. Errors: malformed.
Status set_mailboxes(Settings& settings, const std::vector<std::string>& texts);

}  // namespace ekiden::runtime
