// One iterative lookup: which node to ask next, and when to stop. It sends nothing and knows no values; the engine asks
// for next(), and tells what became of it.
//
// Nodes that are known are dealt to `paths` disjoint paths: a node is asked on one path only, and what it tells belongs
// to that path. A path asks the closest nodes that it knows, `alpha` at a time, and `quorum` at a time once a value was
// found: then the closest are near, and whoever must answer is asked at once instead of in turn. `strays` queries to
// nodes that are no longer among the closest `width` do not count. A path is over when the closest `width` of its nodes
// that are alive have answered (on whichever path), or when it has asked max_queries_per_path. The lookup is over when
// all its paths are.
//
// Rules, and the attack that each stops:
//   - disjoint paths: a liar who names only its friends leads one path astray, and the others arrive (S/Kademlia);
//   - who names max_bad_tips nodes that fail, and none that answers, is not believed further: invented nodes cost a
//     few queries and not all of them;
//   - a bound of candidates and of queries by path: what others tell costs no more, and a path that is led astray takes
//     none of those of the others. Of candidates also by address prefix, over all paths: the places of a prefix can be
//     taken by invented nodes, for those who keep a value are spread over many;
//   - a node told with two addresses is tried at both: a wrong address told first does not hide it.
//
// Bounds: max_lookup_nodes candidates of about 200 bytes. Timers: next_slow(): a query without an answer for
// `slow_after` makes room for another one and is no longer waited for if enough others have answered.
//
// Sources: Kademlia, section 2.3; Baumgart and Mies, "S/Kademlia: A Practicable Approach Towards Secure Key-Based
// Routing", section 4.4; BEP 5. The short timeout is common practice, and so is the parallelism that counts only the
// closest ("loose": Stutzbach and Rejaie, "Improving Lookup Performance over a Widely-Deployed DHT").
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "dht/config.hpp"
#include "dht/key.hpp"
#include "identity/address.hpp"
#include "identity/node_info.hpp"

namespace ekiden::dht {

/// What became of a query of a lookup.
enum class StepOutcome : std::uint8_t { waiting, answered, failed };

/// One query of a lookup, for people who ask why.
struct Step {
  identity::PeerId node;
  identity::SocketAddress at;
  std::uint8_t path = 0;
  std::uint8_t depth = 0;  ///< 1: known to us; n + 1: told by one of depth n.
  StepOutcome outcome = StepOutcome::waiting;
  bool had_value = false;
  Duration took{};  ///< Of an answer.

  friend bool operator==(const Step&, const Step&) = default;
};

class Lookup {
 public:
  using Index = std::uint16_t;

  struct Node {
    identity::PeerId id;
    identity::NodeInfo info;
    Distance distance;
    identity::AddressPrefix prefix;
    std::optional<identity::SocketAddress> other;  ///< Where somebody else says that it is; tried once.
    Instant asked_at{};
    Duration took{};
    Index teller = 0;        ///< Who told of it: kUs, kMany, or a node.
    std::uint8_t paths = 0;  ///< A bit for each path that knows it.
    std::uint8_t home = 0;   ///< The first path that knew it; its place counts there.
    std::uint8_t path = 0;   ///< On which it was asked.
    std::uint8_t depth = 1;
    std::uint8_t bad_tips = 0;
    bool gave_good_tip = false;
    bool is_slow = false;
    bool has_moved = false;  ///< It was told with another address before.
    bool had_value = false;
    enum class State : std::uint8_t { fresh, asked, answered, failed, dropped } state = State::fresh;
  };

  static constexpr Index kUs = 0xffff;    ///< Teller of nodes from our own table.
  static constexpr Index kMany = 0xfffe;  ///< Told by several.

  /// `config` outlives the lookup. `width`: how many of the closest must answer.
  Lookup(const Key& target, std::size_t width, const Config& config);

  /// A node of our own table; they are dealt to the paths in turn.
  void seed(const identity::PeerId& id, const identity::NodeInfo& info);
  /// The same without regard to max_lookup_prefix.
  void seed_local(const identity::PeerId& id, const identity::NodeInfo& info);

  /// A node with that key, if the lookup has it: saves hashing what was told before.
  std::optional<Index> find(const crypto::Ed25519PublicKey& key) const;
  /// `teller` told again of a node that the lookup has.
  void hear_again(Index teller, Index known, const identity::SocketAddress& at);
  /// `teller` told of a node that the lookup does not have. Dropped when it is over a bound.
  void hear(Index teller, const identity::PeerId& id, const identity::NodeInfo& info);

  /// Whom to ask now; it counts as asked. Call until there is nobody.
  std::optional<Index> next(Instant now);
  void answered(Instant now, Index node);
  void failed(Index node);
  void note_value(Index node) { nodes_[node].had_value = has_value_ = true; }

  /// When a query becomes slow, and that it did.
  std::optional<Instant> next_slow() const;
  void mark_slow(Instant now);

  /// From now on so many of the closest must answer. Never less than before.
  void widen(std::size_t width);
  bool is_finished() const;

  const Key& target() const { return target_; }
  const Node& node(Index index) const { return nodes_[index]; }
  std::size_t width() const { return width_; }
  std::size_t asked_count() const { return asked_.size(); }
  std::size_t count(Node::State state) const;
  std::size_t rounds() const { return rounds_; }
  /// The closest `count` that answered, closest first.
  std::vector<Index> closest_answered(std::size_t count) const;
  /// Those that answered among the closest `count` that are known and do not fail, closest first: whoever is farther
  /// is on the way to the target and not near it.
  std::vector<Index> answered_among_closest(std::size_t count) const;
  /// The first `max_steps` queries in the order in which they were sent.
  std::vector<Step> trail(std::size_t max_steps) const;

  void check_invariants() const;

 private:
  using State = Node::State;
  struct Scan {
    bool is_over = false;
    std::size_t waiting = 0;     ///< Queries of this path to nodes among the closest.
    std::optional<Index> fresh;  ///< The closest to ask.
  };

  std::uint8_t told_on(Index teller) const;
  static std::uint64_t mark_of(const crypto::Ed25519PublicKey& key) { return get_be<std::uint64_t>(key.bytes); }
  Node first_node(const identity::PeerId& id, const identity::NodeInfo& info);
  bool is_crowded(const Node& node) const;
  bool place(Node node);
  std::optional<Index> replaceable(const Node& newcomer) const;
  Scan scan(std::size_t path) const;
  std::size_t under_way(std::size_t path) const;
  std::size_t parallel() const { return has_value_ ? std::max(config_.alpha, config_.quorum) : config_.alpha; }
  void blame(Index teller);
  static bool move(Node& node);

  Key target_;
  std::size_t width_;
  const Config& config_;
  std::vector<Node> nodes_;
  std::vector<std::uint64_t> marks_;  ///< Beginnings of their keys: the others are not looked at to find one.
  std::vector<Index> order_;          ///< Closest first.
  std::vector<Index> asked_;          ///< In the order of asking; a node tried at two addresses is there twice.
  std::vector<std::size_t> spent_;    ///< Queries of each path.
  std::size_t dealt_ = 0;
  std::size_t rounds_ = 0;
  bool has_value_ = false;
};

}  // namespace ekiden::dht
