// What came of the broadcasts of a simulation: who heard each, how often, over how many hops.
//
// The referee of topics. Everybody who is up subscribes to one topic. Rules: what is heard is what was published, by
// whom it says; nobody hears an item twice between two boots, nor one of its own.
//
// Figures are of the items that were published while measuring: an overlay that is made, and the first items, which
// make its tree, cost more.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "sim/network.hpp"

namespace ekiden::sim {

/// To which everybody subscribes.
inline const std::string kBroadcastTopic = "news";

class Broadcasts {
 public:
  struct Totals {
    std::uint64_t published = 0;  ///< while measuring, as all that follows
    std::uint64_t expected = 0;   ///< deliveries to hosts that were there from the publication to the end
    std::uint64_t delivered = 0;  ///< of these
    std::uint64_t copies = 0;     ///< items that came to those hosts, the first of each included
    std::uint64_t ids = 0;        ///< of items that were announced to them
    std::uint64_t hops_last = 0;  ///< of the delivery that took most of them, added up over all items

    std::uint64_t delivered_ppm() const { return expected == 0 ? 0 : delivered * 1'000'000 / expected; }
    std::uint64_t copies_milli() const { return delivered == 0 ? 0 : copies * 1000 / delivered; }
    /// Counting announcements as copies.
    std::uint64_t all_milli() const { return delivered == 0 ? 0 : (copies + ids) * 1000 / delivered; }
    std::uint64_t hops_milli() const { return published == 0 ? 0 : hops_last * 1000 / published; }
  };

  /// What begins each payload; others follow.
  static constexpr std::size_t kNumberSize = 8;

  /// A new item of `size` bytes, at least kNumberSize, which the hosts in `there` are to hear.
  Bytes publish(HostIndex from, std::size_t size, std::set<HostIndex> there, bool measured);
  /// Errors: a rule that is broken.
  std::vector<std::string> heard(HostIndex host, std::uint64_t boot, HostIndex from, ByteView payload,
                                 std::uint32_t hops);
  /// It went down: what it has not heard is not owed to it.
  void gone(HostIndex host);

  /// Without copies and ids.
  Totals totals() const;

 private:
  struct Item {
    HostIndex from = 0;
    std::size_t size = 0;
    std::set<HostIndex> expected = {};
    std::set<HostIndex> delivered = {};  ///< of these
    std::set<std::pair<HostIndex, std::uint64_t>> heard = {};
    std::uint32_t hops_last = 0;
    bool measured = false;
  };

  std::map<std::uint64_t, Item> items_;  ///< by their number
};

/// Levels of a tree of so many nodes, where each hands on to all its neighbours but one: the logarithm to that base,
/// rounded up.
std::uint32_t ideal_hops(std::uint64_t nodes, std::uint64_t neighbours);

}  // namespace ekiden::sim
