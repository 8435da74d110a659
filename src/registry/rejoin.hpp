// Rejoin: members to which the link was lost are dialled again and again, one at a time, so that the two sides of a
// split meet soon after it is over, however long it was.
//
// Inputs: links of members up and lost, time. Output: whom to try now; whom to keep. Whoever was lost and has come back
// is kept as a bridge: the overlay that gives a member its neighbours has healed on each side for itself, and without
// such links nothing would lead from one side to the other.
//
// Bounds: max_lost members, the longest lost first to go, for lost_for; max_bridges. Timers: the next attempt.
#pragma once

#include <optional>
#include <vector>

#include "base/lru_map.hpp"
#include "base/rng.hpp"
#include "identity/peer_id.hpp"
#include "registry/config.hpp"

namespace ekiden::registry {

class Rejoin {
 public:
  /// `config` and `rng` outlive this.
  Rejoin(const Config& config, Rng& rng) : config_(config), rng_(rng), lost_(config.max_lost) {}

  void on_lost(Now now, const identity::PeerId& peer) {
    lost_.put(peer, now.mono);
    plan(now);
  }

  /// A link has come up. Whom to keep no longer in its place, if it had been lost and so is kept.
  struct Kept {
    bool is_bridge = false;
    std::optional<identity::PeerId> dropped;
  };
  Kept on_up(const identity::PeerId& peer) {
    if (lost_.peek(peer) == nullptr) return {};
    lost_.erase(peer);
    Kept kept{.is_bridge = true, .dropped = {}};
    std::erase(bridges_, peer);
    bridges_.push_back(peer);
    if (bridges_.size() > config_.max_bridges) {
      kept.dropped = bridges_.front();
      bridges_.erase(bridges_.begin());
    }
    return kept;
  }
  void forget(const identity::PeerId& peer) { lost_.erase(peer); }
  /// True if it was one.
  bool drop_bridge(const identity::PeerId& peer) { return std::erase(bridges_, peer) != 0; }

  std::optional<Instant> deadline() const { return next_; }
  /// Whom to dial, if it is time.
  std::optional<identity::PeerId> next(Now now) {
    if (!next_ || now.mono < *next_) return std::nullopt;
    next_.reset();
    std::vector<identity::PeerId> peers;
    std::vector<identity::PeerId> over;
    for (const auto& [peer, since] : lost_) (now.mono < since + config_.lost_for ? peers : over).push_back(peer);
    for (const identity::PeerId& peer : over) lost_.erase(peer);
    if (peers.empty()) return std::nullopt;
    plan(now);
    return peers[rng_.below(peers.size())];
  }

 private:
  void plan(Now now) {
    if (!next_) next_ = now.mono + rng_.between(config_.rejoin_every / 2, config_.rejoin_every);
  }

  const Config& config_;
  Rng& rng_;
  LruMap<identity::PeerId, Instant> lost_;
  std::vector<identity::PeerId> bridges_;  ///< the oldest first
  std::optional<Instant> next_;
};

}  // namespace ekiden::registry
