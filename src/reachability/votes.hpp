// At which address peers see us: the last word of each voter.
//
// A voter is an address prefix (on a private network a peer), and has one vote: who says something else takes back what
// it said before. Attack: one host with many identities that votes us to an address of its choice, or floods us with
// addresses; both need as many networks as there are votes to win, and what wins is still only dialled back.
//
// Bounds: `max_votes`; the oldest makes room.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <variant>

#include "base/time.hpp"
#include "identity/node_info.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::reachability {

using Voter = std::variant<identity::AddressPrefix, identity::PeerId>;

class Votes {
 public:
  void put(const Voter& voter, const identity::SocketAddress& sees, Instant now, std::size_t max_votes) {
    if (max_votes == 0) return;
    if (votes_.size() >= max_votes && !votes_.contains(voter)) {
      votes_.erase(std::ranges::min_element(votes_, {}, [](const auto& vote) { return vote.second.at; }));
    }
    votes_.insert_or_assign(voter, Vote{sees, now});
  }

  void expire(Instant not_before) {
    std::erase_if(votes_, [&](const auto& vote) { return vote.second.at < not_before; });
  }

  std::size_t count(const identity::SocketAddress& address) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(votes_, [&](const auto& vote) { return vote.second.sees == address; }));
  }

  std::size_t size() const { return votes_.size(); }

 private:
  struct Vote {
    identity::SocketAddress sees;
    Instant at;
  };
  std::map<Voter, Vote> votes_;
};

}  // namespace ekiden::reachability
