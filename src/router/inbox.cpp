#include "router/inbox.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace ekiden::router {
namespace {

// How long a refused sender should wait. It clamps and spreads these itself.
constexpr Duration kRetryFull = seconds(30);
constexpr Duration kRetryStorage = seconds(10);
constexpr Duration kRetryExpired = minutes(5);
constexpr Duration kRetryWindow = seconds(1);
constexpr Duration kRetryUnwanted = hours(24);

/// By how much sealed bytes can exceed their content.
constexpr std::size_t kSealedOverhead = kMaxSealed - kMaxBody;

Duration retry_after(Refusal::Reason reason) {
  switch (reason) {
    case Refusal::Reason::inbox_full:
    case Refusal::Reason::strangers_full:
      return kRetryFull;
    case Refusal::Reason::storage:
      return kRetryStorage;
    case Refusal::Reason::expired:
      return kRetryExpired;
    case Refusal::Reason::window:
      return kRetryWindow;
    case Refusal::Reason::unwanted:
      return kRetryUnwanted;
  }
  std::unreachable();
}

std::shared_ptr<Arrived> make_arrived(Now now, std::uint64_t number, const Envelope& envelope, Content content) {
  return std::make_shared<Arrived>(Arrived{.number = number,
                                           .id = envelope.id,
                                           .from = envelope.from,
                                           .sent = content.sent,
                                           .received = from_unix_ms(to_unix_ms(now.wall)),
                                           .expires = envelope.expires,
                                           .priority = envelope.priority,
                                           .delivery = envelope.delivery,
                                           .type = std::move(content.type),
                                           .content_type = std::move(content.content_type),
                                           .in_reply_to = content.in_reply_to,
                                           .body = to_bytes(content.body),
                                           .exchange = std::move(content.exchange),
                                           .order = std::move(content.order)});
}

}  // namespace

Status Receiver::on_envelope(Now now, const identity::PeerId& from, std::shared_ptr<const Bytes> buffer, ByteView body,
                             const Status& storage, Effects& out) {
  EKIDEN_ASSIGN(const Envelope envelope, wire::decode<Envelope>(body));
  if (envelope.to != self_) return fail(Errc::refused, "an envelope for somebody else: this node does not forward");
  if (envelope.from != from) {
    return fail(Errc::refused, "an envelope by somebody else than the neighbour that brought it");
  }
  if (may_open(now, envelope, storage, out)) out.push(Open{.envelope = envelope, .buffer = std::move(buffer)});
  return {};
}

Status Receiver::on_parcel(Now now, const identity::PeerId& from, const MessageId& id,
                           std::shared_ptr<const Bytes> buffer, ByteView body, const Status& storage, Effects& out) {
  EKIDEN_ASSIGN(const Envelope envelope, wire::decode<Envelope>(body));
  if (envelope.to != self_) return fail(Errc::refused, "a parcel with an envelope for somebody else");
  if (envelope.from != from || envelope.id != id || envelope.delivery != DeliveryClass::durable) {
    return fail(Errc::refused, "a parcel that is not what it says");
  }
  answers_.expect_parcel(from, id, std::nullopt);
  if (may_open(now, envelope, storage, out)) {
    out.push(Open{.envelope = envelope, .buffer = std::move(buffer), .from_mailbox = true});
  }
  return {};
}

Status Receiver::on_routed(Now now, const identity::PeerId& from, const MessageId& id,
                           std::shared_ptr<const Bytes> buffer, ByteView body, CameBy way, const Status& storage,
                           Effects& out) {
  EKIDEN_ASSIGN(const Envelope envelope, wire::decode<Envelope>(body));
  if (envelope.to != self_) return fail(Errc::refused, "a packet with an envelope for somebody else");
  const bool durable = envelope.delivery == DeliveryClass::durable;
  if (envelope.from != from || envelope.id != id || durable == way.hops.empty()) {
    return fail(Errc::refused, "a packet that is not what it says");
  }
  if (durable) answers_.expect_parcel(from, id, std::move(way));
  if (may_open(now, envelope, storage, out)) {
    out.push(Open{.envelope = envelope, .buffer = std::move(buffer), .from_mailbox = true});
  }
  return {};
}

bool Receiver::may_open(Now now, const Envelope& envelope, const Status& storage, Effects& out) {
  const bool expired = is_over(now, envelope.expires);
  if (standings_.is_blocked(envelope.from)) {
    refuse(now, envelope, Refusal::Reason::unwanted, out);
    return false;
  }
  if (envelope.delivery == DeliveryClass::volatile_) return !expired;
  const auto sender = senders_.find(envelope.from);
  if (sender != senders_.end() && sender->second.ids.contains(envelope.id)) {
    if (storage) return true;  // opened again, so that the session does not wait for this key
    repeat(now, envelope.from, sender->second.ids.at(envelope.id), out);
    return false;
  }
  // It may be the one for which others wait.
  const Use own = sender == senders_.end() || sender->second.early > 0 ? Use{} : sender->second.use;
  const std::size_t least = envelope.sealed.size() > kSealedOverhead ? envelope.sealed.size() - kSealedOverhead : 0;
  if (!storage) {
    refuse(now, envelope, Refusal::Reason::storage, out);
  } else if (expired) {
    refuse(now, envelope, Refusal::Reason::expired, out);
  } else if (const auto full = check_pools(now, envelope.from, own, least, out)) {
    refuse(now, envelope, *full, out);
  } else {
    return true;
  }
  return false;
}

Pools::Refused Receiver::check_pools(Now now, const identity::PeerId& from, const Use& own, std::size_t size,
                                     Effects& out) {
  const Tier tier = standings_.tier_of(from);
  const auto full = pools_.check_message(tier, own, size);
  if (full != Refusal::Reason::strangers_full) return full;
  store::Batch batch;
  if (!forget_unanswered(now, batch)) return full;
  journal_.write(std::move(batch), out);
  const auto sender = senders_.find(from);
  return pools_.check_message(tier, sender == senders_.end() ? Use{} : sender->second.use, size);
}

/// In milliseconds: a remote expiry may be thousands of years away, which nanoseconds do not reach.
bool Receiver::is_over(Now now, WallTime expires) const {
  return expires + std::chrono::duration_cast<milliseconds>(config_.clock_skew) < now.wall;
}

bool Receiver::is_sound(const Envelope& envelope, const Result<Content>& content) {
  if (!content) return false;
  if (envelope.delivery == DeliveryClass::volatile_) {
    return content->sequence == 0 && !content->exchange && !content->order;
  }
  if (content->sequence == 0 || content->floor > content->sequence) return false;
  if (!content->order) return true;
  const Order& order = *content->order;
  return !content->exchange && order.previous < content->sequence && order.delivered < order.place;
}

void Receiver::on_opened(Now now, const Envelope& envelope, ByteView plaintext, store::Batch changes, Effects& out) {
  auto content = wire::decode<Content>(plaintext);
  if (!is_sound(envelope, content)) {
    journal_.write(std::move(changes), out);
    refuse(now, envelope, Refusal::Reason::window, out);
  } else if (envelope.delivery == DeliveryClass::volatile_) {
    journal_.write(std::move(changes), out);
    // Nothing of this class waits anywhere, for the owner neither.
    if (config_.strangers != Strangers::accept && !standings_.is_known(envelope.from)) {
      return refuse(now, envelope, Refusal::Reason::unwanted, out);
    }
    ++received_;
    out.push(Arrival{make_arrived(now, 0, envelope, std::move(*content))});
  } else {
    on_durable(now, envelope, std::move(*content), std::move(changes), out);
  }
}

/// Whatever the verdict: what `batch` holds already is persisted, for the session has used up the key.
void Receiver::on_durable(Now now, const Envelope& envelope, Content content, store::Batch batch, Effects& out) {
  const identity::PeerId& from = envelope.from;
  const auto known = senders_.find(from);
  const bool is_new = known == senders_.end();
  Window fresh{.epoch = content.epoch, .floor = content.floor, .tier = standings_.tier_of(from), .held = is_held(from)};
  Window* window = is_new ? &fresh : &known->second;
  bool changed = is_new;
  if (!is_new && content.epoch > window->epoch) release_all(*window, batch, out);
  if (!is_new && content.epoch >= window->epoch) changed = advance(*window, content.epoch, content.floor, batch);

  const std::uint64_t sequence = content.sequence;
  Verdict verdict = judge(*window, envelope, content);
  if (verdict.reason == Refusal::Reason::strangers_full && forget_unanswered(now, batch)) {
    verdict = judge(*window, envelope, content);
  }
  if (verdict.kind == Verdict::fresh && content.order &&
      conversation(*window, content.order->conversation) == nullptr) {
    verdict = {Verdict::refused, Refusal::Reason::window};
  }
  if (verdict.kind == Verdict::fresh) {
    if (const auto full = make_room(now, from, *window, sequence, batch)) verdict = {Verdict::refused, *full};
  }
  if (verdict.kind == Verdict::fresh) {
    if (is_new) window = &insert(from, std::move(fresh));
    changed = extend_expiry(now, from, *window, envelope.expires) || changed;
    const std::uint64_t number = accept(now, envelope, std::move(content), *window, batch, out);
    if (changed) write_window(from, *window, batch);
    if (window->early > 0) release_ready(now, from, *window, batch, out);
    const store::PersistToken token = journal_.write(std::move(batch), out);
    journal_.wait(token, ArrivalWaits{number});
    await_released(token);
    return;
  }
  if (changed && !is_new) write_window(from, *window, batch);
  if (window->early > 0) release_ready(now, from, *window, batch, out);
  write(std::move(batch), out);
  if (verdict.kind == Verdict::repeated) return repeat(now, from, window->ids.at(envelope.id), out);
  refuse(now, envelope, verdict.reason, out);
}

Receiver::Verdict Receiver::judge(const Window& window, const Envelope& envelope, const Content& content) const {
  constexpr Verdict kMisplaced{Verdict::refused, Refusal::Reason::window};
  if (content.epoch < window.epoch || content.sequence < window.floor) return kMisplaced;
  if (window.ids.contains(envelope.id)) return {Verdict::repeated};
  if (window.received.contains(content.sequence)) return kMisplaced;
  const auto full = check_room(window, envelope, content);
  return full ? Verdict{Verdict::refused, *full} : Verdict{Verdict::fresh};
}

Pools::Refused Receiver::check_room(const Window& window, const Envelope& envelope, const Content& content) const {
  const std::size_t size = content.body.size() + content.type.size() + content.content_type.size() +
                           (content.order ? content.order->conversation.size() : 0);
  if (const auto full = check_share(window, content, size)) return full;
  if (config_.strangers == Strangers::accept || is_request(content.exchange)) return std::nullopt;
  if (window.held) return check_first(envelope.from, window, size);
  if (config_.strangers == Strangers::queue || standings_.is_known(envelope.from)) return std::nullopt;
  return Refusal::Reason::unwanted;
}

std::uint64_t Receiver::accept(Now now, const Envelope& envelope, Content content, Window& window, store::Batch& batch,
                               Effects& out) {
  const std::uint64_t number = counters_.next_arrival(journal_, out);
  Entry entry{.from = envelope.from,
              .id = envelope.id,
              .epoch = content.epoch,
              .sequence = content.sequence,
              .expires = envelope.expires,
              .message = nullptr,
              .arrived = now.mono};
  auto message = make_arrived(now, number, envelope, std::move(content));
  entry.message = message;
  if (message->order) arrange(now, number, window, entry, *message);
  write_entry(number, entry, batch);
  remember(window, entry, number);
  count_message(entry.from, window, *entry.message);
  rows_.emplace_hint(rows_.end(), number, std::move(entry));
  return number;
}

/// Received before. If its row is not persisted yet the receipt comes with that.
void Receiver::repeat(Now now, const identity::PeerId& from, std::uint64_t number, Effects& out) {
  ++duplicates_;
  const Entry& entry = rows_.at(number);
  if (entry.persisted) answers_.delivered(now, from, entry.id, out);
}

void Receiver::refuse(Now now, const Envelope& envelope, Refusal::Reason reason, Effects& out) {
  ++refused_;
  if (envelope.delivery == DeliveryClass::volatile_) return;
  answers_.refuse(now, envelope.from, envelope.id, reason, retry_after(reason), out);
}

void Receiver::on_duplicate(Now now, const Envelope& envelope, Effects& out) {
  if (envelope.delivery == DeliveryClass::volatile_) {
    ++duplicates_;
    return;
  }
  const auto sender = senders_.find(envelope.from);
  if (sender != senders_.end()) {
    const auto known = sender->second.ids.find(envelope.id);
    if (known != sender->second.ids.end()) return repeat(now, envelope.from, known->second, out);
  }
  refuse(now, envelope, Refusal::Reason::window, out);
}

void Receiver::on_no_session(Now now, const Envelope& envelope, Effects& out) {
  refuse(now, envelope, Refusal::Reason::inbox_full, out);
}

void Receiver::on_persisted(Now now, std::uint64_t number, Effects& out) {
  Entry& entry = rows_.at(number);
  entry.persisted = true;
  arrived_ = now.mono;
  ++received_;
  answers_.delivered(now, entry.from, entry.id, out);
  const bool is_blocked = standings_.is_blocked(entry.from);  // since it was received
  if (!is_blocked && !entry.early) {
    if (!is_held(entry)) announce(entry, out);
    return;
  }
  const identity::PeerId from = entry.from;
  Window& window = senders_.at(from);
  store::Batch batch;
  if (is_blocked) {
    forget_message(number, entry, batch);
  } else if (entry.epoch != window.epoch) {
    entry.early = false;
    if (!is_held(entry)) announce(entry, out);
  }
  if (window.early > 0) release_ready(now, from, window, batch, out);
  write(std::move(batch), out);
}

/// Who takes what has just come will soon get more, probably.
void Receiver::take(Now now, RequestId request, std::vector<std::uint64_t> numbers, Effects& out) {
  std::ranges::sort(numbers);
  numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
  store::Batch batch;
  Status answer;
  for (const std::uint64_t number : numbers) {
    const auto found = rows_.find(number);
    if (found == rows_.end() || !found->second.persisted || found->second.early || found->second.message == nullptr) {
      if (answer)
        answer = fail(Errc::not_found, "no message " + std::to_string(number) + " in the inbox; the others are taken");
      continue;
    }
    forget_message(number, found->second, batch);
  }
  if (batch.empty()) return out.push(Taken{request, std::move(answer)});
  const bool more_may_come = arrived_ && now.mono - *arrived_ <= Journal::kPatience;
  const auto token = more_may_come ? journal_.write_soon(now, std::move(batch)) : journal_.write(std::move(batch), out);
  journal_.wait(token, TakeWaits{request, std::move(answer)});
}

}  // namespace ekiden::router
