// Settings that are endpoints and addresses.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "identity/endpoint.hpp"
#include "runtime/settings.hpp"

namespace ekiden::runtime {

std::vector<std::string> texts_of(const std::vector<identity::Endpoint>& endpoints);

// Errors of all: malformed.

Status set_listen(Settings& settings, const std::vector<std::string>& texts);
/// Those that nobody could dial are refused.
Status set_advertise(Settings& settings, const std::vector<std::string>& texts);
/// The local API gives whoever reaches it this node's messages: it stays on this machine.
Status set_api_listen(Settings& settings, const std::string& text);
Status set_metrics(Settings& settings, const std::string& text);

}  // namespace ekiden::runtime
