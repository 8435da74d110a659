// Recipients that want nothing from us: blocked there, or strangers to one that takes nothing of strangers. What was
// accepted stays until it expires, for they may change their mind, and we do not bother them meanwhile: one attempt
// with one message when a link comes up, all of it after a long time. Nor do mailboxes get what they would carry in
// vain.

#include <algorithm>

#include "router/outbox.hpp"

namespace ekiden::router {
namespace {

constexpr Duration kUnwantedMin = hours(1);
constexpr Duration kUnwantedMax = hours(24);

}  // namespace

void Sender::on_unwanted(Now now, const identity::PeerId& by, Recipient& peer, const Refusal& refusal) {
  Duration wait = std::clamp<Duration>(milliseconds(refusal.retry_after_ms), kUnwantedMin, kUnwantedMax);
  wait += rng_.between(Duration::zero(), wait / 4);
  const auto wait_ms = static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(wait).count());
  bool concerns_us = false;
  for (const MessageId& id : refusal.ids) {
    const auto refused = messages_.find(id);
    if (refused == messages_.end()) continue;
    Outgoing& message = refused->second;
    if (message.to != by || !message.is_durable() || message.stage != Stage::out) continue;
    concerns_us = true;
    message.steps.add(now, StepKind::refused, static_cast<std::uint64_t>(refusal.reason) + 256 * wait_ms);
  }
  if (!concerns_us) return;
  peer.unwanted_until = now.mono + wait;
  peer.hold_until = peer.unwanted_until;
  for (const auto& [number, message] : peer.flight) {
    message->next_try = peer.unwanted_until;
    message->deposit_due = peer.unwanted_until;
  }
  arm(now, by, peer);
}

/// A receipt has come: all the others may go, too.
void Sender::end_unwanted(Now now, const identity::PeerId& by, Recipient& peer) {
  peer.unwanted_until = now.mono;
  peer.hold_until = now.mono;
  for (const auto& [number, message] : peer.flight) {
    message->next_try = now.mono;
    message->deposit_due = now.mono;
  }
  arm(now, by, peer);
}

}  // namespace ekiden::router
