// Anomalies: signs of a split that other engines see, by the peer they concern: items of a publisher that are missing,
// replicas that differ.
//
// Inputs: seen, gone. Output: how many have lasted. No timers. Bounds: `max` peers, further ones are not noted; one
// that was not seen for `lasts` counts no more.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>

#include "base/time.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::partition {

class Anomalies {
 public:
  Anomalies(std::size_t max, Duration lasts) : max_(max), lasts_(lasts) {}

  void seen(Instant now, const identity::PeerId& peer) {
    expire(now);
    if (const auto found = peers_.find(peer); found != peers_.end()) {
      found->second.last = now;
    } else if (peers_.size() < max_) {
      peers_.emplace(peer, Span{now, now});
    }
  }
  void gone(const identity::PeerId& peer) { peers_.erase(peer); }
  void expire(Instant now) {
    std::erase_if(peers_, [&](const auto& entry) { return now - entry.second.last > lasts_; });
  }

  std::size_t size() const { return peers_.size(); }
  /// Those seen for at least so long.
  std::size_t lasting(Instant now, Duration at_least) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(peers_, [&](const auto& entry) { return now - entry.second.first >= at_least; }));
  }

 private:
  struct Span {
    Instant first;
    Instant last;
  };
  std::size_t max_;
  Duration lasts_;
  std::map<identity::PeerId, Span> peers_;
};

}  // namespace ekiden::partition
