// Conversations at the recipient: which messages come too early, how long they wait, and what is told then.
//
// It is the turn of a message when those before it in its conversation had theirs: they were received, or the sender
// has a receipt for them (Order::delivered), or it has settled them otherwise (its floor is above the previous one), or
// their time is over. Their time is measured as that of questions is: the wait that the sender names, after the moment
// at which the message that waits came, by our own clock; and it is over, too, when they would be refused as expired.
// (The first bears with a clock of ours that is behind, the second ends a wait that began late.) So a lost message
// stalls the rest no longer than it could live.
//
// Turns are decided when a message is received, and written in its row: a restart decides nothing again. One that has
// waited gets a new number, and so a new row, in the batch that ends its wait: numbers are the order of announcement,
// and applications read on from the last number they know. The row carries the gap before the message. A message that
// comes when the turn of later ones is past is late; so says its row.
//
// What had its turn last in a conversation follows, after a restart, from the rows of the window. Where there are none
// at or above the floor, others may have had their turn since: only what the sender itself says is told as missing
// then, and so it is in a conversation that was forgotten because there are too many. Forgotten is the one with the
// lowest sequence among those in which nothing waits; a message for which none can be forgotten is refused (window):
// honest senders keep the same bound.

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "router/inbox.hpp"

namespace ekiden::router {
namespace {

/// Deadlines by the wall clock are looked at once a minute: it may be set.
constexpr milliseconds kOrderCheck = minutes(1);

milliseconds wait_of(std::uint64_t ms) { return milliseconds(std::min(ms, kMaxTtlMs)); }

}  // namespace

/// Null if there are too many, and messages wait in all of them.
Receiver::Conversation* Receiver::conversation(Window& window, const std::string& name) {
  const auto known = window.conversations.find(name);
  if (known != window.conversations.end()) return &known->second;
  if (window.conversations.size() >= config_.max_conversations) {
    auto oldest = window.conversations.end();
    for (auto each = window.conversations.begin(); each != window.conversations.end(); ++each) {
      if (!each->second.early.empty()) continue;
      if (oldest == window.conversations.end() || each->second.sequence < oldest->second.sequence) oldest = each;
    }
    if (oldest == window.conversations.end()) return nullptr;
    window.conversations.erase(oldest);
    window.forgetful = true;
  }
  return &window.conversations[name];
}

void Receiver::pass(Conversation& conversation, std::uint64_t sequence, std::uint64_t place) {
  if (sequence <= conversation.sequence) return;
  conversation.sequence = sequence;
  conversation.place = place;
  conversation.certain = true;
}

/// Whether the message before this one was received and does not wait itself.
bool Receiver::has_previous(const Window& window, const Order& order) const {
  const auto found = window.received.find(order.previous);
  return found != window.received.end() && !rows_.at(found->second).early;
}

/// What waits keeps no place from the message for which it waits: it takes none of the last places that are free, and
/// that message needs no more than one. (The application can take nothing that waits, so an inbox full of it would stay
/// full.)
Pools::Refused Receiver::check_share(const Window& window, const Content& content, std::size_t size) const {
  if (!content.order) return pools_.check_message(window.tier, window.use, size);
  const Order& order = *content.order;
  const auto found = window.conversations.find(order.conversation);
  const std::uint64_t last = found == window.conversations.end() ? 0 : found->second.sequence;
  const bool is_first = found == window.conversations.end() || found->second.early.empty() ||
                        content.sequence < found->second.early.begin()->first;
  const bool is_next = content.sequence < last || order.previous <= last || order.delivered + 1 >= order.place ||
                       order.previous < window.floor || has_previous(window, order);
  if (is_first && is_next) return pools_.check_message(window.tier, window.early > 0 ? Use{} : window.use, size);
  const Use spared{.messages = window.use.messages + 2, .bytes = window.use.bytes + 2 * size};
  const Tier tier = window.tier == Tier::trusted ? Tier::contact : window.tier;
  return pools_.check_message(tier, spared, std::min(kMaxBody, config_.max_inbox_bytes / 4));
}

/// REQUIRES: the message comes after what had its turn in its conversation, and before all others that wait.
Receiver::Turn Receiver::turn_of(Now now, const Window& window, const Conversation& conversation,
                                 const Entry& entry) const {
  const Order& order = *entry.message->order;
  if (order.previous <= conversation.sequence || order.delivered + 1 >= order.place || has_previous(window, order)) {
    return {.is_here = true};
  }
  const bool is_known = conversation.certain || !window.forgetful;
  const std::uint64_t base = std::max(conversation.place, order.delivered);
  std::uint64_t missing = order.place > base + 1 ? order.place - 1 - base : 1;
  const bool is_settled = order.previous < window.floor;
  if (!is_settled) {
    const auto wait = wait_of(is_known && missing == 1 ? order.wait_ms : std::max(order.wait_ms, order.earlier_ms));
    const Instant until = entry.arrived + wait;
    const WallTime over = entry.message->sent + wait;
    if (now.mono < until && !is_over(now, over)) {
      const auto left = over + std::chrono::duration_cast<milliseconds>(config_.clock_skew) - now.wall;
      return {.until = std::min(until, now.mono + std::clamp<milliseconds>(left, milliseconds(1), kOrderCheck))};
    }
  }
  // Unknown is then what became of those that were under way when the sender wrote this.
  if (!is_known && order.earlier_ms > 0) missing = 1;
  if (!is_known && is_settled && order.wait_ms > 0) missing = 0;
  return {.is_here = true, .missing = missing};
}

/// Decides about a message that is being received. `message` is that of the entry.
void Receiver::arrange(Now now, std::uint64_t number, Window& window, Entry& entry, Arrived& message) {
  Conversation* const known = conversation(window, message.order->conversation);
  CHECK(known != nullptr);
  if (entry.sequence < known->sequence) {
    message.late = true;
    return;
  }
  if (known->early.empty()) {
    if (const Turn turn = turn_of(now, window, *known, entry); turn.is_here) {
      message.missing = turn.missing;
      return pass(*known, entry.sequence, message.order->place);
    }
  }
  wait(number, window, *known, entry);
}

void Receiver::wait(std::uint64_t number, Window& window, Conversation& conversation, Entry& entry) {
  entry.early = true;
  conversation.early.emplace(entry.sequence, number);
  ++window.early;
}

/// Its wait is over: it is announced when its row under the new number is persisted.
void Receiver::release(std::uint64_t number, Window& window, Conversation& conversation, std::uint64_t missing,
                       store::Batch& batch, Effects& out) {
  const auto row = rows_.find(number);
  Entry entry = std::move(row->second);
  rows_.erase(row);
  const std::uint64_t renamed = counters_.next_arrival(journal_, out);
  auto message = std::make_shared<Arrived>(*entry.message);
  message->number = renamed;
  message->missing = missing;
  entry.message = std::move(message);
  entry.early = false;
  pass(conversation, entry.sequence, entry.message->order->place);
  if (is_in_window(entry, window)) {
    window.received[entry.sequence] = renamed;
    window.ids[entry.id] = renamed;
    window.last = renamed;
  }
  batch.erase(store::Table::inbox, number);
  write_entry(renamed, entry, batch);
  entry.releasing = true;
  rows_.emplace_hint(rows_.end(), renamed, std::move(entry));
  renamed_.push_back(renamed);
}

void Receiver::write(store::Batch batch, Effects& out) { await_released(journal_.write(std::move(batch), out)); }

/// What was released in this batch is announced when it is persisted.
void Receiver::await_released(store::PersistToken token) {
  for (const std::uint64_t number : renamed_) journal_.wait(token, ReleaseWaits{number});
  renamed_.clear();
}

/// Releases whatever need not wait any longer, and sets the timer for the rest. What is not on disk yet is looked at
/// again when it is.
void Receiver::release_ready(Now now, const identity::PeerId& from, Window& window, store::Batch& batch, Effects& out) {
  std::optional<Instant> until;
  for (auto& [name, conversation] : window.conversations) {
    while (!conversation.early.empty()) {
      const std::uint64_t number = conversation.early.begin()->second;
      const Entry& entry = rows_.at(number);
      if (!entry.persisted) break;
      const Turn turn = turn_of(now, window, conversation, entry);
      if (!turn.is_here) {
        until = earlier(until, turn.until);
        break;
      }
      conversation.early.erase(conversation.early.begin());
      --window.early;
      release(number, window, conversation, turn.missing, batch, out);
    }
  }
  if (until) {
    order_.set(from, *until);
  } else {
    order_.cancel(from);
  }
}

/// The sender has begun a new outbox: nothing of the old one can come any more. What is not on disk yet is announced
/// when it is.
void Receiver::release_all(Window& window, store::Batch& batch, Effects& out) {
  for (auto& [name, conversation] : window.conversations) {
    for (const auto& [sequence, number] : std::exchange(conversation.early, {})) {
      const Entry& entry = rows_.at(number);
      if (!entry.persisted) continue;
      const Order& order = *entry.message->order;
      const std::uint64_t base = std::max(conversation.place, order.delivered);
      const std::uint64_t missing = order.place > base + 1 ? order.place - 1 - base : 1;
      release(number, window, conversation, order.previous <= conversation.sequence ? 0 : missing, batch, out);
    }
  }
  window.early = 0;
  window.conversations.clear();
}

void Receiver::on_released(std::uint64_t number, Effects& out) {
  const auto row = rows_.find(number);
  if (row == rows_.end() || row->second.message == nullptr) return;
  row->second.releasing = false;
  if (!is_held(row->second)) announce(row->second, out);
}

void Receiver::forget_early(const Entry& entry, Window& window) {
  if (!entry.early || entry.epoch != window.epoch) return;
  const auto known = window.conversations.find(entry.message->order->conversation);
  if (known != window.conversations.end()) window.early -= known->second.early.erase(entry.sequence);
}

void Receiver::on_deadline(Now now, Effects& out) {
  while (const auto from = order_.pop_due(now.mono)) {
    const auto sender = senders_.find(*from);
    if (sender == senders_.end() || sender->second.early == 0) continue;
    store::Batch batch;
    release_ready(now, *from, sender->second, batch, out);
    write(std::move(batch), out);
  }
}

/// A row of the present epoch, from the disk.
void Receiver::recall(std::uint64_t number, Window& window, Entry& entry, bool early,
                      const std::optional<KeptPlace>& placed) {
  const bool ordered = entry.message != nullptr && entry.message->order;
  if (!ordered && !placed) return;
  Conversation* const known = conversation(window, ordered ? entry.message->order->conversation : placed->conversation);
  if (known == nullptr) return;
  if (ordered && early) return wait(number, window, *known, entry);
  pass(*known, entry.sequence, ordered ? entry.message->order->place : placed->place);
  known->certain = known->sequence >= window.floor;
}

void Receiver::start(Now now, Effects& out) {
  started_ = true;
  for (auto& [number, entry] : rows_) {
    if (entry.message == nullptr) continue;
    const Duration elapsed = std::clamp<Duration>(now.wall - entry.message->received, Duration(0), wait_of(kMaxTtlMs));
    entry.arrived = now.mono - elapsed;
    if (!entry.early && !is_held(entry)) announce(entry, out);
  }
  store::Batch batch;
  for (auto& [from, window] : senders_) {
    if (window.early > 0) release_ready(now, from, window, batch, out);
  }
  write(std::move(batch), out);
}

}  // namespace ekiden::router
