// The sender's side of conversations: says of each ordered message where it stands, so that the recipient can tell what
// is missing before it (router/inbox_order.cpp).
//
// Inputs: append (a message is accepted), settle (it was delivered, or expired); after a restart, restore (it is still
// in the outbox) and recall (it is in the history). Outputs: the Order of each message. No timers.
//
// What is known of a conversation, its chain, is on disk with the messages: in the rows of the outbox, and of those
// that are settled in the history. No row is written for it alone. A chain that is forgotten begins anew with a place
// above all former ones, and with the words that nothing is known of what was before; so forgetting tells no false gap.
//
// Bounds: chains with unsettled messages, for each peer; kMaxIdle without any, over all peers, the oldest forgotten.
// Invariants: places and sequences of a chain ascend; `delivered` is below the next place; a chain is in one of the two
// lists, in `busy_` as long as it has unsettled messages.
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <string>

#include "base/result.hpp"
#include "identity/peer_id.hpp"
#include "router/rows.hpp"

namespace ekiden::router {

class Conversations {
 public:
  static constexpr std::size_t kMaxIdle = 16'384;

  struct Chain;

  explicit Conversations(std::size_t max_per_peer) : max_per_peer_(max_per_peer) {}

  /// Whether one more message may be appended. Errors: limit_exceeded.
  Status check(const identity::PeerId& peer, const std::string& name) const;
  /// Fills `order`, whose conversation is set. The chain stays where it is until the message is settled. REQUIRES:
  /// check() says yes; `sequence` is above all before it.
  Chain& append(const identity::PeerId& peer, std::uint64_t sequence, WallTime accepted, WallTime expires,
                Order& order);
  void settle(Chain& chain, std::uint64_t place, bool delivered);

  /// A message that is not settled, from the outbox; in ascending order of sequences.
  Chain& restore(const identity::PeerId& peer, std::uint64_t sequence, WallTime expires, const Order& order);
  /// One that is, from the history.
  void recall(const identity::PeerId& peer, const KeptPlace& placed, bool delivered);

  /// Which priority a new message of the chain has when its turn to be sealed is decided: not before those before it,
  /// for it would only wait at the recipient, in a place that they may need.
  static wire::Priority rank(Chain& chain, wire::Priority priority);
  static std::uint64_t delivered(const Chain& chain);
  void check_invariants() const;

 private:
  struct Peer {
    std::map<std::string, Chain> chains;
    std::size_t busy = 0;
  };
  using Peers = std::map<identity::PeerId, Peer>;

  Chain& chain_of(const identity::PeerId& peer, const std::string& name);
  void add(Chain& chain);
  void trim();

  std::size_t max_per_peer_;
  Peers peers_;
  std::list<Chain*> busy_;
  std::list<Chain*> idle_;  ///< the one that has been idle for the longest first
};

struct Conversations::Chain {
  identity::PeerId peer;
  std::string name;
  std::uint64_t sequence = 0;   ///< of the last message; 0: none yet
  std::uint64_t place = 0;      ///< of the last message
  std::uint64_t delivered = 0;  ///< the highest place of a message delivered, or of which nothing is known
  WallTime expires{};           ///< of the last message
  WallTime earlier{};           ///< the latest of those before it, since the chain was idle
  std::size_t unsettled = 0;
  wire::Priority rank = wire::Priority::critical;  ///< the lowest priority since the chain was idle
  std::list<Chain*>::iterator listed{};
};

inline wire::Priority Conversations::rank(Chain& chain, wire::Priority priority) {
  chain.rank = chain.unsettled > 1 ? std::max(chain.rank, priority) : priority;
  return chain.rank;
}

inline std::uint64_t Conversations::delivered(const Chain& chain) { return chain.delivered; }

}  // namespace ekiden::router
