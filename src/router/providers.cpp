#include "router/providers.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::router {

void Providers::on_success(Now now, const identity::PeerId& peer) { peers_.put(peer, {.failures = 0, .at = now.mono}); }

void Providers::on_failure(Now now, const identity::PeerId& peer) {
  const std::uint32_t before = has_failed(now, peer) ? peers_.peek(peer)->failures : 0;
  peers_.put(peer, {.failures = before + 1, .at = now.mono});
}

bool Providers::has_failed(Now now, const identity::PeerId& peer) const {
  const Experience* known = peers_.peek(peer);
  return known != nullptr && known->failures > 0 && known->at + kForget > now.mono;
}

std::int64_t Providers::points(Now now, const Candidate& candidate, bool is_linked) const {
  std::int64_t points = 0;
  if (is_linked) {
    points += 1000;
    const auto round_trip = candidate.round_trip.value_or(Duration{});
    points -= std::clamp<std::int64_t>(std::chrono::duration_cast<milliseconds>(round_trip).count(), 0, 200);
  }
  if (candidate.tier == identity::TrustTier::trusted) points += 300;
  if (candidate.tier == identity::TrustTier::contact) points += 200;
  const Experience* known = peers_.peek(candidate.peer);
  if (known == nullptr || known->at + kForget <= now.mono) return points;
  return known->failures == 0 ? points + 100 : points - 600 * std::min<std::int64_t>(known->failures, 3);
}

void Providers::rank(Now now, std::vector<Candidate>& candidates, const std::set<identity::PeerId>& links,
                     Rng& rng) const {
  struct Ranked {
    std::int64_t points;
    std::uint64_t lot;
    Candidate candidate;
  };
  std::vector<Ranked> ranked;
  ranked.reserve(candidates.size());
  for (Candidate& candidate : candidates) {
    const std::int64_t all = points(now, candidate, links.contains(candidate.peer));
    ranked.push_back({all, rng.next(), std::move(candidate)});
  }
  std::ranges::sort(ranked, [](const Ranked& a, const Ranked& b) {
    return a.points != b.points ? a.points > b.points : a.lot < b.lot;
  });
  candidates.clear();
  for (Ranked& each : ranked) candidates.push_back(std::move(each.candidate));
}

}  // namespace ekiden::router
