// When which node is probed, and which probes are under way.
//
// Inputs: plan (a node is due at a time), forget, begin and end of probes. Outputs: the next node to probe, probes that
// were never answered. Timers: the due times, the end of each probe, and of the patience with it. Bounds: one plan for
// each node; `max_parallel` probes. Invariant: a node has a plan or a probe, never both.
//
// Among those that are due, nodes nearer to the configuration come first, then those that have been due for longer.
// Rationale: what the owner named, and what that named, is reached before the crowd that a distant list brings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/check.hpp"
#include "base/deadline_map.hpp"
#include "base/time.hpp"
#include "bootstrap/events.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::bootstrap {

class Schedule {
 public:
  explicit Schedule(std::size_t max_parallel) : max_parallel_(max_parallel) { CHECK(max_parallel > 0); }

  /// Plans the next probe, in place of an earlier plan. REQUIRES: no probe of the node is under way.
  void plan(const identity::PeerId& node, std::uint32_t depth, Instant at) {
    CHECK(!is_probing(node));
    drop_plan(node);
    plans_.emplace(node, Plan{depth, at});
    waiting_.emplace(at, node);
  }

  std::optional<Instant> planned_at(const identity::PeerId& node) const {
    const auto found = plans_.find(node);
    return found == plans_.end() ? std::nullopt : std::optional(found->second.at);
  }

  /// Drops plan and probe; an answer that still comes belongs to nobody.
  void forget(const identity::PeerId& node) {
    drop_plan(node);
    const auto found = probe_of_.find(node);
    if (found == probe_of_.end()) return;
    const ProbeId probe = found->second;
    probe_of_.erase(found);
    probes_.erase(probe);
    timeouts_.cancel(probe);
    prompt_.cancel(node);
  }

  bool has_room() const { return probes_.size() < max_parallel_; }

  /// Of the planned nodes that `is_wanted` accepts, the nearest, and of those the one whose time is next.
  template <typename Predicate>
  std::optional<identity::PeerId> soonest(Predicate is_wanted) const {
    std::optional<identity::PeerId> best;
    for (const auto& [at, node] : waiting_) {
      if (best && plans_.at(node).depth >= plans_.at(*best).depth) continue;
      if (is_wanted(node)) best = node;
    }
    return best;
  }

  /// Takes the next node that is due, if there is room for a probe.
  std::optional<identity::PeerId> next(Instant now) {
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
      const auto [at, node] = *waiting_.begin();
      waiting_.erase(waiting_.begin());
      ready_.emplace(plans_.at(node).depth, at, node);
    }
    if (ready_.empty() || !has_room()) return std::nullopt;
    const identity::PeerId node = std::get<2>(*ready_.begin());
    drop_plan(node);
    return node;
  }

  /// For the time of `patience` the probe is prompt.
  ProbeId begin(const identity::PeerId& node, Instant now, Duration patience, Duration timeout) {
    CHECK(has_room() && !plans_.contains(node));
    const ProbeId probe{next_probe_++};
    probes_.emplace(probe, node);
    CHECK(probe_of_.emplace(node, probe).second);
    timeouts_.set(probe, now + timeout);
    prompt_.set(node, now + patience);
    return probe;
  }

  /// The node of the probe, which is then over; nothing if it was over already.
  std::optional<identity::PeerId> end(ProbeId probe) {
    const auto found = probes_.find(probe);
    if (found == probes_.end()) return std::nullopt;
    const identity::PeerId node = found->second;
    forget(node);
    return node;
  }

  /// What has been under way for long is prompt no more.
  void pop_slow(Instant now) {
    while (prompt_.pop_due(now)) continue;
  }
  std::size_t prompt() const { return prompt_.size(); }
  bool is_prompt(const identity::PeerId& node) const { return prompt_.at(node).has_value(); }

  std::optional<ProbeId> pop_timed_out(Instant now) { return timeouts_.pop_due(now); }

  bool is_probing(const identity::PeerId& node) const { return probe_of_.contains(node); }
  std::size_t probing() const { return probes_.size(); }

  std::optional<Instant> deadline() const {
    std::optional<Instant> at = earlier(timeouts_.earliest(), prompt_.earliest());
    if (!has_room()) return at;
    if (!waiting_.empty()) at = earlier(at, waiting_.begin()->first);
    if (!ready_.empty()) at = earlier(at, std::get<1>(*ready_.begin()));
    return at;
  }

  void check_invariants() const {
    CHECK(probes_.size() <= max_parallel_ && probe_of_.size() == probes_.size() && timeouts_.size() == probes_.size());
    CHECK(prompt_.size() <= probes_.size());
    CHECK(waiting_.size() + ready_.size() == plans_.size());
    for (const auto& [node, plan] : plans_) {
      CHECK(!is_probing(node));
      CHECK(waiting_.contains({plan.at, node}) != ready_.contains({plan.depth, plan.at, node}));
    }
  }

 private:
  struct Plan {
    std::uint32_t depth;
    Instant at;
  };

  void drop_plan(const identity::PeerId& node) {
    const auto found = plans_.find(node);
    if (found == plans_.end()) return;
    waiting_.erase({found->second.at, node});
    ready_.erase({found->second.depth, found->second.at, node});
    plans_.erase(found);
  }

  std::size_t max_parallel_;
  std::uint64_t next_probe_ = 1;
  std::map<identity::PeerId, Plan> plans_;
  std::set<std::pair<Instant, identity::PeerId>> waiting_;
  std::set<std::tuple<std::uint32_t, Instant, identity::PeerId>> ready_;  ///< due, and waiting for room
  std::map<ProbeId, identity::PeerId> probes_;
  std::map<identity::PeerId, ProbeId> probe_of_;
  DeadlineMap<ProbeId> timeouts_;
  DeadlineMap<identity::PeerId> prompt_;
};

}  // namespace ekiden::bootstrap
