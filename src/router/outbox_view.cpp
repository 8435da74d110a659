// Timers and queries of Sender.

#include <algorithm>

#include "base/check.hpp"
#include "router/outbox.hpp"

namespace ekiden::router {

std::optional<Instant> Sender::deadline() const {
  return earlier(expiry_at_, earlier(retry_.earliest(), linger_.earliest()));
}

void Sender::on_deadline(Now now, Effects& out) {
  expire(now, out);
  while (const auto to = retry_.pop_due(now.mono)) {
    const auto peer = recipients_.find(*to);
    if (peer != recipients_.end()) on_retry(now, *to, peer->second, out);
  }
  while (const auto to = linger_.pop_due(now.mono)) on_linger(now, *to, out);
}

Status Sender::load_history(std::uint64_t number, ByteView value) {
  EKIDEN_TRY(history_.load_row(number, value));
  const HistoryRow& row = history_.last_row();
  for (const HistoryEntry& entry : row.entries) {
    if (entry.placed) conversations_.recall(row.peer, *entry.placed, entry.state == MessageState::delivered);
  }
  return {};
}

Trace Sender::describe(const Outgoing& message) const {
  Trace trace{.id = message.id,
              .peer = message.to,
              .outgoing = true,
              .state = message.state(),
              .priority = message.priority,
              .delivery = message.delivery,
              .accepted = message.accepted,
              .delivered = std::nullopt,
              .expires = message.expires,
              .attempts = message.attempts,
              .size = message.size(),
              .type = message.type,
              .steps = message.steps.describe(message.to),
              .stored = message.kept_at,
              .receipt = {},
              .relay = message.relay};
  const Recipient& peer = recipients_.at(message.to);
  if (peer.unreachable.empty()) return trace;
  if (trace.steps.size() == kMaxTraceSteps) trace.steps.erase(trace.steps.begin() + 1);
  trace.steps.push_back({.at = peer.unreachable_at, .what = "no link to the recipient: " + peer.unreachable});
  return trace;
}

std::optional<Trace> Sender::trace(const MessageId& id) const {
  if (const auto live = messages_.find(id); live != messages_.end()) return describe(live->second);
  if (auto settled = history_.trace(id)) return settled;
  return recent_volatile_.trace(id);
}

std::vector<Trace> Sender::newest(std::size_t limit, const OutgoingFilter& filter) const {
  std::vector<const Outgoing*> live;
  live.reserve(messages_.size());
  for (const auto& [id, message] : messages_) {
    const bool wanted = (!filter.to || message.to == *filter.to) && (!filter.type || message.type == *filter.type) &&
                        (!filter.state || message.state() == *filter.state) &&
                        (!filter.since || message.accepted >= *filter.since);
    if (wanted) live.push_back(&message);
  }
  const std::size_t shown = std::min(limit, live.size());
  std::ranges::partial_sort(live, live.begin() + static_cast<std::ptrdiff_t>(shown), std::ranges::greater{},
                            &Outgoing::number);
  std::vector<Trace> traces;
  for (std::size_t i = 0; i < shown; ++i) traces.push_back(describe(*live[i]));
  std::vector<Trace> settled;
  history_.newest(limit, filter, settled);
  std::vector<Trace> gone;
  recent_volatile_.newest(limit, filter, gone);
  for (auto* more : {&settled, &gone}) {
    for (Trace& trace : *more) traces.push_back(std::move(trace));
  }
  std::ranges::stable_sort(traces, std::ranges::greater{}, &Trace::accepted);
  if (traces.size() > limit) traces.resize(limit);
  return traces;
}

void Sender::add_status(RouterStatus& status) const {
  status.outbox_messages = durable_messages_ + volatile_messages_;
  status.outbox_bytes = durable_bytes_ + volatile_bytes_;
  for (const auto& [to, peer] : recipients_) status.in_flight += peer.flight.size();
  status.accepted = accepted_;
  status.delivered = delivered_;
  status.expired = expired_;
  status.retransmitted = retransmitted_;
}

void Sender::check_message(const Outgoing& message) const {
  const Recipient& peer = recipients_.at(message.to);
  const auto expiry = by_expiry_.find({message.expires, message.number});
  CHECK(expiry != by_expiry_.end() && expiry->second == &message);
  CHECK(message.is_durable() == (message.sequence > 0));
  CHECK(!message.stored || message.is_durable());
  CHECK(message.stored || !message.is_durable() || !message.waiters.empty());
  CHECK((message.stage == Stage::writing || message.stage == Stage::out) == (message.wire != nullptr));
  CHECK(message.waiters.size() <= kMaxWaiters);
  CHECK(message.kept_at.size() <= kMaxStoredAt && (message.kept_at.empty() || message.stored));
  if (!message.is_durable()) {
    CHECK((message.stage == Stage::queued) == peer.waiting.contains(queue_key(message)));
    return;
  }
  CHECK(message.order.has_value() == (message.chain != nullptr));
  CHECK(message.in_flight() == peer.flight.contains(message.number));
  CHECK(message.in_flight() != peer.queued.contains(queue_key(message)));
  CHECK(peer.unsettled.contains(message.sequence));
  CHECK(message.sequence <= peer.last_sequence && message.sequence <= counters_.sequence_ceiling());
  CHECK(message.stage != Stage::out || message.stored);
  CHECK(message.stage != Stage::out || !peer.up || retry_.at(message.to).has_value());
}

void Sender::check_invariants() const {
  std::size_t durable = 0;
  std::size_t durable_bytes = 0;
  std::size_t volatile_bytes = 0;
  for (const auto& [id, message] : messages_) {
    CHECK(id == message.id);
    check_message(message);
    durable += message.is_durable() ? 1 : 0;
    (message.is_durable() ? durable_bytes : volatile_bytes) += message.size();
  }
  CHECK(durable == durable_messages_ && durable_bytes == durable_bytes_);
  CHECK(messages_.size() - durable == volatile_messages_ && volatile_bytes == volatile_bytes_);
  CHECK(by_expiry_.size() == messages_.size());
  CHECK(messages_.empty() || expiry_at_.has_value());
  CHECK(volatile_messages_ <= config_.max_volatile);

  std::size_t messages = 0;
  for (const auto& [to, peer] : recipients_) {
    CHECK(!peer.absent || (!peer.up && config_.mailboxes));
    CHECK(!peer.routed || peer.wanted || peer.up);
    messages += peer.messages;
    std::size_t flight_bytes = 0;
    for (const auto& [number, message] : peer.flight) flight_bytes += message->size();
    CHECK(flight_bytes == peer.flight_bytes);
    CHECK(peer.unsettled.size() == peer.flight.size() + peer.queued.size());
    CHECK(peer.flight.size() <= std::max<std::size_t>(1, config_.max_in_flight));
    CHECK(peer.flight.size() <= 1 || flight_bytes <= config_.max_in_flight_bytes);
    CHECK(peer.messages == 0 || peer.wanted);
    CHECK(peer.up || peer.wanted || peer.messages > 0);
    CHECK(!peer.up || (!peer.unsealable && peer.queued.empty()) || !peer.flight.empty() || retry_.at(to).has_value());
    CHECK(!peer.wanted || peer.messages > 0 || linger_.at(to).has_value());
  }
  CHECK(messages == messages_.size());
  conversations_.check_invariants();
  history_.check_invariants();
  recent_volatile_.check_invariants();
}

}  // namespace ekiden::router
