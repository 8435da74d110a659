// Neighbours: heartbeats over links, and whether both directions work.
//
// Inputs: links up and down, heartbeats, ticks. Outputs: heartbeats to send; who has fallen silent.
//
// A neighbour is *well* if it was heard and has shown by its echo that it hears us, both lately; two accrual detectors
// watch over that. A link over which only one direction works carries no conversation, and each side has to know: the
// one that hears nothing knows by itself, the other by the echo that no longer moves.
//
// Rules, and the attack that each stops:
//   - a sequence that is not larger than the last is not heard, and neither is an echo of what was never sent:
//     repeating or inventing heartbeats shows nothing. One count serves all links and begins with the time, so that it
//     grows also where a link takes the place of another, or a process that of its predecessor;
//   - heartbeats are taken at a rate.
//
// Bounds: Config::max_neighbours; further ones are not watched.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "flow/token_bucket.hpp"
#include "identity/peer_id.hpp"
#include "partition/accrual.hpp"
#include "partition/config.hpp"
#include "partition/messages.hpp"

namespace ekiden::partition {

class Neighbours {
 public:
  Neighbours(const Config& config, WallTime begun) : config_(config), sent_(to_unix_ms(begun)) {}

  /// False if it is one already, or there are too many.
  bool add(Instant now, const identity::PeerId& peer);
  /// True if it was well once.
  bool remove(const identity::PeerId& peer);

  struct Heard {
    bool is_first = false;  ///< on this link: answer at once, so that both soon know
    bool is_well_again = false;
    bool was_well = false;
  };
  /// Nothing: it did not count (repeated, too many, an echo of what was never sent, no neighbour).
  std::optional<Heard> hear(Instant now, const identity::PeerId& peer, const Heartbeat& heartbeat);
  /// The next heartbeat for it. REQUIRES: it is a neighbour.
  Heartbeat next(const identity::PeerId& peer);

  /// Those that were well and are no longer, each once.
  std::vector<identity::PeerId> fallen_silent(Instant now);
  /// We were not listening for so long.
  void forgive(Duration pause);

  bool contains(const identity::PeerId& peer) const { return neighbours_.contains(peer); }
  bool is_well(Instant now, const identity::PeerId& peer) const;
  /// It is no neighbour, or there is reason to doubt that it is there.
  bool is_doubtful(Instant now, const identity::PeerId& peer) const;
  /// May a statement be looked at that it has sent?
  bool spend_statement(Instant now, const identity::PeerId& peer);
  std::vector<identity::PeerId> well(Instant now) const;
  std::vector<identity::PeerId> all() const;
  std::size_t size() const { return neighbours_.size(); }
  /// In thousandths, the larger of both directions; nothing if it is no neighbour.
  std::optional<std::uint32_t> phi(Instant now, const identity::PeerId& peer) const;

 private:
  struct Neighbour {
    Neighbour(const Config& config, Instant now)
        : hears(config.accrual, now),
          is_heard(config.accrual, now),
          rate(config.heartbeats),
          statements(config.relayed) {}
    bool is_suspect(Instant now) const { return hears.is_suspect(now) || is_heard.is_suspect(now); }

    Accrual hears;     ///< heartbeats of the neighbour
    Accrual is_heard;  ///< echoes of ours
    flow::TokenBucket rate;
    flow::TokenBucket statements;
    std::uint64_t heard = 0;
    std::uint64_t echoed = 0;
    bool has_been_well = false;
    bool is_silent = false;
  };

  const Config& config_;
  std::uint64_t sent_;
  std::map<identity::PeerId, Neighbour> neighbours_;
};

}  // namespace ekiden::partition
