#include "partition/neighbours.hpp"

#include <algorithm>

namespace ekiden::partition {

bool Neighbours::add(Instant now, const identity::PeerId& peer) {
  if (neighbours_.size() >= config_.max_neighbours) return false;
  return neighbours_.try_emplace(peer, config_, now).second;
}

bool Neighbours::remove(const identity::PeerId& peer) {
  const auto found = neighbours_.find(peer);
  if (found == neighbours_.end()) return false;
  const bool has_been_well = found->second.has_been_well;
  neighbours_.erase(found);
  return has_been_well;
}

std::optional<Neighbours::Heard> Neighbours::hear(Instant now, const identity::PeerId& peer,
                                                  const Heartbeat& heartbeat) {
  const auto found = neighbours_.find(peer);
  if (found == neighbours_.end()) return std::nullopt;
  Neighbour& neighbour = found->second;
  if (!neighbour.rate.take(now)) return std::nullopt;
  if (heartbeat.sequence <= neighbour.heard || heartbeat.echo > sent_) return std::nullopt;
  Heard result{.is_first = neighbour.heard == 0,
               .is_well_again = false,
               .was_well = neighbour.has_been_well && !neighbour.is_silent};
  neighbour.heard = heartbeat.sequence;
  neighbour.hears.heard(now);
  if (heartbeat.echo > neighbour.echoed) {
    neighbour.echoed = heartbeat.echo;
    neighbour.is_heard.heard(now);
  }
  if (neighbour.echoed > 0 && !neighbour.is_suspect(now)) {
    result.is_well_again = !result.was_well;
    neighbour.has_been_well = true;
    neighbour.is_silent = false;
  }
  return result;
}

Heartbeat Neighbours::next(const identity::PeerId& peer) {
  const Neighbour& neighbour = neighbours_.at(peer);
  return {.sequence = ++sent_, .echo = neighbour.heard};
}

std::vector<identity::PeerId> Neighbours::fallen_silent(Instant now) {
  std::vector<identity::PeerId> silent;
  for (auto& [peer, neighbour] : neighbours_) {
    if (!neighbour.has_been_well || neighbour.is_silent || !neighbour.is_suspect(now)) continue;
    neighbour.is_silent = true;
    silent.push_back(peer);
  }
  return silent;
}

void Neighbours::forgive(Duration pause) {
  for (auto& [peer, neighbour] : neighbours_) {
    if (neighbour.is_silent) continue;
    neighbour.hears.forgive(pause);
    neighbour.is_heard.forgive(pause);
  }
}

bool Neighbours::is_well(Instant now, const identity::PeerId& peer) const {
  const auto found = neighbours_.find(peer);
  return found != neighbours_.end() && found->second.has_been_well && !found->second.is_suspect(now);
}

bool Neighbours::is_doubtful(Instant now, const identity::PeerId& peer) const {
  const auto found = neighbours_.find(peer);
  return found == neighbours_.end() || found->second.is_suspect(now);
}

bool Neighbours::spend_statement(Instant now, const identity::PeerId& peer) {
  const auto found = neighbours_.find(peer);
  return found != neighbours_.end() && found->second.statements.take(now);
}

std::vector<identity::PeerId> Neighbours::well(Instant now) const {
  std::vector<identity::PeerId> peers;
  for (const auto& [peer, neighbour] : neighbours_) {
    if (neighbour.has_been_well && !neighbour.is_suspect(now)) peers.push_back(peer);
  }
  return peers;
}

std::vector<identity::PeerId> Neighbours::all() const {
  std::vector<identity::PeerId> peers;
  for (const auto& [peer, neighbour] : neighbours_) peers.push_back(peer);
  return peers;
}

std::optional<std::uint32_t> Neighbours::phi(Instant now, const identity::PeerId& peer) const {
  const auto found = neighbours_.find(peer);
  if (found == neighbours_.end()) return std::nullopt;
  return std::max(found->second.hears.phi(now), found->second.is_heard.phi(now));
}

}  // namespace ekiden::partition
