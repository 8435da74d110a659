// At which address peers see us: the last word of each voter.
//
// A voter is an address prefix (on a private network a peer), and has one vote: who says something else takes back what
// it said before. Attack: one host with many identities that votes us to an address of its choice, or floods us with
// addresses; both need as many networks as there are votes to win, and what wins is still only dialled back.
//
// Bounds: `max_votes`; the oldest makes room.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <variant>

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
    if (const auto known = by_voter_.find(voter); known != by_voter_.end()) {
      withdraw(known->second);
    } else if (votes_.size() >= max_votes) {
      withdraw(votes_.begin());
    }
    const auto vote = votes_.insert(votes_.end(), Vote{voter, sees, now});
    by_voter_.emplace(voter, vote);
    ++counts_[sees];
  }

  void expire(Instant not_before) {
    while (!votes_.empty() && votes_.front().at < not_before) withdraw(votes_.begin());
  }

  std::size_t count(const identity::SocketAddress& address) const {
    const auto found = counts_.find(address);
    return found == counts_.end() ? 0 : found->second;
  }

  std::size_t size() const { return votes_.size(); }

 private:
  struct Vote {
    Voter voter;
    identity::SocketAddress sees;
    Instant at;
  };
  using Place = std::list<Vote>::iterator;

  void withdraw(Place vote) {
    const auto counted = counts_.find(vote->sees);
    if (--counted->second == 0) counts_.erase(counted);
    by_voter_.erase(vote->voter);
    votes_.erase(vote);
  }

  std::list<Vote> votes_;  ///< The oldest first.
  std::map<Voter, Place> by_voter_;
  std::map<identity::SocketAddress, std::size_t> counts_;
};

}  // namespace ekiden::reachability
