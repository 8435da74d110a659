// Sealing, transmitting and trying again: the part of Sender that deals with links and sessions.

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "router/outbox.hpp"
#include "router/wire_form.hpp"

namespace ekiden::router {
namespace {

constexpr std::uint32_t kMaxFailures = 20;          // doublings; retry_max caps the interval long before
constexpr Duration kDrainTime = milliseconds(250);  // for a link whose queue was full

}  // namespace

void Sender::set_failures(Recipient& peer, std::uint32_t failures) {
  peer.failures = std::min(failures, kMaxFailures);
  Duration interval = config_.retry_min;
  for (std::uint32_t i = 0; i < peer.failures && interval < config_.retry_max; ++i) interval *= 2;
  interval = std::min(interval, config_.retry_max);
  peer.interval = interval + rng_.between(Duration::zero(), interval / 4);
}

bool Sender::has_room(const Recipient& peer, const Outgoing& next) const {
  if (peer.flight.empty()) return true;
  return peer.flight.size() < config_.max_in_flight && peer.flight_bytes + next.size() <= config_.max_in_flight_bytes;
}

void Sender::pump(Now now, Recipient& peer, Effects& out) {
  if (!is_reachable(peer) || peer.unsealable) return;
  while ((peer.up || peer.routed) && !peer.waiting.empty()) {
    Outgoing& message = *peer.waiting.begin()->second;
    peer.waiting.erase(peer.waiting.begin());
    request_seal(message, peer, out);
  }
  if (now.mono < peer.hold_until) return;
  while (!peer.queued.empty() && has_room(peer, *peer.queued.begin()->second)) {
    Outgoing& message = *peer.queued.begin()->second;
    peer.queued.erase(peer.queued.begin());
    peer.flight.emplace(message.number, &message);
    peer.flight_bytes += message.size();
    request_seal(message, peer, out);
  }
}

/// What is settled by now of the messages before it needs no waiting for.
std::optional<Order> Sender::order_now(const Outgoing& message, const Recipient& peer) {
  if (!message.order) return std::nullopt;
  Order order = *message.order;
  order.delivered = std::min(Conversations::delivered(*message.chain), order.place - 1);
  if (!peer.unsettled.contains(order.previous)) order.wait_ms = 0;
  if (*peer.unsettled.begin() >= order.previous) order.earlier_ms = 0;
  return order;
}

/// REQUIRES: what is below the floor is erased by a batch already asked for. The message waits for it.
void Sender::request_seal(Outgoing& message, const Recipient& peer, Effects& out) {
  message.stage = Stage::sealing;
  message.send_token = journal_.last();
  message.wire.reset();
  const Content content{.epoch = counters_.epoch(),
                        .sequence = message.sequence,
                        .floor = message.is_durable() ? *peer.unsettled.begin() : 0,
                        .sent = message.accepted,
                        .type = message.type,
                        .content_type = message.content_type,
                        .in_reply_to = message.in_reply_to,
                        .body = message.body,
                        .exchange = message.exchange,
                        .order = order_now(message, peer)};
  Bytes plaintext;
  plaintext.reserve(message.size() + 160);
  wire::encode_to(content, plaintext);
  out.push(Seal{.message = message.id,
                .to = message.to,
                .delivery = message.delivery,
                .associated = header_of(self_, message).associated_data(),
                .plaintext = std::move(plaintext)});
}

void Sender::on_sealed(Now now, const MessageId& id, Bytes sealed, bool must_persist, store::Batch changes,
                       Effects& out) {
  CHECK(sealed.size() <= kMaxSealed);
  const auto found = messages_.find(id);
  if (found == messages_.end() || found->second.stage != Stage::sealing) {
    journal_.write(std::move(changes), out);  // the session has moved on, whatever became of the message
    return;
  }
  Outgoing& message = found->second;
  message.steps.add(now, StepKind::sealed, sealed.size());
  Envelope envelope = header_of(self_, message);
  envelope.sealed = sealed;
  message.wire = std::make_shared<const Bytes>(
      link_message(wire::MessageType::envelope, envelope, sealed.size() + kEnvelopeOverhead));
  if (!message.is_durable()) return on_volatile_sealed(now, message, must_persist, std::move(changes), out);

  message.stage = Stage::writing;
  const store::PersistToken last = journal_.write(std::move(changes), out);
  Recipient& peer = recipients_.at(message.to);
  // In the order of sealing: who overtakes others makes the recipient skip their keys.
  message.send_token = std::max(must_persist ? last : message.send_token, peer.sealed_until);
  if (journal_.is_persisted(message.send_token)) return on_persisted(now, id, out);
  if (message.send_token != message.row_token) {  // For that it waits already.
    message.send_token = last;
    journal_.wait(last, OutgoingWaits{id});
  }
  peer.sealed_until = message.send_token;
}

void Sender::on_volatile_sealed(Now now, Outgoing& message, bool must_persist, store::Batch changes, Effects& out) {
  const bool wait = must_persist && !changes.empty();
  const store::PersistToken token = journal_.write(std::move(changes), out);
  message.stage = Stage::writing;
  message.send_token = wait ? token : store::PersistToken{0};
  if (wait) return journal_.wait(token, OutgoingWaits{message.id});
  on_persisted(now, message.id, out);
}

void Sender::on_persisted(Now now, const MessageId& id, Effects& out) {
  const auto found = messages_.find(id);
  if (found == messages_.end()) return;
  Outgoing& message = found->second;
  if (message.is_durable() && !message.stored && journal_.is_persisted(message.row_token)) {
    message.stored = true;
    ++accepted_;
    for (const RequestId request : message.waiters) out.push(Submitted{request, id});
    message.waiters.clear();
  }
  if (message.stage != Stage::writing || !journal_.is_persisted(message.send_token)) return;
  Recipient& peer = recipients_.at(message.to);
  if (!peer.up && !peer.routed && !message.is_durable()) {  // The link went down while it waited for the disk.
    message.wire.reset();
    return return_to_queue(message, peer);
  }
  message.stage = Stage::out;
  message.next_try = now.mono;
  if (is_reachable(peer)) resend(now, message, peer, out);
  if (message.is_durable()) return;
  const identity::PeerId to = message.to;
  finish_volatile(now, message, MessageState::sent, out);
  release(now, to);
}

void Sender::transmit(Now now, Outgoing& message, Recipient& peer, Effects& out) {
  if (++message.attempts > 1) ++retransmitted_;
  message.steps.add(now, StepKind::transmitted, message.attempts);
  if (!message.is_durable()) {
    out.push(Transmit{.to = message.to, .priority = message.priority, .message = std::move(message.wire)});
    return;
  }
  out.push(Transmit{.to = message.to, .priority = message.priority, .message = message.wire});
  message.next_try = now.mono + peer.interval;
  retry_.set_no_later_than(message.to, message.next_try);
  if (message.announced_in_flight) return;
  message.announced_in_flight = true;
  out.push(StateChanged{.id = message.id, .to = message.to, .state = MessageState::in_flight});
}

void Sender::resend(Now now, Outgoing& message, Recipient& peer, Effects& out) {
  if (message.stage == Stage::stale) return request_seal(message, peer, out);
  if (message.stage != Stage::out) return;
  if (peer.up) return transmit(now, message, peer, out);
  if (peer.routed && message.next_try <= now.mono) forward(now, message, peer, out);
  if (!message.is_durable() || !config_.mailboxes) return;
  if (message.deposit_due <= now.mono) deposit(now, message, out);
}

void Sender::finish_volatile(Now now, Outgoing& message, MessageState state, Effects& out) {
  const identity::PeerId to = message.to;
  store::Batch none;
  Group group;
  group.push_back(settle(now, message, state, none, out));
  recent_volatile_.add(HistoryRow{.peer = to, .at = now.wall, .receipt = {}, .entries = std::move(group)}, nullptr);
}

void Sender::return_to_queue(Outgoing& message, Recipient& peer) {
  message.stage = Stage::queued;
  if (!message.is_durable()) {
    peer.waiting.emplace(queue_key(message), &message);
    return;
  }
  peer.flight.erase(message.number);
  peer.flight_bytes -= message.size();
  peer.queued.emplace(queue_key(message), &message);
}

void Sender::on_unsealable(Now now, const MessageId& id, const Error& why) {
  const auto found = messages_.find(id);
  if (found == messages_.end() || found->second.stage != Stage::sealing) return;
  Outgoing& message = found->second;
  Recipient& peer = recipients_.at(message.to);
  message.steps.add(now, StepKind::unsealable, static_cast<std::uint64_t>(why.code));
  return_to_queue(message, peer);
  if (peer.unsealable) return;
  peer.unsealable = true;
  if (!is_reachable(peer)) return;
  retry_.set_no_later_than(message.to, now.mono + peer.interval);
  set_failures(peer, peer.failures + 1);
}

void Sender::on_session_lost(Now now, const identity::PeerId& to, Effects& out) {
  const auto found = recipients_.find(to);
  if (found == recipients_.end()) return;
  Recipient& peer = found->second;
  for (const auto& [number, message] : peer.flight) {
    if (message->stage == Stage::sealing) continue;
    message->stage = Stage::stale;  // Or it is: what mailboxes keep of it cannot be opened.
    message->wire.reset();
    message->next_try = now.mono;
    message->deposit_due = now.mono;
    message->steps.add(now, StepKind::session_lost);
    if (is_reachable(peer)) resend(now, *message, peer, out);
  }
}

void Sender::on_link_up(Now now, const identity::PeerId& to, Effects& out) {
  Recipient& peer = recipient(to);
  peer.unsealable = false;
  if (!peer.up) {
    peer.up = true;
    peer.absent = false;
    peer.unreachable.clear();
    if (peer.flight.empty()) peer.unwanted_until = now.mono;
    peer.hold_until = std::max(now.mono, peer.unwanted_until);
    set_failures(peer, 0);
    for (const auto& [number, message] : peer.flight) {
      resend(now, *message, peer, out);
      if (peer.unwanted_until > now.mono) return arm(now, to, peer);
    }
  }
  pump(now, peer, out);
}

void Sender::on_link_down(Now now, const identity::PeerId& to) {
  const auto found = recipients_.find(to);
  if (found == recipients_.end()) return;
  found->second.up = false;
  retry_.cancel(to);
  for (const auto& [number, message] : found->second.flight) {
    if (message->stage == Stage::out && message->attempts > 0) message->steps.add(now, StepKind::link_lost);
    message->next_try = now.mono;
  }
  if (found->second.routed) {
    retry_.set(to, now.mono);
  } else {
    await_link(now, to, found->second);
  }
  forget_if_unused(found);
}

void Sender::on_unreachable(Now now, const identity::PeerId& to, const Error& why) {
  const auto found = recipients_.find(to);
  if (found == recipients_.end() || found->second.up) return;
  found->second.unreachable = why.message.substr(0, kMaxWhy);
  found->second.unreachable_at = now.wall;
}

/// The failed message is not named: it is one of those transmitted at this instant.
void Sender::on_transmit_failed(Now now, const identity::PeerId& to) {
  const auto found = recipients_.find(to);
  if (found == recipients_.end() || !found->second.up) return;
  Recipient& peer = found->second;
  const Instant drained = now.mono + kDrainTime;
  for (const auto& [number, message] : peer.flight) {
    if (message->stage != Stage::out || message->next_try != now.mono + peer.interval) continue;
    message->next_try = std::min(message->next_try, drained);
    message->steps.add(now, StepKind::not_taken);
  }
  peer.hold_until = std::max(peer.hold_until, drained);
  retry_.set_no_later_than(to, drained);
}

void Sender::on_refusal(Now now, const identity::PeerId& by, const Refusal& refusal) {
  const auto found = recipients_.find(by);
  if (found == recipients_.end() || !found->second.up) return;
  Recipient& peer = found->second;
  if (refusal.reason == Refusal::Reason::unwanted) return on_unwanted(now, by, peer, refusal);
  Duration wait = std::clamp<Duration>(milliseconds(refusal.retry_after_ms), config_.retry_min, config_.retry_max);
  wait += rng_.between(Duration::zero(), wait / 4);
  const auto wait_ms = static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(wait).count());
  bool concerns_us = false;
  for (const MessageId& id : refusal.ids) {
    const auto refused = messages_.find(id);
    if (refused == messages_.end()) continue;
    Outgoing& message = refused->second;
    if (message.to != by || !message.is_durable() || message.stage != Stage::out) continue;
    concerns_us = true;
    if (refusal.reason == Refusal::Reason::window) {
      message.stage = Stage::stale;
      message.wire.reset();
    }
    message.next_try = now.mono + wait;
    message.steps.add(now, StepKind::refused, static_cast<std::uint64_t>(refusal.reason) + 256 * wait_ms);
  }
  if (!concerns_us) return;
  retry_.set_no_later_than(by, now.mono + wait);
  const bool all = refusal.reason != Refusal::Reason::expired && refusal.reason != Refusal::Reason::window;
  if (all) peer.hold_until = std::max(peer.hold_until, now.mono + wait);
}

void Sender::on_life_sign(Now now, const identity::PeerId& to, Recipient& peer) {
  if (peer.failures == 0) return;
  set_failures(peer, 0);
  if (!peer.up && !peer.routed) return;
  for (const auto& [number, message] : peer.flight) {
    message->next_try = std::min(message->next_try, now.mono + peer.interval);
  }
  arm(now, to, peer);
}

/// Sets the retry timer to the earliest thing that is to be tried again.
void Sender::arm(Now now, const identity::PeerId& to, Recipient& peer) {
  std::optional<Instant> at;
  for (const auto& [number, message] : peer.flight) {
    if (message->stage == Stage::out || message->stage == Stage::stale) at = earlier(at, next_time(*message, peer));
  }
  // Also with nothing queued: what is submitted meanwhile is queued and relies on this timer.
  if (peer.hold_until > now.mono) at = earlier(at, peer.hold_until);
  if (peer.unsealable) at = earlier(at, now.mono + peer.interval);
  if (at) {
    retry_.set(to, *at);
  } else {
    retry_.cancel(to);
  }
}

void Sender::on_retry(Now now, const identity::PeerId& to, Recipient& peer, Effects& out) {
  if (!peer.up && !peer.routed) {
    if (!config_.mailboxes || peer.messages == 0) return;
    if (peer.unwanted_until > now.mono) return retry_.set(to, peer.unwanted_until);
    peer.absent = true;
    peer.hold_until = now.mono;
  }
  peer.unsealable = false;
  const auto is_due = [&](const auto& entry) {
    const Outgoing& message = *entry.second;
    return (message.stage == Stage::out || message.stage == Stage::stale) && next_time(message, peer) <= now.mono;
  };
  if (std::ranges::any_of(peer.flight, is_due)) {
    if (peer.up || peer.routed) set_failures(peer, peer.failures + 1);
    for (const auto& entry : peer.flight) {
      if (is_due(entry)) resend(now, *entry.second, peer, out);
    }
  }
  pump(now, peer, out);
  arm(now, to, peer);
}

void Sender::retry_now(Now now, const identity::PeerId& to, Effects& out) {
  const auto found = recipients_.find(to);
  if (found == recipients_.end()) return;
  Recipient& peer = found->second;
  peer.unsealable = false;
  peer.hold_until = now.mono;
  peer.unwanted_until = now.mono;
  set_failures(peer, 0);
  if (!peer.up) return;
  for (const auto& [number, message] : peer.flight) resend(now, *message, peer, out);
  pump(now, peer, out);
  arm(now, to, peer);
}

}  // namespace ekiden::router
