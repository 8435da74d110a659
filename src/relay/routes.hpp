// The route cache: by which relays somebody can be reached, and how well that went.
//
// Inputs: routes that a request or a verified path has shown; what became of packets sent by them. Output: the best one
// whose first relay is a neighbour now.
//
// A route begins with a score of kFirstScore of kFullScore. A success moves it a quarter of the rest upwards, a failure
// halves it (once in kFailureGap, for what is lost is lost together); under kLeastScore the route goes, and its relays
// are suspects for kSuspectFor: a relay that takes and drops (a black hole) costs three failures once, and not each
// sender's patience for each message. Routes that were of no use for `lifetime` go too. A route that has only carried
// something towards us comes before those that have carried nothing, unless it has failed, and behind those that have
// been seen to carry what we send: a black hole hands on what finds routes, and nothing else.
//
// Bounds: kMaxRoutes for each of `max_peers` peers, the least recently used peer goes; kMaxSuspects. Invariants: routes
// of one peer differ; none holds a node twice or the peer itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/lru_map.hpp"
#include "base/time.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::relay {

inline constexpr std::size_t kMaxRoutes = 4;
inline constexpr std::size_t kMaxSuspects = 1024;
inline constexpr std::uint32_t kFullScore = 1000;
inline constexpr std::uint32_t kFirstScore = 600;
inline constexpr std::uint32_t kCarriedScore = 650;
inline constexpr std::uint32_t kLeastScore = 100;
inline constexpr Duration kFailureGap = seconds(1);
inline constexpr Duration kSuspectFor = minutes(5);

/// Relays, ours first. Never empty.
using Way = std::vector<identity::PeerId>;

inline bool is_on(const Way& way, const identity::PeerId& node) { return std::ranges::find(way, node) != way.end(); }

/// True if no relay is on both.
bool are_disjoint(const Way& a, const Way& b);

class Routes {
 public:
  using IsNeighbour = std::function<bool(const identity::PeerId&)>;

  Routes(std::size_t max_peers, Duration lifetime) : lifetime_(lifetime), peers_(max_peers), suspects_(kMaxSuspects) {}

  /// It has been seen to work. A known one is fresh again. Among too many the one of the least score goes.
  void add(Instant now, const identity::PeerId& to, Way way);
  /// A message of `to` has come by it.
  void carried(const identity::PeerId& to, const Way& way);
  void succeeded(Instant now, const identity::PeerId& to, const Way& way);
  void failed(Instant now, const identity::PeerId& to, const Way& way);
  /// It does not exist any more.
  void remove(const identity::PeerId& to, const Way& way);

  /// The best by score whose first relay is a neighbour; of equals the shorter, then the one that came first. One that
  /// shares no relay with `other` is preferred to all that do.
  std::optional<Way> best(Instant now, const identity::PeerId& to, const IsNeighbour& is_neighbour,
                          const Way& other = {});
  /// The relays of all routes to this peer.
  std::vector<identity::PeerId> relays_to(const identity::PeerId& to) const;
  std::size_t count(const identity::PeerId& to) const;

  bool is_suspect(Instant now, const identity::PeerId& relay) const;

  std::size_t size() const { return peers_.size(); }

 private:
  struct Route {
    Way way;
    std::uint32_t score = kFirstScore;
    Instant useful{};
    std::optional<Instant> failed = {};  ///< when it was counted last
  };

  Route* find(const identity::PeerId& to, const Way& way);

  Duration lifetime_;
  LruMap<identity::PeerId, std::vector<Route>> peers_;
  LruMap<identity::PeerId, Instant> suspects_;  ///< until when
};

}  // namespace ekiden::relay
