// The windows of Receiver, their rows, and its queries.

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "router/inbox.hpp"

namespace ekiden::router {
namespace {

/// Whole hours, so that a window is not written for each message only because that one expires a little later.
WallTime hour_after(WallTime at) {
  constexpr std::uint64_t kHour = 3600 * 1000;
  return from_unix_ms((to_unix_ms(at) / kHour + 1) * kHour);
}

}  // namespace

bool Receiver::is_in_window(const Entry& entry, const Window& window) {
  return entry.epoch == window.epoch && entry.sequence >= window.floor;
}

/// Moves the window to what the sender says. True if it has changed. REQUIRES: epoch >= window.epoch.
bool Receiver::advance(Window& window, std::uint64_t epoch, std::uint64_t floor, store::Batch& batch) {
  if (epoch > window.epoch) {
    drop_all(window, batch);
    window.epoch = epoch;
    window.floor = floor;
    return true;
  }
  if (floor <= window.floor) return false;
  drop_below(window, floor, batch);
  window.floor = floor;
  return true;
}

/// Forgets one sequence: a tombstone goes, a message not taken stays in the inbox.
void Receiver::drop_lowest(Window& window, store::Batch& batch) {
  const auto row = rows_.find(window.received.begin()->second);
  window.received.erase(window.received.begin());
  window.ids.erase(row->second.id);
  remove_use(window, {.remembered = 1});
  if (row->second.message != nullptr) return;
  batch.erase(store::Table::inbox, row->first);
  rows_.erase(row);
}

void Receiver::drop_below(Window& window, std::uint64_t floor, store::Batch& batch) {
  while (!window.received.empty() && window.received.begin()->first < floor) drop_lowest(window, batch);
}

/// Raises the floor over all that was received, so that none of it can come again. Only the very last sequence there is
/// has no floor above it.
void Receiver::drop_received(const identity::PeerId& from, Window& window, store::Batch& batch) {
  const std::uint64_t last = window.received.rbegin()->first;
  window.floor = last + (last < UINT64_MAX ? 1 : 0);
  drop_below(window, window.floor, batch);
  write_window(from, window, batch);
}

void Receiver::drop_all(Window& window, store::Batch& batch) {
  while (!window.received.empty()) drop_lowest(window, batch);
}

/// True if the window is to be written. The expiry is the sender's number: clamped, so that none can make itself
/// unforgettable.
bool Receiver::extend_expiry(Now now, const identity::PeerId& from, Window& window, WallTime expires) {
  const WallTime latest = hour_after(std::min(expires, now.wall + milliseconds(kMaxTtlMs)));
  if (latest <= window.expires) return false;
  unindex(from, window);
  window.expires = latest;
  index(from, window);
  return true;
}

void Receiver::write_window(const identity::PeerId& from, const Window& window, store::Batch& batch) {
  const WindowRow row{.epoch = window.epoch, .floor = window.floor, .expires = window.expires};
  batch.put(store::Table::windows, ByteView(from.bytes), wire::encode(row));
}

void Receiver::write_entry(std::uint64_t number, const Entry& entry, store::Batch& batch,
                           std::optional<KeptPlace> placed) {
  InboxRow row{.from = entry.from,
               .id = entry.id,
               .epoch = entry.epoch,
               .sequence = entry.sequence,
               .expires = entry.expires,
               .message = std::nullopt,
               .placed = std::move(placed)};
  Bytes value;
  if (entry.message != nullptr) {
    const Arrived& message = *entry.message;
    row.message = InboxMessage{.sent = message.sent,
                               .received = message.received,
                               .priority = message.priority,
                               .type = message.type,
                               .content_type = message.content_type,
                               .in_reply_to = message.in_reply_to,
                               .body = message.body,
                               .exchange = message.exchange,
                               .order = message.order};
    if (message.missing > 0) row.message->missing = message.missing;
    if (message.late) row.message->late = true;
    if (entry.early) row.message->early = true;
  }
  value.reserve((entry.message != nullptr ? size_of(*entry.message) : 0) + 208);
  wire::encode_to(row, value);
  batch.put(store::Table::inbox, number, std::move(value));
}

Status Receiver::load_window(ByteView name, ByteView value) {
  identity::PeerId from;
  if (name.size() != from.bytes.size()) return fail(Errc::storage_corrupt, "a window row is not named by a peer");
  from.bytes = take_array<32>(name);
  const auto row = wire::decode<WindowRow>(value);
  if (!row) return fail(Errc::storage_corrupt, row.error().message);
  if (senders_.contains(from)) return fail(Errc::storage_corrupt, "two window rows for one sender");
  insert(from, {.epoch = row->epoch,
                .floor = row->floor,
                .tier = standings_.tier_of(from),
                .expires = row->expires,
                .held = is_held(from),
                .forgetful = true});
  return {};
}

Status Receiver::load_row(std::uint64_t number, ByteView value) {
  auto row = wire::decode<InboxRow>(value);
  if (!row) return fail(Errc::storage_corrupt, row.error().message);
  const auto sender = senders_.find(row->from);
  if (sender == senders_.end() || rows_.contains(number) || number > counters_.arrival_ceiling()) {
    return fail(Errc::storage_corrupt, "inbox row " + std::to_string(number) + " does not fit the others");
  }
  Window& window = sender->second;
  Entry entry{.from = row->from,
              .id = row->id,
              .epoch = row->epoch,
              .sequence = row->sequence,
              .expires = row->expires,
              .message = nullptr,
              .persisted = true};
  if (is_in_window(entry, window)) {
    if (!remember(window, entry, number)) {
      return fail(Errc::storage_corrupt, "inbox row " + std::to_string(number) + " repeats another one");
    }
  } else if (!row->message) {
    return fail(Errc::storage_corrupt, "inbox row " + std::to_string(number) + " remembers what is settled");
  }
  if (row->message) {
    InboxMessage& message = *row->message;
    entry.message = std::make_shared<Arrived>(Arrived{.number = number,
                                                      .id = row->id,
                                                      .from = row->from,
                                                      .sent = message.sent,
                                                      .received = message.received,
                                                      .expires = row->expires,
                                                      .priority = message.priority,
                                                      .delivery = DeliveryClass::durable,
                                                      .type = std::move(message.type),
                                                      .content_type = std::move(message.content_type),
                                                      .in_reply_to = message.in_reply_to,
                                                      .body = to_bytes(message.body),
                                                      .exchange = std::move(message.exchange),
                                                      .order = std::move(message.order),
                                                      .missing = message.missing.value_or(0),
                                                      .late = message.late.value_or(false)});
    count_message(entry.from, window, *entry.message);
  }
  const bool early = row->message && row->message->early.value_or(false);
  if (entry.epoch == window.epoch) recall(number, window, entry, early, row->placed);
  rows_.emplace_hint(rows_.end(), number, std::move(entry));
  return {};
}

bool InboxFilter::matches(const Arrived& message) const {
  bool wanted = messages;
  if (message.exchange) wanted = message.exchange->part == Exchange::Part::request ? requests : replies;
  return wanted && (!from || message.from == *from) && (!type || message.type == *type) &&
         (!since || message.received >= *since);
}

std::vector<ArrivedPtr> Receiver::untaken(std::uint64_t after, std::size_t limit, const InboxFilter& filter) const {
  std::vector<ArrivedPtr> messages;
  for (auto row = rows_.upper_bound(after); row != rows_.end() && messages.size() < limit; ++row) {
    const Entry& entry = row->second;
    if (is_shown(entry) && !is_held(entry) && filter.matches(*entry.message)) messages.push_back(entry.message);
  }
  return messages;
}

std::string_view Receiver::waits_for(const Entry& entry) const {
  if (is_held(entry)) return "until its sender is accepted: `ekiden contact requests`";
  return entry.early ? "for earlier messages of its conversation" : "to be taken";
}

std::optional<Trace> Receiver::trace(const MessageId& id) const {
  const auto found = std::ranges::find_if(
      rows_, [&](const auto& row) { return row.second.id == id && row.second.persisted && row.second.message; });
  if (found == rows_.end()) return std::nullopt;
  const Arrived& message = *found->second.message;
  return Trace{.id = id,
               .peer = message.from,
               .outgoing = false,
               .state = MessageState::delivered,
               .priority = message.priority,
               .delivery = message.delivery,
               .accepted = message.sent,
               .delivered = message.received,
               .expires = message.expires,
               .attempts = 0,
               .size = size_of(message),
               .type = message.type,
               .steps = {{.at = message.sent, .what = "sent, by the clock of " + message.from.text()},
                         {.at = message.received,
                          .what = "received and stored as number " + std::to_string(message.number) + ", waits " +
                                  std::string(waits_for(found->second))}},
               .stored = {},
               .receipt = {}};
}

void Receiver::add_status(RouterStatus& status) const {
  status.inbox_messages = pools_.all().messages;
  status.inbox_bytes = pools_.all().bytes;
  status.waiting_strangers = waiting_.size();
  for (const identity::PeerId& peer : waiting_) status.waiting_messages += senders_.at(peer).first.messages;
  status.received = received_;
  status.duplicates = duplicates_;
  status.refused = refused_;
}

void Receiver::check_order(const Window& window) const {
  CHECK(window.conversations.size() <= config_.max_conversations);
  std::size_t early = 0;
  for (const auto& [name, conversation] : window.conversations) {
    early += conversation.early.size();
    for (const auto& [sequence, number] : conversation.early) {
      const Entry& entry = rows_.at(number);
      CHECK(entry.early && entry.message != nullptr && entry.sequence == sequence);
      CHECK(sequence > conversation.sequence && entry.message->order->conversation == name);
    }
  }
  CHECK(early == window.early && renamed_.empty());
}

void Receiver::check_invariants() const {
  Use all;
  Use strangers;
  for (const auto& [from, window] : senders_) {
    CHECK(window.tier == standings_.tier_of(from) && window.held == is_held(from));
    CHECK(waiting_.contains(from) == (window.held && window.first.messages > 0));
    CHECK(window.first.messages <= window.use.messages && window.first.bytes <= window.use.bytes);
    const auto indexed = by_expiry_[index_of(window.tier)].find({window.expires, from});
    CHECK(indexed != by_expiry_[index_of(window.tier)].end() && indexed->second == &window);
    CHECK(window.received.size() == window.ids.size() && window.received.size() == window.use.remembered);
    all += window.use;
    check_order(window);
    if (window.tier == Tier::stranger) strangers += window.use;
    for (const auto& [sequence, number] : window.received) {
      const Entry& entry = rows_.at(number);
      CHECK(entry.sequence == sequence && entry.from == from && is_in_window(entry, window));
      CHECK(window.ids.at(entry.id) == number);
    }
  }
  CHECK(senders_.size() == by_expiry_[0].size() + by_expiry_[1].size() && senders_.size() == all.senders);
  CHECK(std::ranges::all_of(waiting_, [this](const identity::PeerId& peer) { return senders_.contains(peer); }));
  CHECK(all == pools_.all() && strangers == pools_.strangers());
  for (const auto& [number, entry] : rows_) {
    CHECK(number <= counters_.arrival_ceiling());
    CHECK(entry.message != nullptr || entry.persisted);
    CHECK(entry.message != nullptr || is_in_window(entry, senders_.at(entry.from)));
    if (entry.message != nullptr) all -= use_of(*entry.message);
  }
  CHECK(all.messages == 0 && all.bytes == 0);
}

}  // namespace ekiden::router
