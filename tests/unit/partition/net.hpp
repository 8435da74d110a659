// A network of partition detectors on virtual time: links at random, delays of 10 to 50 ms, losses, stalls, directions
// that are cut, and members that lie. Links of neighbours that have fallen silent are replaced.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/deadline_map.hpp"
#include "crypto/curve_memo.hpp"
#include "partition/detector.hpp"
#include "support/identities.hpp"
#include "wire/message_type.hpp"

namespace ekiden::partition {

class Net {
 public:
  struct Node {
    explicit Node(identity::Identity identity) : self(std::move(identity)) {}
    identity::Identity self;
    std::unique_ptr<Detector> detector = {};
    std::set<std::size_t> links = {};
    bool is_up = true;
    Instant awake{};  ///< stalled until then
    std::vector<State> states = {};
    std::vector<Healed> healed = {};
    std::vector<Misbehaved> misbehaved = {};
  };

  /// Does a message from one get through to the other?
  std::function<bool(std::size_t from, std::size_t to)> passes = [](std::size_t, std::size_t) { return true; };
  std::uint64_t loss_per_thousand = 0;
  std::uint64_t statements = 0;  ///< that were sent over links
  std::uint64_t bytes = 0;

  Net(std::size_t count, Byte seed, Config config = {}) : config_(config), rng_(test::make_rng(seed)) {
    remember_curves();
    for (std::size_t i = 0; i < count; ++i) {
      ByteArray<32> key{};
      put_be(MutableBytes(key).first(8), std::uint64_t{i} + 1);
      nodes_.push_back(std::make_unique<Node>(identity::Identity{crypto::Ed25519Seed(key)}));
      index_.emplace(id(i), i);
      nodes_[i]->detector = std::make_unique<Detector>(nodes_[i]->self, config_, rng_.split(), now());
      reschedule(i);
    }
    meet();
    every(seconds(60), [this] { meet(); });
    every(milliseconds(500), [this] { fill(); });
    for (int i = 0; i < 8; ++i) fill();
    run_for(seconds(10));
  }

  Node& operator[](std::size_t i) { return *nodes_[i]; }
  Detector& at(std::size_t i) { return *nodes_[i]->detector; }
  const identity::PeerId& id(std::size_t i) const { return nodes_[i]->self.id(); }
  std::size_t size() const { return nodes_.size(); }
  Rng& rng() { return rng_; }
  Now now() const { return {now_, test::kWall + std::chrono::duration_cast<milliseconds>(now_ - kBegin)}; }

  /// Sides are numbers; nothing gets from one to another.
  void split(std::function<std::size_t(std::size_t)> side) {
    passes = [side = std::move(side)](std::size_t from, std::size_t to) { return side(from) == side(to); };
  }
  void heal() {
    passes = [](std::size_t, std::size_t) { return true; };
  }

  void crash(std::size_t i) {
    nodes_[i]->is_up = false;
    due_.cancel(i);
    for (const std::size_t other : std::set(nodes_[i]->links)) cut(i, other, /*broken=*/true);
  }
  void leave(std::size_t i) {
    Effects out;
    at(i).leave(now(), out);
    drain(i, out);
    after(milliseconds(100), [this, i] {
      nodes_[i]->is_up = false;
      due_.cancel(i);
      for (const std::size_t other : std::set(nodes_[i]->links)) cut(i, other, /*broken=*/false);
    });
  }
  void stall(std::size_t i, Duration time) { nodes_[i]->awake = now_ + time; }
  Status receive(std::size_t to, std::size_t from, ByteView message) {
    Effects out;
    const ByteView body = message.subspan(1);
    const bool is_heartbeat = message[0] == static_cast<Byte>(wire::MessageType::partition_heartbeat);
    Status done = is_heartbeat ? at(to).on_heartbeat(now(), id(from), body, out)
                               : at(to).on_statement(now(), id(from), body, out);
    drain(to, out);
    return done;
  }

  void run_for(Duration time) {
    const Instant end = now_ + time;
    while (true) {
      std::optional<Instant> next = due_.earliest();
      if (!events_.empty()) next = earlier(next, events_.begin()->first.first);
      if (!next || *next > end) break;
      now_ = std::max(now_, *next);
      if (!events_.empty() && events_.begin()->first.first <= now_) {
        const auto event = std::move(events_.extract(events_.begin()).mapped());
        event();
      } else if (const auto i = due_.pop_due(now_)) {
        wake(*i);
      }
    }
    now_ = end;
    for (const auto& node : nodes_) node->detector->check_invariants();
  }

  std::size_t count(State state) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        nodes_, [&](const auto& node) { return node->is_up && node->detector->state() == state; }));
  }
  std::size_t running() const {
    return static_cast<std::size_t>(std::ranges::count_if(nodes_, [](const auto& node) { return node->is_up; }));
  }
  /// Nodes that have been in this state since the last call of forget().
  std::size_t ever(State state) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        nodes_, [&](const auto& node) { return std::ranges::find(node->states, state) != node->states.end(); }));
  }
  void forget() {
    for (auto& node : nodes_) node->states.clear();
  }

 private:
  /// A hundred nodes verify each statement.
  static void remember_curves() {
    static crypto::CurveMemo memo{1 << 14};
    if (crypto::CurveMemo::installed() == nullptr) memo.install();
  }

  static constexpr Instant kBegin{hours(1)};
  static constexpr std::size_t kDegree = 5;

  void after(Duration time, std::function<void()> what) {
    events_.emplace(std::pair(now_ + time, ++order_), std::move(what));
  }
  void every(Duration time, std::function<void()> what) {
    after(time, [this, time, what = std::move(what)] {
      what();
      every(time, what);
    });
  }

  void reschedule(std::size_t i) {
    const auto due = at(i).deadline();
    if (nodes_[i]->is_up && due) {
      due_.set(i, std::max(*due, nodes_[i]->awake));
    } else {
      due_.cancel(i);
    }
  }

  void wake(std::size_t i) {
    if (now_ < nodes_[i]->awake) return reschedule(i);
    Effects out;
    at(i).on_deadline(now(), out);
    drain(i, out);
  }

  void drain(std::size_t i, Effects& out) {
    Node& node = *nodes_[i];
    out.drain([&](Effect&& effect) {
      std::visit(Overloaded{
                     [&](Transmit& transmit) { send(i, index_.at(transmit.to), std::move(transmit.message)); },
                     [&](Changed& changed) {
                       node.states.push_back(changed.state);
                       if (changed.healed) node.healed.push_back(*changed.healed);
                     },
                     [&](Abandon& abandon) { cut(i, index_.at(abandon.peer), /*broken=*/true); },
                     [&](NeighbourSilent& silent) {
                       if (silent.silent) replace(i, index_.at(silent.peer));
                     },
                     [&](Probe& probe) { connect(i, index_.at(probe.peer)); },
                     [&](Misbehaved& misbehaved) { node.misbehaved.push_back(std::move(misbehaved)); },
                 },
                 effect);
    });
    reschedule(i);
  }

  void send(std::size_t from, std::size_t to, std::shared_ptr<const Bytes> message) {
    bytes += message->size();
    if (message->front() == static_cast<Byte>(wire::MessageType::partition_statement)) ++statements;
    if (!passes(from, to) || rng_.chance(loss_per_thousand, 1000)) return;
    after(rng_.between(milliseconds(10), milliseconds(50)),
          [this, from, to, message = std::move(message)] { arrive(from, to, message); });
  }
  /// What comes to one that is stalled waits.
  void arrive(std::size_t from, std::size_t to, const std::shared_ptr<const Bytes>& message) {
    const Node& node = *nodes_[to];
    if (!node.is_up || !node.links.contains(from)) return;
    if (now_ < node.awake) {
      return after(node.awake - now_, [this, from, to, message] { arrive(from, to, message); });
    }
    CHECK(receive(to, from, *message).has_value());
  }

  void connect(std::size_t i, std::size_t other) {
    if (i == other || !nodes_[i]->is_up || !nodes_[other]->is_up || nodes_[i]->links.contains(other)) return;
    if (!passes(i, other) || !passes(other, i)) return;
    nodes_[i]->links.insert(other);
    nodes_[other]->links.insert(i);
    for (const auto& [self, peer] : {std::pair(i, other), std::pair(other, i)}) {
      Effects out;
      at(self).on_neighbour_up(now(), id(peer), out);
      drain(self, out);
    }
  }
  void cut(std::size_t i, std::size_t other, bool broken) {
    if (nodes_[i]->links.erase(other) == 0) return;
    nodes_[other]->links.erase(i);
    at(i).on_neighbour_down(now(), id(other), broken);
    at(other).on_neighbour_down(now(), id(i), broken);
  }
  void replace(std::size_t i, std::size_t other) {
    after(seconds(2), [this, i, other] {
      if (!passes(i, other) || !passes(other, i)) cut(i, other, /*broken=*/true);
    });
  }
  void fill() {
    for (std::size_t i = 0; i < size(); ++i) {
      if (nodes_[i]->links.size() < kDegree) connect(i, rng_.below(size()));
    }
  }
  /// As the other engines would tell: whoever is reachable is heard of.
  void meet() {
    for (std::size_t i = 0; i < size(); ++i) {
      for (std::size_t other = 0; other < size(); ++other) {
        if (nodes_[other]->is_up && passes(other, i)) at(i).on_member(now(), id(other));
      }
    }
  }

  const Config config_;
  Rng rng_;
  Instant now_ = kBegin;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<identity::PeerId, std::size_t> index_;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> events_;
  DeadlineMap<std::size_t> due_;
  std::uint64_t order_ = 0;
};

}  // namespace ekiden::partition
