// Discovery of nodes to join through: from the configuration, from memory, and from what reachable nodes know.
//
// Inputs: seeds and signed lists of the configuration, each with the name of its source; what probes found; rows from
// the disk; time. Outputs: Probe (the driver dials or asks over UDP), Candidate (join through this node now), Write
// (scores), Notice. Timers: probes that nobody answers, back-off, re-probing, flushing of scores. Randomness: jitter.
//
// How it goes. Configured nodes are probed. Each that proves its key is a candidate, and is asked for its own signed
// list; the nodes of that list are probed in turn, and so on to `max_depth` steps from the configuration: a search in
// breadth, nearer nodes first. What was reached is probed again every `reprobe_interval`, asked again after
// `list_interval_min`, doubling up to `list_interval`, and remembered on disk with its score. A node that has run
// before offers the best of what it remembers before anybody has answered, and needs no list at all.
//
// Nobody needs all of them to join, and everybody who starts has the same list: so only as many are probed at once as
// it takes until `enough` are up, chosen at random; the first probes of the others spread over `survey_interval`.
//
// Bounds: those of bootstrap/config.hpp; the caps on who can name how many are explained in bootstrap/node_table.hpp.
// A probe is one dial or datagram exchange, so what this engine costs others is bounded by `max_parallel`, and what it
// costs the one node by `retry_min`, `reprobe_interval` and, if it is dead, `burial`.
//
// Rules, and the attack that each stops:
//  1. A list of a node counts only if that node signed it. (A node could otherwise speak for others, and a list once
//     signed could be replayed by anybody.) Older than one seen before: refused.
//  2. A list that is oversized, malformed, badly signed, expired or from the future changes nothing but when its node
//     is asked again: the interval doubles with each.
//  3. Ourselves, the signer in its own list, and nodes that are known already take no new place: cycles end there. A
//     known node that turns out to be nearer is moved nearer, which can happen `max_depth` times.
//  4. Who names a node first does not own it: until the node is reached, the addresses of others count too, the newest
//     first. (A liar names an honest node at a dead address.) What the node says of itself, in its verified record,
//     then replaces what others said.
//  5. Addresses of lists obey may_dial(), before the probe and, resolved, after it; and the prefix at which a name was
//     reached is counted like an address. (DNS rebinding; a thousand names for one victim or one attacker.)
//  6. Failures count against a node only while others are reachable. (A laptop without network must not conclude that
//     the world is dead and forget all its ways back.)
//  7. A node that is given up is buried: for a while, lists that name it again at the addresses where it was dead are
//     not heard; at another address they are. Configured nodes are never given up, only tried more rarely.
//  8. Only what was reached is stored, and a score comes from our own probes alone (bootstrap/score.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/outbox.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "bootstrap/config.hpp"
#include "bootstrap/events.hpp"
#include "bootstrap/list.hpp"
#include "bootstrap/node_table.hpp"
#include "bootstrap/schedule.hpp"
#include "identity/peer_id.hpp"
#include "store/batch.hpp"

namespace ekiden::bootstrap {

/// One known node, for status and diagnosis.
struct NodeStatus {
  identity::PeerId node;
  std::vector<identity::Endpoint> endpoints;
  std::string source;                      ///< Of the configuration; empty: none.
  std::optional<identity::PeerId> signer;  ///< Of the list that named it.
  std::uint32_t depth = 0;
  std::uint32_t score = 0;
  bool up = false;  ///< The last probe of this run reached it.
  bool probing = false;
  std::uint32_t failures = 0;  ///< In a row.
  microseconds latency{};
  std::optional<WallTime> last_reached;
  std::optional<Instant> next_probe;
  std::string last_error;  ///< Why the last probe did not reach it; empty if it did.
};

class Bootstrap {
 public:
  using Effect = std::variant<Probe, Candidate, Write, Notice>;

  Bootstrap(const identity::PeerId& self, Config config, Rng rng);
  Bootstrap(const Bootstrap&) = delete;
  Bootstrap& operator=(const Bootstrap&) = delete;

  /// Restores rows of Table::bootstrap; others are ignored. Call once, before start(). Rows over the caps of Config are
  /// dropped, the worst first. Errors: storage_corrupt, naming the row.
  Status load(const std::vector<store::Row>& rows);

  /// Offers the best remembered nodes and begins to probe. Call once; seeds may come before or after.
  void start(Now now, Outbox<Effect>& out);

  // Inputs.

  /// Nodes that the owner named. `source` names the place for messages ("--bootstrap") and is not empty; the same again
  /// adds to it.
  void add_seeds(Now now, std::string_view source, const std::vector<Seed>& seeds, Outbox<Effect>& out);

  /// A signed list that the owner put into the configuration. Verified here; a list that is not taken is told in a
  /// Notice and changes nothing.
  void add_list(Now now, std::string_view source, ByteView signed_list, Outbox<Effect>& out);

  void on_reached(Now now, ProbeId probe, const Reached& reached, Outbox<Effect>& out);
  void on_unreachable(Now now, ProbeId probe, const Error& why, Outbox<Effect>& out);

  /// The network came back, or nobody else can be reached: probe now what is backing off. At most once in
  /// `wake_interval`; then false.
  bool retry_now(Now now, Outbox<Effect>& out);

  /// Somebody wants to know: probe now whoever was not probed in this run. Nobody is probed twice for it.
  void survey_now(Now now, Outbox<Effect>& out);

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Outbox<Effect>& out);

  /// Writes the scores that have not been written yet; for a graceful end.
  void flush(Outbox<Effect>& out);

  // Queries.

  /// The best nodes that were ever reached, by score: at most `limit`.
  std::vector<Candidate> best(std::size_t limit) const;
  /// One of them.
  std::optional<Candidate> find_reached(const identity::PeerId& node) const;
  /// What this node can vouch for in a list of its own: the best nodes that it has reached in this run, with the
  /// addresses that strangers may dial. At most `limit` and kMaxListNodes.
  std::vector<ListedNode> listing(std::size_t limit) const;
  /// In the order of ids.
  std::vector<NodeStatus> status() const;
  std::size_t size() const { return table_.size(); }
  std::size_t probing() const { return schedule_.probing(); }
  /// Whether a probe has reached anybody within `online_window`.
  bool is_online(Instant now) const;

  /// All rows that would restore the present state; for comparing states.
  store::Batch snapshot() const;
  void check_invariants() const;

 private:
  using Effects = Outbox<Effect>;
  /// Who names a node: a source of the configuration, or the node whose list it is.
  struct Teller {
    std::string source = {};
    std::optional<identity::PeerId> signer = {};
    std::uint32_t depth = 0;
    bool is_owner() const { return !source.empty(); }
  };
  struct Grave {
    Instant until;
    std::vector<identity::Endpoint> endpoints;  ///< Where it was dead.
  };
  /// What became of the nodes of a list.
  struct Harvest {
    std::size_t taken = 0;
    std::size_t known = 0;
    std::size_t self = 0;
    std::size_t unusable = 0;
    std::size_t buried = 0;
    std::size_t over_cap = 0;
    std::string text() const;
  };

  // bootstrap.cpp: probes.
  void pump(Now now, Effects& out);
  bool is_newcomer(const Entry& entry) const { return !entry.up && entry.failures == 0; }
  bool has_enough() const;
  std::optional<identity::PeerId> next_newcomer() const;
  Instant first_probe_at(Now now);
  void begin_probe(Now now, const identity::PeerId& node, Effects& out);
  void plan_next(Now now, const identity::PeerId& node, const Entry& entry);
  void failed(Now now, const identity::PeerId& node, std::string why, Effects& out);
  Status accept_answer(Now now, const identity::PeerId& node, const Reached& reached);
  Status note_answer(Now now, const identity::PeerId& node, const Reached& reached);
  void take_own_endpoints(const identity::PeerId& node, const Reached& reached);
  void give_up(Now now, const identity::PeerId& node, Effects& out);
  bool is_dead(Now now, const Entry& entry) const;
  bool wants_list(Now now, const Entry& entry) const;
  identity::LearnedFrom learned_from(const Entry& entry) const;
  Candidate candidate_of(const identity::PeerId& node, const Entry& entry) const;

  // harvest.cpp: lists and seeds.
  void take_list(Now now, const identity::PeerId& node, ByteView signed_list, Effects& out);
  Result<NodeList> check_own_list(Now now, const identity::PeerId& node, ByteView signed_list) const;
  void hear_of(Now now, const Teller& teller, const Seed& seed, Harvest& harvest);
  void hear_again(Now now, const Teller& teller, const Seed& seed, Harvest& harvest);
  void name_by_owner(Now now, const Teller& teller, const Seed& seed, Harvest& harvest);
  bool admit(Now now, const identity::PeerId& node, Entry entry);
  void pull_nearer(Now now, const identity::PeerId& node, std::uint32_t depth);
  std::vector<identity::Endpoint> usable(const std::vector<identity::Endpoint>& endpoints,
                                         identity::LearnedFrom from) const;

  // memory.cpp: rows.
  void touch(Now now, const identity::PeerId& node);
  void remove(Now now, const identity::PeerId& node);
  void bury(Now now, const identity::PeerId& node);
  bool was_dead_at(Instant now, const identity::PeerId& node, const identity::Endpoint& endpoint) const;
  Result<std::pair<identity::PeerId, Entry>> read_row(const store::Row& row) const;
  static void put_row(const identity::PeerId& node, const Entry& entry, store::Batch& batch);

  const identity::PeerId self_;
  const Config config_;
  Rng rng_;
  NodeTable table_;
  Schedule schedule_;
  std::map<identity::PeerId, Grave> buried_;
  std::set<identity::PeerId> dirty_;   ///< Reached nodes whose row is behind.
  std::set<identity::PeerId> erased_;  ///< Rows to erase.
  std::optional<Instant> flush_at_;
  std::optional<Instant> last_contact_;
  std::optional<Instant> last_wake_;
  bool started_ = false;
};

}  // namespace ekiden::bootstrap
