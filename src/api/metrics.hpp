// What monitoring sees of a node, in the text format of Prometheus: numbers only, no ids and no addresses, so that the
// page may be read by whoever looks after the machine.
//
// Source: Prometheus, "Exposition formats", text format 0.0.4.
#pragma once

#include <string>

#include "api/backend.hpp"
#include "api/http_response.hpp"

namespace ekiden::api {

/// Every name begins with "ekiden_"; docs/api.md lists them.
std::string metrics_text(const Backend& backend);

/// 200 while the node takes messages and joins others, else 503; the body says which of these holds.
Response health(const Backend& backend);

}  // namespace ekiden::api
