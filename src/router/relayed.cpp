// Messages to peers without a link, to whom relays know a way.

#include <algorithm>

#include "router/outbox.hpp"

namespace ekiden::router {
namespace {

/// Until a message that no relay has is sent again: routes that were lost are told in between.
constexpr Duration kReturnPause = milliseconds(50);

}  // namespace

void Sender::on_route(Now now, const identity::PeerId& to, bool up, Effects& out) {
  const auto found = recipients_.find(to);
  if (found == recipients_.end()) return;
  Recipient& peer = found->second;
  peer.routed = up;
  if (peer.up) return;
  if (!up) return await_link(now, to, peer);
  peer.unsealable = false;
  peer.hold_until = now.mono;
  set_failures(peer, 0);
  for (const auto& [number, message] : peer.flight) {
    message->next_try = now.mono;
    resend(now, *message, peer, out);
  }
  pump(now, peer, out);
  arm(now, to, peer);
}

/// REQUIRES: stage out, no link, and a route. What brings no receipt is left with mailboxes as well.
void Sender::forward(Now now, Outgoing& message, Recipient& peer, Effects& out) {
  if (++message.attempts > 1) ++retransmitted_;
  message.steps.add(now, StepKind::forwarded, message.attempts);
  Forward packet{.id = message.id,
                 .to = message.to,
                 .expires = message.expires,
                 .priority = message.priority,
                 .delivery = message.delivery,
                 .message = message.wire};
  out.push(std::move(packet));
  if (!message.is_durable()) return;
  message.next_try = now.mono + peer.interval;
  if (message.deposited == 0) {
    message.deposit_due = std::max(message.deposit_due, now.mono + config_.deposit_after);
  }
  retry_.set_no_later_than(message.to, next_time(message, peer));
  if (message.announced_in_flight) return;
  message.announced_in_flight = true;
  out.push(StateChanged{.id = message.id, .to = message.to, .state = MessageState::in_flight});
}

void Sender::on_handed_on(Now now, const MessageId& id, const identity::PeerId& by) {
  const auto found = messages_.find(id);
  if (found == messages_.end() || found->second.relay == by) return;
  found->second.relay = by;
  found->second.steps.add(now, StepKind::taken);
}

/// Who repeats to us what the peer has said once makes us seal nothing a second time.
void Sender::on_unopened(Now now, const identity::PeerId& by, WallTime at, const std::vector<MessageId>& messages) {
  const auto found = recipients_.find(by);
  if (messages.empty() || found == recipients_.end() || at <= found->second.unopened_at) return;
  found->second.unopened_at = at;
  const Instant again = now.mono + config_.retry_min;
  const auto again_ms = static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(config_.retry_min).count());
  for (const MessageId& id : messages) {
    const auto refused = messages_.find(id);
    if (refused == messages_.end()) continue;
    Outgoing& message = refused->second;
    if (message.to != by || !message.is_durable() || message.stage != Stage::out) continue;
    message.stage = Stage::stale;
    message.wire.reset();
    message.next_try = again;
    message.deposit_due = again;
    message.steps.add(now, StepKind::refused, static_cast<std::uint64_t>(Refusal::Reason::window) + 256 * again_ms);
    retry_.set_no_later_than(by, again);
  }
}

void Sender::on_returned(Now now, const MessageId& id) {
  const auto found = messages_.find(id);
  if (found == messages_.end() || found->second.stage != Stage::out) return;
  Outgoing& message = found->second;
  const Recipient& peer = recipients_.at(message.to);
  message.relay.reset();
  message.steps.add(now, StepKind::returned);
  if (peer.up) return;
  message.next_try = now.mono + kReturnPause;
  if (message.deposited == 0) message.deposit_due = message.next_try;
  if (peer.routed || config_.mailboxes) retry_.set_no_later_than(message.to, message.next_try);
}

}  // namespace ekiden::router
