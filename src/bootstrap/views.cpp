// What discovery shows: candidates by score, nodes to vouch for, the state of every node.
#include <algorithm>
#include <utility>

#include "bootstrap/bootstrap.hpp"

namespace ekiden::bootstrap {

Candidate Bootstrap::candidate_of(const identity::PeerId& node, const Entry& entry) const {
  return {.node = node,
          .public_key = entry.public_key,
          .endpoints = entry.endpoints,
          .address = entry.address,
          .learned_from = learned_from(entry),
          .score = table_.score(entry),
          .reached = entry.up};
}

std::vector<Candidate> Bootstrap::best(std::size_t limit) const {
  std::vector<std::pair<std::uint32_t, const identity::PeerId*>> ranked;
  for (const auto& [node, entry] : table_) {
    if (entry.standing.was_reached()) ranked.emplace_back(table_.score(entry), &node);
  }
  std::ranges::sort(ranked, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : *a.second < *b.second;
  });
  std::vector<Candidate> out;
  for (const auto& [score, node] : ranked) {
    if (out.size() == limit) break;
    out.push_back(candidate_of(*node, *table_.find(*node)));
  }
  return out;
}

std::optional<Candidate> Bootstrap::find_reached(const identity::PeerId& node) const {
  const Entry* entry = table_.find(node);
  if (entry == nullptr || !entry->standing.was_reached()) return std::nullopt;
  return candidate_of(node, *entry);
}

std::vector<NodeStatus> Bootstrap::status() const {
  std::vector<NodeStatus> out;
  for (const auto& [node, entry] : table_) {
    const bool reached = entry.standing.was_reached();
    out.push_back({.node = node,
                   .endpoints = entry.endpoints,
                   .source = entry.source,
                   .signer = entry.signer,
                   .depth = entry.depth,
                   .score = table_.score(entry),
                   .up = entry.up,
                   .probing = schedule_.is_probing(node),
                   .failures = entry.failures,
                   .latency = entry.standing.latency,
                   .last_reached = reached ? std::optional(entry.standing.last_reached) : std::nullopt,
                   .next_probe = schedule_.planned_at(node),
                   .last_error = entry.last_error});
  }
  return out;
}

std::vector<ListedNode> Bootstrap::listing(std::size_t limit) const {
  std::vector<ListedNode> out;
  for (const Candidate& candidate : best(table_.size())) {
    if (out.size() == std::min(limit, kMaxListNodes)) break;
    if (!candidate.reached) continue;
    ListedNode node{.public_key = *candidate.public_key, .endpoints = {}, .note = {}};
    for (const auto& endpoint : usable(candidate.endpoints, config_.listed_as)) {
      std::string text = endpoint.text();
      if (text.size() <= kMaxEndpointSize && node.endpoints.size() < kMaxNodeEndpoints) {
        node.endpoints.push_back(std::move(text));
      }
    }
    if (!node.endpoints.empty()) out.push_back(std::move(node));
  }
  return out;
}

}  // namespace ekiden::bootstrap
