// Which of several peers that offer the same is asked first.
//
// A plain value: it remembers how the latest questions to each peer ended, and ranks candidates by points:
//
//   a link is open              +1000   no time is lost, and it is there
//   round trip of that link      -1 per millisecond, at most -200
//   trusted, or a contact       +300, +200
//   it answered lately           +100
//   each failure in a row        -600, at most three of them count; forgotten after `kForget`
//
// so that a linked peer that failed once is asked after a linked one that did not, but before one without a link, and
// one that failed twice comes after those. Among equals the order is random: those who offer the same share the work.
//
// Bounds: kMaxPeers, the least recently used forgotten first. No timers.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "base/lru_map.hpp"
#include "base/rng.hpp"
#include "router/question.hpp"

namespace ekiden::router {

class Providers {
 public:
  static constexpr std::size_t kMaxPeers = 4096;
  static constexpr Duration kForget = minutes(10);

  /// It answered what it was asked.
  void on_success(Now now, const identity::PeerId& peer);
  /// It could not be reached, did not answer in time, or does not offer it any more.
  void on_failure(Now now, const identity::PeerId& peer);

  std::int64_t points(Now now, const Candidate& candidate, bool is_linked) const;
  bool has_failed(Now now, const identity::PeerId& peer) const;

  /// Best first.
  void rank(Now now, std::vector<Candidate>& candidates, const std::set<identity::PeerId>& links, Rng& rng) const;

 private:
  struct Experience {
    std::uint32_t failures = 0;  ///< in a row
    Instant at{};                ///< of the last question that ended
  };

  LruMap<identity::PeerId, Experience> peers_{kMaxPeers};
};

}  // namespace ekiden::router
