// A node with its local API, from start to graceful end: what `ekiden up` runs.
//
// SIGINT and SIGTERM end it gracefully: the API closes, neighbours are told, what was accepted is on disk. A second
// signal ends it at once, which loses nothing that was acknowledged. SIGHUP makes a node that has a certificate read it
// again. SIGPIPE is ignored: a log whose reader went away is no reason to stop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "identity/endpoint.hpp"
#include "identity/peer_id.hpp"
#include "runtime/host.hpp"

namespace ekiden::api {

struct DaemonInfo {
  identity::PeerId id;
  std::vector<identity::Endpoint> listening;
  std::string api_address;
  std::string metrics_address;  ///< empty: nowhere
};

/// Returns when the node has ended; an error if it could not start or its storage failed. `on_ready` is called once,
/// when everything listens.
Status run_daemon(runtime::HostOptions options, const std::function<void(const DaemonInfo&)>& on_ready);

}  // namespace ekiden::api
