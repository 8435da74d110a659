// Settings about peers: whose bootstrap lists count, who keeps messages for this node, whether it does for others, and
// what becomes of strangers.
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

std::string mailbox_switch_of(const Settings& settings);
/// "on" or "off". Errors: malformed.
Status set_mailbox_switch(Settings& settings, const std::string& text);

std::string strangers_of(const Settings& settings);
/// "queue", "accept" or "refuse". Errors: malformed.
Status set_strangers(Settings& settings, const std::string& text);

}  // namespace ekiden::runtime
