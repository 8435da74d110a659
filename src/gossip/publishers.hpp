// The numbers of a publisher's items that were here: what is new, what is played again, what is missing.
//
// Each publisher has a window of kWindow numbers below the highest that was seen, for each of its last two runs. An
// item below the window, of an older run, or with a number that was here, is not delivered again. Numbers below the
// first that was seen are missing if they are of the first window of a run: so is found what was lost of its beginning.
// If they are not, they are not: whoever joins late has missed nothing.
//
// Bounds: max_publishers, of which the least recently heard goes. Invariant: the windows hold the two largest runs.
//
// Rules, and the attack that each stops:
//   - a publisher that jumps to the largest number shuts out nobody but itself;
//   - two items with one number: the first counts, everywhere where it came first. Publishers are not asked to agree
//     with themselves;
//   - each publisher has a rate of its own, so that one that floods is not heard at the cost of others.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <vector>

#include "base/lru_map.hpp"
#include "base/time.hpp"
#include "flow/token_bucket.hpp"
#include "gossip/config.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::gossip {

enum class Novelty : std::uint8_t {
  fresh,
  repeated,  ///< its number was here
  stale,     ///< too old to tell
};

class Publishers {
 public:
  static constexpr std::size_t kWindow = 512;

  explicit Publishers(const Config& config)
      : rate_{config.published_per_second, config.publish_burst}, publishers_(config.max_publishers) {}

  Novelty judge(const identity::PeerId& publisher, std::uint64_t run, std::uint64_t sequence) const;
  /// False if it publishes too much. Of those that are followed: one that is new starts with its burst.
  bool spend(Now now, const identity::PeerId& publisher);
  /// True once for each publisher that is followed: that it publishes too much is told.
  bool blame(const identity::PeerId& publisher);
  /// REQUIRES: judge() said fresh.
  void note(const identity::PeerId& publisher, std::uint64_t run, std::uint64_t sequence);

  /// Whether any number of this publisher is missing.
  bool has_gap(const identity::PeerId& publisher) const;
  /// Of whom numbers are missing, at most `max`: those heard last.
  std::vector<identity::PeerId> with_gaps(std::size_t max) const;
  /// Numbers that are missing are given up.
  void close_gaps();
  std::size_t size() const { return publishers_.size(); }

 private:
  struct Window {
    std::uint64_t run = 0;
    std::uint64_t first = 0;    ///< seen, or given up below it
    std::uint64_t highest = 0;  ///< seen
    std::bitset<kWindow> seen;  ///< bit i: highest - i

    bool has_gap() const;
  };
  struct Publisher {
    std::vector<Window> windows;  ///< at most two, the newer run first
    flow::TokenBucket rate;
    bool is_blamed = false;
  };

  flow::Rate rate_;
  LruMap<identity::PeerId, Publisher> publishers_;
};

}  // namespace ekiden::gossip
