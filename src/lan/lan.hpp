// Finding peers on the local network: when to say that we are here, and whose word to remember.
//
// Inputs: start with the ports of this node, beacons that others said, time. Outputs: Say (to everybody on the local
// network), Heard (a peer is at this address), Forgotten (an address of a peer is over). Timers, pulled through
// deadline(): the next beacon of ours, an answer, the end of what was heard. Randomness: jitter.
//
// How it goes. A node says its beacon at the start, a few times, asking for answers; then every `interval`. Whoever
// hears a question or a newcomer says his own beacon after a random delay: all know each other within about a second.
// Beacons that wait to be said are one beacon, and one is said to all, so a crowd that comes at once costs each node
// one beacon a second at the most.
//
// Rules, and the attack that each stops:
//   - a beacon counts if it verifies and comes from an address of a local network: nothing of the internet gets in
//     here. Its ports go with that address and no other, so that nobody can be pointed at a third machine;
//   - what is heard is a hint: whoever is contacted there has to prove its key before anything else happens;
//   - signatures are checked within a rate, in total and for each source (a flood of beacons);
//   - what is remembered is bounded (lan/peers.hpp);
//   - an answer is the same bytes as any beacon of ours, at most one in `min_pause`: nobody is made to amplify.
//
// Bounds: those of lan/config.hpp. No time of others is read: beacons carry none.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "base/bytes.hpp"
#include "base/lru_map.hpp"
#include "base/outbox.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "flow/token_bucket.hpp"
#include "identity/identity.hpp"
#include "identity/node_info.hpp"
#include "lan/config.hpp"
#include "lan/peers.hpp"

namespace ekiden::lan {

/// Where this node is, at whatever address others hear it.
struct Ports {
  std::uint16_t udp = 0;  ///< Not 0.
  std::uint16_t tcp = 0;  ///< 0: it takes no links.
};

struct Say {
  Bytes beacon;
};
struct Heard {
  identity::NodeInfo node;  ///< With its UDP port.
  bool is_news = false;     ///< It was not known to be there, or has just started.
};
/// One of its addresses, or its last.
struct Forgotten {
  identity::PeerId peer;
};

struct LanStatus {
  bool on = false;
  std::size_t peers = 0;
  std::uint64_t said = 0;
  std::uint64_t heard = 0;    ///< Beacons of others that counted.
  std::uint64_t dropped = 0;  ///< Those that did not: not valid, not from the local network, too many.
};

class Lan {
 public:
  using Effect = std::variant<Say, Heard, Forgotten>;

  /// `self` outlives it.
  Lan(const identity::Identity& self, Config config, Rng rng);
  Lan(const Lan&) = delete;
  Lan& operator=(const Lan&) = delete;

  /// From now on it says and hears. Call at most once. REQUIRES: a UDP port.
  void start(Now now, Ports ports, Outbox<Effect>& out);
  /// From now on it is silent, and deaf.
  void stop();

  void on_beacon(Now now, const identity::SocketAddress& from, ByteView bytes, Outbox<Effect>& out);

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Outbox<Effect>& out);

  // Queries.

  /// Heard lately; nullptr otherwise. Valid until the next call that is not const.
  const Peer* find(const identity::PeerId& peer) const { return peers_.find(peer); }
  const Peers& peers() const { return peers_; }
  LanStatus status() const;

  void check_invariants() const;

 private:
  bool may_hear(const identity::IpAddress& from) const;
  bool spend_check(Instant now, const identity::IpAddress& from);
  void say(Now now, const Bytes& beacon, Outbox<Effect>& out);
  void plan_answer(Instant now);

  const identity::Identity& self_;
  const Config config_;
  Rng rng_;
  Peers peers_;
  flow::TokenBucket checks_;
  LruMap<identity::IpAddress, flow::TokenBucket> sources_;
  bool on_ = false;
  Bytes here_;    ///< Our beacon.
  Bytes asking_;  ///< The one that asks.
  std::size_t asks_left_ = 0;
  Duration ask_wait_{};
  std::optional<Instant> next_;    ///< Of our own accord.
  std::optional<Instant> answer_;  ///< Because somebody asked.
  std::optional<Instant> said_;
  LanStatus counters_;
};

}  // namespace ekiden::lan
