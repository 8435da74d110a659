#include "link/gate.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ekiden::link {

Gate::Gate(const Config& config) : config_(config), spare_(config.spare) { CHECK(config.all_spare > 0); }

void Gate::charge(Instant now, const identity::AddressPrefix& prefix, Duration work) {
  const Duration earned = spare_.earned(now);
  paid_.put(prefix, std::max(paid_of(prefix), earned) + work);
  all_paid_ = std::max(all_paid_, earned) + work / static_cast<std::int64_t>(config_.all_spare);
  if (const auto queue = queues_.find(prefix); queue != queues_.end()) set_due(queue);
}

Duration Gate::paid_of(const identity::AddressPrefix& prefix) const {
  const Duration* paid = paid_.peek(prefix);
  return paid == nullptr ? Duration::zero() : *paid;
}

/// Rationale for asking both accounts: one network cannot have more than its part, and many have no more than theirs.
bool Gate::is_open(Instant now, Duration paid) const {
  return std::max(paid, all_paid_) <= spare_.earned(now) + config_.spare_burst;
}

bool Gate::admits(Instant now, const identity::AddressPrefix& prefix, ConnId conn) {
  auto queue = queues_.find(prefix);
  if (queue == queues_.end()) {
    if (is_open(now, paid_of(prefix))) return true;
    queue = queues_.try_emplace(prefix).first;
  }
  Queue& its = queue->second;
  if (its.turn == conn) {
    its.turn.reset();
    set_due(queue);
    drop_if_empty(queue);
    return true;
  }
  if (std::ranges::find(its.waiting, conn) == its.waiting.end()) {
    its.waiting.push_back(conn);
    ++waiting_;
    set_due(queue);
  }
  return false;
}

std::optional<ConnId> Gate::next(Instant now) {
  if (due_.empty() || !is_open(now, due_.begin()->first)) return std::nullopt;
  const auto queue = queues_.find(due_.begin()->second);
  Queue& its = queue->second;
  its.turn = its.waiting.front();
  its.waiting.pop_front();
  --waiting_;
  set_due(queue);
  return its.turn;
}

bool Gate::forget(const identity::AddressPrefix& prefix, ConnId conn) {
  const auto queue = queues_.find(prefix);
  if (queue == queues_.end()) return false;
  Queue& its = queue->second;
  if (its.turn == conn) its.turn.reset();
  const bool waited = std::erase(its.waiting, conn) > 0;
  if (waited) --waiting_;
  set_due(queue);
  drop_if_empty(queue);
  return waited;
}

/// Where it stands among those that are due, by what it owes now.
void Gate::set_due(Queues::iterator queue) {
  auto& [prefix, its] = *queue;
  due_.erase({its.due, prefix});
  if (its.waiting.empty() || its.turn) return;
  its.due = paid_of(prefix);
  due_.emplace(its.due, prefix);
}

void Gate::drop_if_empty(Queues::iterator queue) {
  if (queue->second.waiting.empty() && !queue->second.turn) queues_.erase(queue);
}

std::optional<Instant> Gate::deadline(Instant now) const {
  if (due_.empty()) return std::nullopt;
  return spare_.when(now, std::max(due_.begin()->first, all_paid_) - config_.spare_burst);
}

void Gate::check_invariants() const {
  std::size_t waiting = 0;
  std::size_t due = 0;
  for (const auto& [prefix, queue] : queues_) {
    CHECK(!queue.waiting.empty() || queue.turn);
    waiting += queue.waiting.size();
    const bool is_due = !queue.waiting.empty() && !queue.turn;
    CHECK(due_.contains({queue.due, prefix}) == is_due);
    due += is_due ? 1 : 0;
  }
  CHECK(waiting == waiting_ && due == due_.size());
}

}  // namespace ekiden::link
