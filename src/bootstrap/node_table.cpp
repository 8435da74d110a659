#include "bootstrap/node_table.hpp"

#include <algorithm>
#include <tuple>

namespace ekiden::bootstrap {
namespace {

/// "boot.eu.example.org" -> "example.org"
std::string domain_of(std::string_view host) {
  const auto last = host.rfind('.');
  if (last == std::string_view::npos || last == 0) return std::string(host);
  const auto before = host.rfind('.', last - 1);
  return std::string(before == std::string_view::npos ? host : host.substr(before + 1));
}

/// Counts up or down, and drops what is zero, so that the maps are as small as the table.
template <class Map, class Key, class Change>
void count(Map& map, const Key& key, Change change) {
  auto& value = map[key];
  change(value);
  if (value == typename Map::mapped_type{}) map.erase(key);
}

template <class Map, class Key>
auto count_in(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? typename Map::mapped_type{} : found->second;
}

}  // namespace

std::string place_of(const identity::Endpoint& endpoint) {
  const auto address = endpoint.address();
  return address ? identity::prefix_of(*address).text() : domain_of(endpoint.host);
}

std::vector<std::string> places_of(const std::vector<identity::Endpoint>& endpoints) {
  std::vector<std::string> places;
  for (const auto& endpoint : endpoints) places.push_back(place_of(endpoint));
  std::ranges::sort(places);
  places.erase(std::ranges::unique(places).begin(), places.end());
  return places;
}

Entry* NodeTable::find(const identity::PeerId& node) {
  const auto found = entries_.find(node);
  return found == entries_.end() ? nullptr : &found->second;
}

const Entry* NodeTable::find(const identity::PeerId& node) const {
  const auto found = entries_.find(node);
  return found == entries_.end() ? nullptr : &found->second;
}

/// A prefix has a slash, a domain cannot have one.
std::size_t NodeTable::cap_of(std::string_view place) const {
  return place.find('/') == std::string_view::npos ? config_.max_per_domain : config_.max_per_prefix;
}

NodeTable::Room NodeTable::room_beside(const Entry& entry) const {
  if (entry.is_configured() && count_in(tallies_.sources, entry.source) >= config_.max_per_source) {
    return Room::source_full;
  }
  if (entry.signer && count_in(tallies_.signers, *entry.signer).nodes >= config_.max_per_signer) {
    return Room::signer_full;
  }
  if (entry.is_configured()) return Room::enough;
  if (entry.standing.was_reached()) {
    if (count_in(tallies_.places, entry.place).charged >= cap_of(entry.place)) return Room::place_full;
  } else if (entry.signer) {
    for (const auto& place : entry.claimed) {
      if (count_in(tallies_.claims, std::pair(*entry.signer, place)) >= cap_of(place)) return Room::place_full;
    }
  }
  if (count_in(tallies_.depths, entry.depth) >= config_.max_per_depth) return Room::depth_full;
  return Room::enough;
}

NodeTable::Room NodeTable::room_for(const Entry& entry) const {
  const Room room = room_beside(entry);
  if (room != Room::enough) return room;
  return entries_.size() >= config_.max_nodes ? Room::table_full : Room::enough;
}

std::optional<identity::PeerId> NodeTable::giving_way(
    const Entry& entry, Room room, const std::function<bool(const identity::PeerId&)>& is_busy) const {
  const auto claims_of = [this](const Entry& of) {
    return of.signer ? count_in(tallies_.signers, *of.signer).claims : 0;
  };
  const auto gives_way = [&](const identity::PeerId& node, const Entry& other) {
    if (other.is_configured() || is_busy(node)) return false;
    if (entry.is_configured()) return true;
    if (other.standing.was_reached()) return false;
    if (room == Room::depth_full && other.depth != entry.depth) return false;
    const bool farther = room == Room::table_full && other.depth > entry.depth;
    return farther || claims_of(other) > claims_of(entry) + 1;
  };
  // Claims go before proven nodes; of claims, those of who claims most; of proven nodes, those of the lowest score.
  const auto badness = [&](const Entry& other) {
    const bool proven = other.standing.was_reached();
    return std::tuple(!proven, proven ? kFullScore - score(other) : claims_of(other), other.depth, other.failures);
  };
  std::optional<identity::PeerId> worst;
  decltype(badness(entry)) most{};
  for (const auto& [node, other] : entries_) {
    if (!gives_way(node, other)) continue;
    if (const auto bad = badness(other); !worst || bad > most) {
      worst = node;
      most = bad;
    }
  }
  return worst;
}

Entry& NodeTable::insert(const identity::PeerId& node, Entry entry) {
  CHECK(room_for(entry) == Room::enough);
  const auto [place, fresh] = entries_.emplace(node, std::move(entry));
  CHECK(fresh);
  charge(place->second, Direction::on);
  return place->second;
}

void NodeTable::remove(const identity::PeerId& node) {
  const auto found = entries_.find(node);
  CHECK(found != entries_.end());
  charge(found->second, Direction::off);
  entries_.erase(found);
}

void NodeTable::charge(Tallies& tallies, const Entry& entry, Direction direction) {
  const auto add = [direction](std::size_t& number, bool counts) {
    if (!counts) return;
    if (direction == Direction::on) {
      ++number;
    } else {
      CHECK(number > 0);
      --number;
    }
  };
  const bool configured = entry.is_configured();
  const bool proven = entry.standing.was_reached();
  const auto one = [&](std::size_t& number) { add(number, true); };
  if (configured) {
    count(tallies.sources, entry.source, one);
  } else {
    count(tallies.depths, entry.depth, one);
  }
  if (entry.signer) {
    count(tallies.signers, *entry.signer, [&](OfSigner& of) {
      add(of.nodes, true);
      add(of.claims, !proven && !configured);
    });
  }
  if (proven) {
    count(tallies.places, entry.place, [&](OfPlace& of) {
      add(of.charged, !configured);
      add(of.proven, true);
    });
  } else if (entry.signer && !configured) {
    for (const auto& place : entry.claimed) count(tallies.claims, std::pair(*entry.signer, place), one);
  }
}

std::uint32_t NodeTable::score(const Entry& entry) const {
  if (!entry.standing.was_reached()) return 0;
  return score_of(entry.standing, count_in(tallies_.places, entry.place).proven);
}

std::size_t NodeTable::of_signer(const identity::PeerId& signer) const {
  return count_in(tallies_.signers, signer).nodes;
}

void NodeTable::check_invariants() const {
  CHECK(entries_.size() <= config_.max_nodes);
  Tallies counted;
  for (const auto& [node, entry] : entries_) {
    charge(counted, entry, Direction::on);
    CHECK(!entry.endpoints.empty() && entry.endpoints.size() <= config_.max_endpoints);
    CHECK(entry.depth <= config_.max_depth);
    CHECK(!entry.public_key || identity::PeerId::of(*entry.public_key) == node);
    CHECK(entry.standing.is_sound() && entry.standing.was_reached() == !entry.place.empty());
    CHECK(!entry.is_configured() || (entry.depth == 0 && entry.named_by_owner));
  }
  CHECK(counted == tallies_);
  for (const auto& [source, number] : tallies_.sources) CHECK(number <= config_.max_per_source);
  for (const auto& [signer, of] : tallies_.signers) CHECK(of.nodes <= config_.max_per_signer);
  for (const auto& [place, of] : tallies_.places) CHECK(of.charged <= cap_of(place));
  for (const auto& [claim, number] : tallies_.claims) CHECK(number <= cap_of(claim.second));
  for (const auto& [depth, number] : tallies_.depths) CHECK(number <= config_.max_per_depth);
}

}  // namespace ekiden::bootstrap
