// Messages to peers without a link: sealed all the same, and left with mailboxes.

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "router/outbox.hpp"

namespace ekiden::router {

/// The peer becomes absent when the retry timer finds no link.
void Sender::await_link(Now now, const identity::PeerId& to, Recipient& peer) {
  if (!config_.mailboxes || is_reachable(peer) || peer.messages == 0) return;
  if (!retry_.at(to)) retry_.set(to, now.mono + config_.deposit_after);
}

/// REQUIRES: stage out, and no link.
void Sender::deposit(Now now, Outgoing& message, Effects& out) {
  message.steps.add(now, StepKind::deposited, ++message.deposited);
  message.deposit_due = now.mono + config_.deposit_again;
  retry_.set_no_later_than(message.to, message.deposit_due);
  out.push(Deposit{.id = message.id,
                   .to = message.to,
                   .expires = message.expires,
                   .priority = message.priority,
                   .message = message.wire});
}

void Sender::on_stored(Now now, const MessageId& id, const StoredAt& stored, Effects& out) {
  const auto found = messages_.find(id);
  if (found == messages_.end() || !found->second.is_durable() || !found->second.stored) return;
  Outgoing& message = found->second;
  std::vector<StoredAt>& kept = message.kept_at;
  const auto known = std::ranges::find(kept, stored.by, &StoredAt::by);
  if (known != kept.end() && *known == stored) return;
  if (known != kept.end()) {
    *known = stored;
  } else {
    if (kept.size() == kMaxStoredAt) kept.erase(kept.begin());
    kept.push_back(stored);
    message.steps.add(now, StepKind::stored, kept.size());
  }
  store::Batch batch;
  batch.put(store::Table::deposits, message.number, wire::encode(DepositsRow{kept}));
  journal_.write(std::move(batch), out);
  if (message.announced_in_flight) return;
  message.announced_in_flight = true;
  out.push(StateChanged{.id = id, .to = message.to, .state = MessageState::in_flight});
}

void Sender::on_record(Now now, const identity::PeerId& to, Effects& out) {
  const auto found = recipients_.find(to);
  if (found == recipients_.end() || !found->second.absent || !found->second.unsealable) return;
  found->second.unsealable = false;
  set_failures(found->second, 0);
  pump(now, found->second, out);
  arm(now, to, found->second);
}

Status Sender::load_deposits(std::uint64_t number, ByteView value) {
  const auto corrupt = [&](std::string_view why) {
    return fail(Errc::storage_corrupt, "row " + std::to_string(number) + ": " + std::string(why));
  };
  auto row = wire::decode<DepositsRow>(value);
  if (!row) return corrupt(row.error().message);
  const auto found = loaded_.find(number);
  if (found == loaded_.end()) return corrupt("there is no such message in the outbox");
  found->second->kept_at = std::move(row->stored);
  return {};
}

/// After a restart: what mailboxes keep is in the flight, without the bytes that were sealed, and is left alone until
/// it is time to deposit it again.
void Sender::resume_deposits(Now now) {
  for (auto& [to, peer] : recipients_) {
    if (!config_.mailboxes) continue;
    for (auto entry = peer.queued.begin(); entry != peer.queued.end();) {
      Outgoing& message = *entry->second;
      const auto lasts = [&](const StoredAt& stored) { return stored.until > now.wall; };
      if (std::ranges::none_of(message.kept_at, lasts) || !has_room(peer, message)) {
        ++entry;
        continue;
      }
      entry = peer.queued.erase(entry);
      message.stage = Stage::stale;
      message.next_try = now.mono;
      message.deposit_due = now.mono + config_.deposit_again;
      message.announced_in_flight = true;
      peer.flight.emplace(message.number, &message);
      peer.flight_bytes += message.size();
    }
    await_link(now, to, peer);
  }
}

}  // namespace ekiden::router
