#include "relay/routes.hpp"

#include "base/check.hpp"

namespace ekiden::relay {

bool are_disjoint(const Way& a, const Way& b) {
  return std::ranges::none_of(a, [&](const identity::PeerId& relay) { return is_on(b, relay); });
}

Routes::Route* Routes::find(const identity::PeerId& to, const Way& way) {
  std::vector<Route>* routes = peers_.find(to);
  if (routes == nullptr) return nullptr;
  const auto found = std::ranges::find(*routes, way, &Route::way);
  return found == routes->end() ? nullptr : &*found;
}

void Routes::add(Instant now, const identity::PeerId& to, Way way) {
  CHECK(!way.empty() && !is_on(way, to));
  if (Route* known = find(to, way)) {
    known->useful = now;
    return;
  }
  std::vector<Route>* routes = peers_.find(to);
  if (routes == nullptr) routes = &peers_.put(to, {});
  if (routes->size() == kMaxRoutes) routes->erase(std::ranges::min_element(*routes, {}, &Route::score));
  routes->push_back({.way = std::move(way), .useful = now});
}

void Routes::carried(const identity::PeerId& to, const Way& way) {
  Route* route = find(to, way);
  if (route != nullptr && !route->failed) route->score = std::max(route->score, kCarriedScore);
}

void Routes::succeeded(Instant now, const identity::PeerId& to, const Way& way) {
  Route* route = find(to, way);
  if (route == nullptr) return;
  route->score += (kFullScore - route->score) / 4;
  route->useful = now;
  for (const identity::PeerId& relay : way) suspects_.erase(relay);
}

void Routes::failed(Instant now, const identity::PeerId& to, const Way& way) {
  Route* route = find(to, way);
  if (route == nullptr) return;
  if (route->failed && now < *route->failed + kFailureGap) return;
  route->failed = now;
  route->score /= 2;
  if (route->score >= kLeastScore) return;
  for (const identity::PeerId& relay : way) suspects_.put(relay, now + kSuspectFor);
  remove(to, Way(way));
}

void Routes::remove(const identity::PeerId& to, const Way& way) {
  std::vector<Route>* routes = peers_.find(to);
  if (routes == nullptr) return;
  std::erase_if(*routes, [&](const Route& route) { return route.way == way; });
  if (routes->empty()) peers_.erase(to);
}

std::optional<Way> Routes::best(Instant now, const identity::PeerId& to, const IsNeighbour& is_neighbour,
                                const Way& other) {
  std::vector<Route>* routes = peers_.find(to);
  if (routes == nullptr) return std::nullopt;
  std::erase_if(*routes, [&](const Route& route) { return route.useful + lifetime_ < now; });
  const Route* best = nullptr;
  const auto is_better = [&](const Route& a, const Route& b) {
    const bool apart = are_disjoint(a.way, other);
    if (apart != are_disjoint(b.way, other)) return apart;
    if (a.score != b.score) return a.score > b.score;
    return a.way.size() < b.way.size();
  };
  for (const Route& route : *routes) {
    if (!is_neighbour(route.way.front())) continue;
    if (best == nullptr || is_better(route, *best)) best = &route;
  }
  if (best != nullptr) return best->way;
  if (routes->empty()) peers_.erase(to);
  return std::nullopt;
}

std::vector<identity::PeerId> Routes::relays_to(const identity::PeerId& to) const {
  std::vector<identity::PeerId> relays;
  const std::vector<Route>* routes = peers_.peek(to);
  if (routes == nullptr) return relays;
  for (const Route& route : *routes) {
    for (const identity::PeerId& relay : route.way) {
      if (!is_on(relays, relay)) relays.push_back(relay);
    }
  }
  return relays;
}

std::size_t Routes::count(const identity::PeerId& to) const {
  const std::vector<Route>* routes = peers_.peek(to);
  return routes == nullptr ? 0 : routes->size();
}

bool Routes::is_suspect(Instant now, const identity::PeerId& relay) const {
  const Instant* until = suspects_.peek(relay);
  return until != nullptr && *until > now;
}

}  // namespace ekiden::relay
