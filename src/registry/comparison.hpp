// Comparison: finds out in what a neighbour's replica differs from ours, and moves what is missing on either side.
//
// Inputs: the neighbour's answers. Outputs: messages to it. It goes down the trie from the top, one level in a round
// trip, only where digests differ; of the leaves that it comes to it names what it has and wants what it has not. The
// first question says what is below our top, so that the answer is about the level below. So the cost grows with the
// difference: for n entries of which d differ about log16(n/32) round trips and d times 300 bytes, then one and a half
// for the entries.
//
// Rules, and why:
//   - only what was asked for is an answer: a neighbour cannot make us look at more, nor at anything twice;
//   - a level is asked for when all of the one above has come, so that the number of round trips does not depend on how
//     much differs;
//   - what we do not get to, because a bound is reached, is left to the next comparison.
//
// Timers: none; whoever holds it gives it up in time. Bounds: max_asked places, max_moved entries in each direction.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "base/result.hpp"
#include "registry/config.hpp"
#include "registry/packer.hpp"
#include "registry/replica.hpp"

namespace ekiden::registry {

class Comparison {
 public:
  /// `config` and `replica` outlive this. REQUIRES: round is not 0.
  Comparison(const Config& config, const Replica& replica, std::uint32_t round, const Salt& salt)
      : config_(config), replica_(replica), round_(round), salt_(salt) {}

  /// The first question. Call once.
  Messages begin();
  /// The body of a message; of another round: nothing. Errors: malformed, refused (what nobody has asked for).
  Result<Messages> on_places(ByteView body);
  /// What the neighbour wants of ours, and whether there is more to come. Errors: refused (what was not offered).
  Result<Messages> on_entries(const Entries& message);

  bool is_over() const { return asked_.empty() && next_.empty() && waiting_ == 0; }
  /// The replicas were not the same.
  bool has_differed() const { return has_differed_; }
  /// There was more than one comparison may move.
  bool is_cut() const { return is_cut_; }

 private:
  Status look(const Place& place);
  void look_at_children(const Path& path, const Place& place);
  void look_at_leaf(const Path& path, const Place& place);
  Messages next_level();
  Messages wants();

  const Config& config_;
  const Replica& replica_;
  const std::uint32_t round_;
  const Salt salt_;
  bool is_beginning_ = true;  ///< no answer has come yet
  std::set<Path> asked_;
  std::vector<Path> next_;
  std::size_t looked_at_ = 0;
  std::vector<Wanted> wanted_;
  std::size_t wanted_count_ = 0;
  std::vector<Have> have_;
  std::set<EntryId> offered_;
  std::size_t waiting_ = 0;  ///< wants without their last answer
  bool has_differed_ = false;
  bool is_cut_ = false;
};

}  // namespace ekiden::registry
