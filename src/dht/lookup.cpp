#include "dht/lookup.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.hpp"

namespace ekiden::dht {

Lookup::Lookup(const Key& target, std::size_t width, const Config& config)
    : target_(target), width_(width), config_(config), spent_(config.paths, 0) {}

Lookup::Node Lookup::first_node(const identity::PeerId& id, const identity::NodeInfo& info) {
  const auto path = static_cast<unsigned>(dealt_++ % config_.paths);
  return {.id = id,
          .info = info,
          .distance = distance(target_, id),
          .prefix = identity::prefix_of(info.at.ip),
          .other = std::nullopt,
          .asked_at = {},
          .teller = kUs,
          .paths = static_cast<std::uint8_t>(1U << path)};
}

void Lookup::seed(const identity::PeerId& id, const identity::NodeInfo& info) {
  const Node node = first_node(id, info);
  if (!is_crowded(node)) place(node);
}

void Lookup::seed_local(const identity::PeerId& id, const identity::NodeInfo& info) { place(first_node(id, info)); }

std::optional<Lookup::Index> Lookup::find(const crypto::Ed25519PublicKey& key) const {
  const std::uint64_t mark = mark_of(key);
  for (std::size_t i = 0; i < marks_.size(); ++i) {
    if (marks_[i] == mark && nodes_[i].info.public_key == key) return static_cast<Index>(i);
  }
  return std::nullopt;
}

std::uint8_t Lookup::told_on(Index teller) const { return static_cast<std::uint8_t>(1U << nodes_[teller].path); }

void Lookup::hear_again(Index teller, Index known, const identity::SocketAddress& at) {
  if (known == teller) return;
  Node& node = nodes_[known];
  node.paths |= told_on(teller);
  if (node.teller != kUs && node.teller != teller) {
    node.teller = kMany;
    if (node.state == State::dropped) node.state = State::fresh;
  }
  // What our own table says of a node is proven; others cannot move it.
  if (node.teller == kUs || node.info.at == at || node.other || node.has_moved) return;
  node.other = at;
  if (node.state == State::failed) move(node);
}

void Lookup::hear(Index teller, const identity::PeerId& id, const identity::NodeInfo& info) {
  const auto depth = static_cast<std::uint8_t>(std::min(nodes_[teller].depth + 1, 255));
  const Node node{.id = id,
                  .info = info,
                  .distance = distance(target_, id),
                  .prefix = identity::prefix_of(info.at.ip),
                  .other = std::nullopt,
                  .asked_at = {},
                  .teller = teller,
                  .paths = told_on(teller),
                  .depth = depth};
  if (!is_crowded(node)) place(node);
}

/// Where to put one more when all places of its path are taken: on the farthest that only this path knows and nobody
/// has asked, if that is farther.
std::optional<Lookup::Index> Lookup::replaceable(const Node& newcomer) const {
  for (auto index = order_.rbegin(); index != order_.rend(); ++index) {
    const Node& node = nodes_[*index];
    if (node.distance <= newcomer.distance) return std::nullopt;
    const bool is_unused = node.state == State::fresh || node.state == State::dropped;
    if (is_unused && node.paths == newcomer.paths) return *index;
  }
  return std::nullopt;
}

bool Lookup::is_crowded(const Node& node) const {
  if (config_.max_lookup_prefix == 0) return false;
  const auto there = std::ranges::count(nodes_, node.prefix, &Node::prefix);
  return static_cast<std::size_t>(there) >= config_.max_lookup_prefix;
}

bool Lookup::place(Node node) {
  node.home = static_cast<std::uint8_t>(std::countr_zero(node.paths));
  Index index = static_cast<Index>(nodes_.size());
  const auto at_home = static_cast<std::size_t>(std::ranges::count(nodes_, node.home, &Node::home));
  if (at_home < config_.max_lookup_nodes / config_.paths) {
    nodes_.push_back(node);
    marks_.push_back(mark_of(node.info.public_key));
  } else {
    const auto unused = replaceable(node);
    if (!unused) return false;
    index = *unused;
    std::erase(order_, index);
    nodes_[index] = node;
    marks_[index] = mark_of(node.info.public_key);
  }
  const auto at = std::ranges::lower_bound(order_, node.distance, {},
                                           [&](Index other) -> const Distance& { return nodes_[other].distance; });
  order_.insert(at, index);
  return true;
}

/// Slow nodes are not counted among the `width` closest, so that others are asked in their stead; only if there are not
/// enough others is the path not over without them.
Lookup::Scan Lookup::scan(std::size_t path) const {
  Scan scan{.is_over = true, .waiting = 0, .fresh = std::nullopt};
  std::size_t counted = 0;
  bool has_slow = false;
  for (const Index index : order_) {
    const Node& node = nodes_[index];
    if ((node.paths >> path & 1) == 0 || node.state == State::failed || node.state == State::dropped) continue;
    if (node.state == State::asked && node.is_slow) {
      has_slow = true;
      continue;
    }
    if (node.state != State::answered) scan.is_over = false;
    if (node.state == State::fresh && !scan.fresh) scan.fresh = index;
    if (node.state == State::asked && node.path == path) ++scan.waiting;
    if (++counted == width_) return scan;
  }
  if (has_slow) scan.is_over = false;
  return scan;
}

std::size_t Lookup::under_way(std::size_t path) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      nodes_, [&](const Node& node) { return node.state == State::asked && !node.is_slow && node.path == path; }));
}

std::optional<Lookup::Index> Lookup::next(Instant now) {
  for (std::size_t path = 0; path < config_.paths; ++path) {
    if (spent_[path] >= config_.max_queries_per_path) continue;
    const Scan found = scan(path);
    if (!found.fresh || found.waiting >= parallel() || under_way(path) >= parallel() + config_.strays) continue;
    Node& node = nodes_[*found.fresh];
    node.state = State::asked;
    node.path = static_cast<std::uint8_t>(path);
    node.asked_at = now;
    node.is_slow = false;
    ++spent_[path];
    asked_.push_back(*found.fresh);
    return found.fresh;
  }
  return std::nullopt;
}

void Lookup::answered(Instant now, Index index) {
  Node& node = nodes_[index];
  CHECK(node.state == State::asked);
  node.state = State::answered;
  node.is_slow = false;
  node.took = now - node.asked_at;
  rounds_ = std::max<std::size_t>(rounds_, node.depth);
  if (node.teller < kMany) nodes_[node.teller].gave_good_tip = true;
}

void Lookup::failed(Index index) {
  Node& node = nodes_[index];
  if (move(node)) return;
  node.state = State::failed;
  if (node.teller < kMany) blame(node.teller);
}

/// To the other address that it was told with, once.
bool Lookup::move(Node& node) {
  if (!node.other) return false;
  node.info.at = *std::exchange(node.other, std::nullopt);
  node.prefix = identity::prefix_of(node.info.at.ip);
  node.has_moved = true;
  node.state = State::fresh;
  return true;
}

void Lookup::blame(Index teller) {
  Node& liar = nodes_[teller];
  if (liar.bad_tips < 255) ++liar.bad_tips;
  if (liar.gave_good_tip || liar.bad_tips < config_.max_bad_tips) return;
  for (Node& node : nodes_) {
    if (node.teller == teller && node.state == State::fresh) node.state = State::dropped;
  }
}

std::optional<Instant> Lookup::next_slow() const {
  std::optional<Instant> first;
  for (const Node& node : nodes_) {
    if (node.state != State::asked || node.is_slow) continue;
    if (!first || node.asked_at < *first) first = node.asked_at;
  }
  if (first) *first += config_.slow_after;
  return first;
}

void Lookup::mark_slow(Instant now) {
  for (Node& node : nodes_) {
    if (node.state == State::asked && now - node.asked_at >= config_.slow_after) node.is_slow = true;
  }
}

void Lookup::widen(std::size_t width) { width_ = std::max(width_, width); }

bool Lookup::is_finished() const {
  for (std::size_t path = 0; path < config_.paths; ++path) {
    if (spent_[path] >= config_.max_queries_per_path && under_way(path) == 0) continue;
    if (!scan(path).is_over) return false;
  }
  return true;
}

std::size_t Lookup::count(State state) const {
  return static_cast<std::size_t>(std::ranges::count(nodes_, state, &Node::state));
}

std::vector<Lookup::Index> Lookup::closest_answered(std::size_t count) const {
  std::vector<Index> out;
  for (const Index index : order_) {
    if (out.size() == count) break;
    if (nodes_[index].state == State::answered) out.push_back(index);
  }
  return out;
}

std::vector<Lookup::Index> Lookup::answered_among_closest(std::size_t count) const {
  std::vector<Index> out;
  for (const Index index : order_) {
    if (count == 0) break;
    const State state = nodes_[index].state;
    if (state == State::failed || state == State::dropped) continue;
    --count;
    if (state == State::answered) out.push_back(index);
  }
  return out;
}

std::vector<Step> Lookup::trail(std::size_t max_steps) const {
  std::vector<Step> steps;
  for (const Index index : asked_) {
    if (steps.size() == max_steps) break;
    const Node& node = nodes_[index];
    StepOutcome outcome = StepOutcome::waiting;
    if (node.state == State::answered) outcome = StepOutcome::answered;
    if (node.state == State::failed) outcome = StepOutcome::failed;
    steps.push_back({.node = node.id,
                     .at = node.info.at,
                     .path = node.path,
                     .depth = node.depth,
                     .outcome = outcome,
                     .had_value = node.had_value,
                     .took = node.took});
  }
  return steps;
}

void Lookup::check_invariants() const {
  CHECK(nodes_.size() <= config_.max_lookup_nodes && order_.size() == nodes_.size());
  CHECK(marks_.size() == nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) CHECK(marks_[i] == mark_of(nodes_[i].info.public_key));
  std::size_t spent = 0;
  for (std::size_t path = 0; path < config_.paths; ++path) {
    CHECK(spent_[path] <= config_.max_queries_per_path && under_way(path) <= parallel() + config_.strays);
    spent += spent_[path];
  }
  CHECK(spent == asked_.size());
  std::vector<Index> seen = order_;
  std::ranges::sort(seen);
  for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == i);
  for (std::size_t i = 1; i < order_.size(); ++i) {
    CHECK(nodes_[order_[i - 1]].distance < nodes_[order_[i]].distance);
  }
}

}  // namespace ekiden::dht
