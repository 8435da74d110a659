// A node that others use all the time, as a recipient and as a relay, and what becomes of that when strangers want it
// to be busy with them.
#include <algorithm>

#include "sim/world.hpp"

namespace ekiden::sim {

/// The first host can be dialled by all, and all others only through it: each writes to it, and to one other.
void World::introduce_steady(HostIndex host) {
  for (const auto& other : machines_) {
    if (other->host() == host) continue;
    std::vector<identity::Endpoint> endpoints;
    if (other->host() == 0) endpoints.push_back(Network::endpoint_of(0));
    machines_[host]->add_contact("host" + std::to_string(other->host()), other->id(), std::move(endpoints));
  }
}

void World::plan_steady() {
  const std::uint32_t rate = scenario_.workload.steady_per_second;
  if (rate == 0) return;
  const Duration pause = Duration(seconds(1)) / rate;
  const auto writers = static_cast<HostIndex>(machines_.size() - 1);
  const Duration begin = scenario_.duration / 4;
  const auto count = static_cast<std::uint64_t>((scenario_.duration - begin) / pause);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto writer = static_cast<HostIndex>(i % writers);
    // Each in turn to the first host, and to the one on the other side of the ring.
    const auto other = static_cast<HostIndex>((writer + writers / 2) % writers);
    const HostIndex to = i / writers % 2 == 0 ? 0 : other + 1;
    schedule_.after(begin + pause * static_cast<std::int64_t>(i), [this, from = writer + 1, to] {
      const WorkloadModel& work = scenario_.workload;
      machines_[from]->send(*machines_[to], router::DeliveryClass::durable, wire::Priority::normal, work.body_max,
                            work.ttl);
    });
  }
}

/// What was accepted in the second half, when links and routes are made.
void World::check_steady(Outcome& outcome) const {
  if (scenario_.workload.steady_per_second == 0) return;
  std::uint64_t all = 0;
  std::uint64_t in_time = 0;
  for (const Ledger::Entry& entry : ledger_.entries()) {
    if (!entry.accepted || *entry.accepted < Instant{} + scenario_.duration / 2) continue;
    ++all;
    if (entry.arrived && *entry.arrived - *entry.accepted <= scenario_.expect.in_time_max) ++in_time;
  }
  outcome.steady = all;
  outcome.steady_in_time = in_time;
  if (in_time * 1'000'000 >= all * scenario_.expect.in_time_ppm_min) return;
  outcome.breaches.push_back(std::to_string(in_time) + " of " + std::to_string(all) + " messages came in time");
}

}  // namespace ekiden::sim
