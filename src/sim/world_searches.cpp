// The searches of a simulation: who looks for what, and whether that is what there is.
#include <algorithm>
#include <utility>

#include "sim/world.hpp"

namespace ekiden::sim {
void World::plan_searches() {
  const Duration half = scenario_.duration / 2;
  for (std::uint32_t i = 0; i < scenario_.discovery.searches; ++i) {
    schedule_.after(half + rng_.between(Duration(0), half), [this] { search_peer(); });
    if (scenario_.discovery.capabilities == 0) continue;
    schedule_.after(half + rng_.between(Duration(0), half), [this] { search_capability(); });
  }
  for (std::uint32_t i = 0; i < scenario_.discovery.searches_of_gone; ++i) {
    schedule_.after(half + rng_.between(Duration(0), half), [this] { search_gone(); });
  }
}

/// Those whose record can be known: not before they have been there for a while. When one machine is to be eclipsed,
/// all searches are by it or for it.
std::optional<World::Pair> World::any_pair() {
  Machine* seeker = &any_machine();
  Machine* sought = &any_machine();
  if (scenario_.attack.eclipse) (rng_.chance(1, 2) ? seeker : sought) = machines_.back().get();
  if (seeker == sought || !seeker->is_in_order_since(kAtHome) || !sought->is_in_order_since(kAtHome)) return {};
  return Pair{seeker, sought};
}

bool World::is_any_clock_lost() const {
  return std::ranges::any_of(machines_,
                             [](const auto& machine) { return std::chrono::abs(machine->wall_error()) > hours(1); });
}

void World::search_peer() {
  const auto pair = any_pair();
  if (!pair) return;
  const Machine& sought = *pair->sought;
  const auto newest = identity::verify_record(sought.node()->own_record(), sought.wall_time());
  // Of one that is on its way, what the owner said before will do.
  const bool is_published = newest && sought.wall_time() - newest->issued_at >= kPublishing;
  searches_.begin();
  pair->seeker->find(sought.id(), [this, &sought, sequence = is_published ? newest->sequence : 0](
                                      const node::PeerFound& found, Duration took) {
    end_peer_search(sought, sequence, found, took);
  });
}

/// What a machine has published is there for others when it is not, until it expires.
void World::search_gone() {
  Machine& seeker = any_machine();
  if (!seeker.is_in_order_since(kAtHome)) return;
  std::vector<const Machine*> gone;
  for (const auto& machine : machines_) {
    const auto& left = machine->left_record();
    if (left && left->expires_at() > seeker.wall_time() + minutes(1)) gone.push_back(machine.get());
  }
  if (gone.empty()) return;
  const Machine& sought = *gone[rng_.below(gone.size())];
  searches_of_gone_.begin();
  seeker.find(sought.id(),
              [this, &sought, sequence = sought.left_record()->sequence](const node::PeerFound& found, Duration took) {
                const bool went_down = !found.record && found.record.error().code == Errc::closed;
                // It is back, and says something newer, or takes its leave.
                if (went_down || sought.is_up()) return searches_of_gone_.abandon();
                searches_of_gone_.end(is_newest(sought, sequence, found), took, found.trail.asked, false);
              });
}

/// Found means: the newest record that is published.
void World::end_peer_search(const Machine& sought, std::uint64_t sequence, const node::PeerFound& found,
                            Duration took) {
  const bool went_down = !found.record && found.record.error().code == Errc::closed;
  if (went_down || !sought.is_in_order_since(took)) return searches_.abandon();
  searches_.end(is_newest(sought, sequence, found), took, found.trail.asked, is_any_clock_lost());
}

/// There is nothing in it that its owner has not said, either.
bool World::is_newest(const Machine& sought, std::uint64_t sequence, const node::PeerFound& found) {
  if (found.record) {
    const identity::PeerRecord& record = found.record->record;
    const std::string usual[] = {Network::endpoint_of(sought.host()).text(),
                                 Network::udp_endpoint_of(sought.host()).text()};
    const bool is_forged = record.id() != sought.id() || std::ranges::any_of(record.endpoints, [&](const auto& said) {
                             return std::ranges::find(usual, said) == std::end(usual);
                           });
    if (is_forged) ledger_.breach("a search for host " + std::to_string(sought.host()) + " found a forged record");
  }
  return found.record && found.record->record.sequence >= sequence;
}

void World::search_capability() {
  const auto pair = any_pair();
  if (!pair) return;
  searches_of_owners_.begin();
  // Who floods offers everything too: among as many as `ekiden find` shows there is an honest one.
  constexpr std::size_t kUsual = 20;
  const std::size_t limit = scenario_.attack.flooders == 0 ? 1 : kUsual;
  pair->seeker->find(capability_of(pair->sought->host()), limit,
                     [this, &sought = *pair->sought](const node::CapabilityFound& found, Duration took) {
                       end_capability_search(sought, found, took);
                     });
}

/// Found means: somebody who offers it.
void World::end_capability_search(const Machine& sought, const node::CapabilityFound& found, Duration took) {
  const bool went_down = !found.owners && found.owners.error().code == Errc::closed;
  if (went_down || !sought.is_in_order_since(took)) return searches_of_owners_.abandon();
  const std::string capability = capability_of(sought.host());
  bool is_found = false;
  for (const auto& owner : found.owners ? *found.owners : std::vector<identity::SignedAnnouncement>{}) {
    const auto host = hosts_.find(owner.announcement.owner());
    if (host == hosts_.end()) continue;
    is_found = true;
    if (capability_of(host->second) != capability) ledger_.breach("a search found who does not offer " + capability);
  }
  searches_of_owners_.end(is_found, took, found.trail.asked, is_any_clock_lost());
}

}  // namespace ekiden::sim
