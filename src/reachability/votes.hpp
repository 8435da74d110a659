// At which address peers see us: the last word of each voter.
//
// A voter is an address prefix (on a private network a peer), and has one vote: who says something else takes back what
// it said before. Attack: one host with many identities that votes us to an address of its choice, or floods us with
// addresses; both need as many networks as there are votes to win, and what wins is still only dialled back.
//
// Bounds: `max_votes`; the oldest makes room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <variant>

#include "base/lru_map.hpp"
#include "base/time.hpp"
#include "identity/node_info.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::reachability {

using Voter = std::variant<identity::AddressPrefix, identity::PeerId>;

class Votes {
 public:
  /// REQUIRES: `now` is no earlier than at the last call.
  void put(const Voter& voter, const identity::SocketAddress& sees, Instant now, std::size_t max_votes) {
    if (max_votes == 0) return;
    if (votes_.peek(voter) != nullptr) {
      withdraw(voter);
    } else if (votes_.size() >= max_votes) {
      withdraw(Voter(votes_.oldest()));
    }
    votes_.put(voter, Vote{sees, now});
    ++counts_[sees];
  }

  void expire(Instant not_before) {
    while (votes_.size() > 0 && votes_.peek(votes_.oldest())->at < not_before) withdraw(Voter(votes_.oldest()));
  }

  std::size_t count(const identity::SocketAddress& address) const {
    const auto found = counts_.find(address);
    return found == counts_.end() ? 0 : found->second;
  }

  std::size_t size() const { return votes_.size(); }

 private:
  struct Vote {
    identity::SocketAddress sees;
    Instant at;
  };

  void withdraw(const Voter& voter) {
    const auto counted = counts_.find(votes_.peek(voter)->sees);
    if (--counted->second == 0) counts_.erase(counted);
    votes_.erase(voter);
  }

  LruMap<Voter, Vote> votes_{SIZE_MAX};  ///< put() knows the maximum.
  std::map<identity::SocketAddress, std::size_t> counts_;
};

}  // namespace ekiden::reachability
