#include "router/outbox.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "router/draft.hpp"

namespace ekiden::router {
namespace {

constexpr milliseconds kExpiryCheck = minutes(1);

WallTime expiry_of(WallTime now, Duration ttl) {
  const auto lifetime = std::max<std::int64_t>(1, std::chrono::duration_cast<milliseconds>(ttl).count());
  return from_unix_ms(to_unix_ms(now) + std::min(static_cast<std::uint64_t>(lifetime), kMaxTtlMs));
}

std::unexpected<Error> full(std::string_view what, std::size_t limit, std::string_view setting) {
  return fail(Errc::limit_exceeded, std::string(what) + " (" + std::string(setting) + " = " + std::to_string(limit) +
                                        "); try again when some of them are delivered or have expired");
}

}  // namespace

Status Sender::check_quotas(const Draft& draft) const {
  const std::size_t size =
      draft.body.size() + draft.type.size() + draft.content_type.size() + draft.conversation.size();
  if (draft.delivery == DeliveryClass::volatile_) {
    if (volatile_messages_ >= config_.max_volatile) {
      return full("too many volatile messages wait for a link", config_.max_volatile, "max_volatile");
    }
    if (volatile_bytes_ + size > kMaxVolatileBytes) {
      return full("too many bytes of volatile messages wait for a link", kMaxVolatileBytes, "max_volatile_bytes");
    }
    return {};
  }
  if (durable_messages_ >= config_.max_outbox_messages) {
    return full("the outbox is full", config_.max_outbox_messages, "max_outbox_messages");
  }
  if (durable_bytes_ + size > config_.max_outbox_bytes) {
    return full("the outbox has no room for so many bytes", config_.max_outbox_bytes, "max_outbox_bytes");
  }
  const auto peer = recipients_.find(draft.to);
  if (peer != recipients_.end() && peer->second.unsettled.size() >= config_.max_outbox_messages_per_peer) {
    return full("too many messages wait for this recipient", config_.max_outbox_messages_per_peer,
                "max_outbox_messages_per_peer");
  }
  if (is_ordered(draft)) return conversations_.check(draft.to, draft.conversation);
  return {};
}

bool Sender::answer_known(RequestId request, const Draft& draft, const std::optional<crypto::Digest>& digest,
                          Effects& out) {
  if (!draft.id) return false;
  const auto live = messages_.find(*draft.id);
  const HistoryEntry* past = history_.find(*draft.id);
  if (past == nullptr) past = recent_volatile_.find(*draft.id);
  if (live == messages_.end() && past == nullptr) return false;

  const auto& known = live != messages_.end() ? live->second.digest : past->digest;
  if (known != digest) {
    out.push(Submitted{request, fail(Errc::already_exists, "another message has the id " + draft.id->text())});
  } else if (live == messages_.end() || live->second.stored || !live->second.is_durable()) {
    out.push(Submitted{request, *draft.id});
  } else if (live->second.waiters.size() >= kMaxWaiters) {
    out.push(Submitted{request, fail(Errc::limit_exceeded, "too many requests wait for this message to be stored")});
  } else {
    live->second.waiters.push_back(request);
  }
  return true;
}

Recipient& Sender::recipient(const identity::PeerId& to) {
  const auto [entry, fresh] = recipients_.try_emplace(to);
  if (fresh) {
    entry->second.last_sequence = first_sequence_;
    set_failures(entry->second, 0);
  }
  return entry->second;
}

void Sender::want(const identity::PeerId& to, Recipient& peer, Effects& out) {
  if (peer.wanted) return;
  peer.wanted = true;
  out.push(Connect{.peer = to, .wanted = true});
}

Outgoing& Sender::insert(Outgoing message) {
  message.rank = message.chain != nullptr ? Conversations::rank(*message.chain, message.priority) : message.priority;
  const MessageId id = message.id;
  Outgoing& kept = messages_.emplace(id, std::move(message)).first->second;
  Recipient& peer = recipient(kept.to);
  ++peer.messages;
  by_expiry_.emplace(std::pair{kept.expires, kept.number}, &kept);
  if (kept.is_durable()) {
    peer.unsettled.insert(kept.sequence);
    peer.queued.emplace(queue_key(kept), &kept);
    ++durable_messages_;
    durable_bytes_ += kept.size();
  } else {
    peer.waiting.emplace(queue_key(kept), &kept);
    ++volatile_messages_;
    volatile_bytes_ += kept.size();
  }
  return kept;
}

void Sender::submit(Now now, RequestId request, Draft draft, const Status& storage, Effects& out) {
  const bool durable = draft.delivery == DeliveryClass::durable;
  const bool ordered = is_ordered(draft);
  std::optional<crypto::Digest> digest;
  if (auto valid = check_draft(draft, self_); !valid)
    return out.push(Submitted{request, std::unexpected(valid.error())});
  if (draft.id) digest = digest_of(draft);
  if (answer_known(request, draft, digest, out)) return;
  if (durable && !storage) return out.push(Submitted{request, std::unexpected(storage.error())});
  if (auto room = check_quotas(draft); !room) return out.push(Submitted{request, std::unexpected(room.error())});

  Recipient& peer = recipient(draft.to);
  Outgoing message{.number = next_number_++,
                   .id = draft.id ? *draft.id : Uuid::random(rng_),
                   .to = draft.to,
                   .sequence = durable ? ++peer.last_sequence : 0,
                   .accepted = from_unix_ms(to_unix_ms(now.wall)),
                   .expires = expiry_of(now.wall, draft.ttl),
                   .priority = draft.priority,
                   .delivery = draft.delivery,
                   .type = std::move(draft.type),
                   .content_type = std::move(draft.content_type),
                   .in_reply_to = draft.in_reply_to,
                   .digest = digest,
                   .body = std::move(draft.body),
                   .exchange = std::move(draft.exchange)};
  if (ordered) {
    message.order.emplace().conversation = std::move(draft.conversation);
    message.chain =
        &conversations_.append(message.to, message.sequence, message.accepted, message.expires, *message.order);
  }
  Outgoing& kept = insert(std::move(message));
  kept.steps.add(now, StepKind::accepted, durable ? 0 : 1);
  want(kept.to, peer, out);
  watch_expiry(now, kept.expires);
  if (durable) {
    counters_.cover(kept.sequence, journal_, out);
    kept.waiters.push_back(request);
    write_row(kept, out);  // First: it may be sealed while it is being written.
  } else {
    ++accepted_;
    out.push(Submitted{request, kept.id});
  }
  pump(now, peer, out);
  if (kept.stage != Stage::queued) return;
  await_link(now, kept.to, peer);
  kept.steps.add(now, peer.up ? StepKind::behind_others : StepKind::no_link, peer.flight.size());
}

void Sender::write_row(Outgoing& message, Effects& out) {
  const OutboxRow row{.id = message.id,
                      .to = message.to,
                      .sequence = message.sequence,
                      .accepted = message.accepted,
                      .expires = message.expires,
                      .priority = message.priority,
                      .type = message.type,
                      .content_type = message.content_type,
                      .in_reply_to = message.in_reply_to,
                      .digest = message.digest,
                      .body = message.body,
                      .exchange = message.exchange,
                      .order = message.order};
  Bytes value;
  value.reserve(message.size() + 208);
  wire::encode_to(row, value);
  store::Batch batch;
  batch.put(store::Table::outbox, message.number, std::move(value));
  message.row_token = journal_.write(std::move(batch), out);
  journal_.wait(message.row_token, OutgoingWaits{message.id});
}

Status Sender::load_outbox(std::uint64_t number, ByteView value) {
  auto row = wire::decode<OutboxRow>(value);
  if (!row) return fail(Errc::storage_corrupt, row.error().message);
  if (number < next_number_) return fail(Errc::storage_corrupt, "outbox rows are out of order");
  if (row->sequence == 0 || messages_.contains(row->id)) {
    return fail(Errc::storage_corrupt, "outbox row " + std::to_string(number) + " contradicts another one");
  }
  Recipient& peer = recipient(row->to);
  if (!peer.unsettled.empty() && *peer.unsettled.rbegin() >= row->sequence) {
    return fail(Errc::storage_corrupt, "the sequences of the outbox are out of order");
  }
  next_number_ = number + 1;
  Conversations::Chain* const chain =
      row->order ? &conversations_.restore(row->to, row->sequence, row->expires, *row->order) : nullptr;
  loaded_[number] = &insert(Outgoing{.number = number,
                                     .id = row->id,
                                     .to = row->to,
                                     .sequence = row->sequence,
                                     .accepted = row->accepted,
                                     .expires = row->expires,
                                     .priority = row->priority,
                                     .type = std::move(row->type),
                                     .content_type = std::move(row->content_type),
                                     .in_reply_to = row->in_reply_to,
                                     .digest = row->digest,
                                     .body = to_bytes(row->body),
                                     .exchange = std::move(row->exchange),
                                     .order = std::move(row->order),
                                     .chain = chain,
                                     .stored = true});
  return {};
}

void Sender::start(Now now, Effects& out) {
  first_sequence_ = counters_.sequences_before();
  loaded_.clear();
  for (auto& [key, message] : by_expiry_) {
    message->steps.add(Now{now.mono, message->accepted}, StepKind::accepted);
    message->steps.add(now, StepKind::restored);
  }
  for (auto& [to, peer] : recipients_) {
    peer.last_sequence = first_sequence_;
    want(to, peer, out);
  }
  resume_deposits(now);
  if (!by_expiry_.empty()) watch_expiry(now, by_expiry_.begin()->first.first);
  store::Batch batch;
  history_.trim(&batch);
  journal_.write(std::move(batch), out);
}

void Sender::watch_expiry(Now now, WallTime expires) {
  const Duration left = std::clamp(expires - now.wall, milliseconds(0), kExpiryCheck);
  const Instant at = now.mono + left;
  if (!expiry_at_ || at < *expiry_at_) expiry_at_ = at;
}

/// Takes the message out of everything; its row is erased by `batch`.
HistoryEntry Sender::settle(Now now, Outgoing& message, MessageState state, store::Batch& batch, Effects& out) {
  Recipient& peer = recipients_.at(message.to);
  --peer.messages;
  by_expiry_.erase({message.expires, message.number});
  if (message.is_durable()) {
    peer.unsettled.erase(message.sequence);
    if (message.in_flight()) {
      peer.flight.erase(message.number);
      peer.flight_bytes -= message.size();
    } else {
      peer.queued.erase(queue_key(message));
    }
    --durable_messages_;
    durable_bytes_ -= message.size();
    batch.erase(store::Table::outbox, message.number);
    if (message.chain != nullptr) {
      conversations_.settle(*message.chain, message.order->place, state == MessageState::delivered);
    }
    if (!message.kept_at.empty()) batch.erase(store::Table::deposits, message.number);
  } else {
    peer.waiting.erase(queue_key(message));
    --volatile_messages_;
    volatile_bytes_ -= message.size();
  }
  for (const RequestId request : message.waiters) {
    out.push(Submitted{request, fail(Errc::expired, "the message expired before it was stored")});
  }
  out.push(StateChanged{.id = message.id, .to = message.to, .state = state});
  HistoryEntry entry{.id = message.id,
                     .accepted = message.accepted,
                     .expires = message.expires,
                     .state = state,
                     .priority = message.priority,
                     .delivery = message.delivery,
                     .attempts = message.attempts,
                     .size = static_cast<std::uint32_t>(message.size()),
                     .digest = message.digest,
                     .steps = {},
                     .stored = {},
                     .type = message.type.empty() ? std::nullopt : std::optional(message.type)};
  if (!message.kept_at.empty()) entry.stored = DepositsRow{message.kept_at};
  if (message.order) {
    entry.placed = KeptPlace{.conversation = message.order->conversation,
                             .sequence = message.sequence,
                             .place = message.order->place,
                             .delivered = message.order->delivered};
  }
  if (state != MessageState::sent) {
    message.steps.add(now, state == MessageState::delivered ? StepKind::delivered : StepKind::expired);
  }
  entry.steps = message.steps.pack(message.accepted);
  messages_.erase(entry.id);
  return entry;
}

void Sender::record(Now now, const identity::PeerId& peer, ByteView receipt, Group group, store::Batch& batch) {
  history_.add(HistoryRow{.peer = peer, .at = now.wall, .receipt = to_bytes(receipt), .entries = std::move(group)},
               &batch);
}

void Sender::on_receipt(Now now, const identity::PeerId& by, ByteView cose, const Receipt& receipt, Effects& out) {
  const auto peer = recipients_.find(by);
  if (peer == recipients_.end()) return;
  store::Batch batch;
  Group group;
  group.reserve(receipt.delivered.size());
  for (const MessageId& id : receipt.delivered) {
    const auto found = messages_.find(id);
    if (found == messages_.end()) continue;
    Outgoing& message = found->second;
    if (!message.is_durable() || !message.stored || message.to != by) continue;
    group.push_back(settle(now, message, MessageState::delivered, batch, out));
  }
  delivered_ += group.size();
  if (!group.empty()) record(now, by, cose, std::move(group), batch);
  journal_.write(std::move(batch), out);
  on_life_sign(now, by, peer->second);
  if (peer->second.unwanted_until > now.mono) end_unwanted(now, by, peer->second);
  pump(now, peer->second, out);
  release(now, by);
}

void Sender::expire(Now now, Effects& out) {
  if (!expiry_at_ || *expiry_at_ > now.mono) return;
  expiry_at_.reset();
  store::Batch batch;
  std::map<identity::PeerId, Group> groups;
  while (!by_expiry_.empty() && by_expiry_.begin()->first.first <= now.wall) {
    Outgoing& message = *by_expiry_.begin()->second;
    const identity::PeerId to = message.to;
    ++expired_;
    if (!message.is_durable()) {
      finish_volatile(now, message, MessageState::expired, out);
      groups.try_emplace(to);
      continue;
    }
    Group& group = groups[to];
    group.push_back(settle(now, message, MessageState::expired, batch, out));
    if (group.size() == kMaxReceiptIds) record(now, to, {}, std::exchange(group, {}), batch);
  }
  for (auto& [to, group] : groups) record(now, to, {}, std::move(group), batch);
  journal_.write(std::move(batch), out);
  for (const auto& [to, group] : groups) {
    pump(now, recipients_.at(to), out);
    release(now, to);
  }
  if (!by_expiry_.empty()) watch_expiry(now, by_expiry_.begin()->first.first);
}

void Sender::release(Now now, const identity::PeerId& to) {
  const auto peer = recipients_.find(to);
  if (peer == recipients_.end() || peer->second.messages > 0) return;
  peer->second.idle_since = now.mono;
  if (peer->second.wanted) {
    if (!linger_.at(to)) linger_.set(to, now.mono + config_.connect_linger);
  } else {
    forget_if_unused(peer);
  }
}

void Sender::on_linger(Now now, const identity::PeerId& to, Effects& out) {
  const auto peer = recipients_.find(to);
  if (peer == recipients_.end() || peer->second.messages > 0 || !peer->second.wanted) return;
  const Instant until = peer->second.idle_since + config_.connect_linger;
  if (until > now.mono) return linger_.set(to, until);
  peer->second.wanted = false;
  peer->second.routed = false;
  out.push(Connect{.peer = to, .wanted = false});
  forget_if_unused(peer);
}

void Sender::forget_if_unused(Recipients::iterator peer) {
  const Recipient& state = peer->second;
  if (state.up || state.wanted || state.messages > 0) return;
  first_sequence_ = std::max(first_sequence_, state.last_sequence);
  retry_.cancel(peer->first);
  linger_.cancel(peer->first);
  recipients_.erase(peer);
}

}  // namespace ekiden::router
