// Hosts behind routers that forward nothing, and what must become of their records.
#include <algorithm>

#include "sim/world.hpp"

namespace ekiden::sim {
namespace {

bool has_link_endpoint(const identity::PeerRecord& record) {
  return std::ranges::any_of(record.known_endpoints(), [](const identity::Endpoint& endpoint) {
    return endpoint.transport != identity::Endpoint::Transport::udp;
  });
}

}  // namespace

bool World::is_closed(HostIndex host) const { return host + scenario_.faults.closed_hosts >= scenario_.nodes; }

void World::check_endpoints() {
  if (!scenario_.expect.endpoints_published) return;
  for (const auto& machine : machines_) {
    if (machine->node() == nullptr) continue;
    const auto record = identity::verify_record_ignoring_time(machine->node()->own_record());
    const bool is_published = record && has_link_endpoint(*record);
    if (is_published != is_closed(machine->host())) continue;
    ledger_.breach("host " + std::to_string(machine->host()) +
                   (is_published ? " publishes an endpoint for links that nobody can reach"
                                 : " does not publish its endpoint for links, which everybody can reach"));
  }
}

}  // namespace ekiden::sim
