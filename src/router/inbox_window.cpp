// The windows of Receiver, their rows, and its queries.

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "router/inbox.hpp"

namespace ekiden::router {
namespace {

constexpr std::size_t kCandidates = 64;  // senders looked at when one is to be forgotten

/// Whole hours, so that a window is not written for each message only because that one expires a little later.
WallTime hour_after(WallTime at) {
  constexpr std::uint64_t kHour = 3600 * 1000;
  return from_unix_ms((to_unix_ms(at) / kHour + 1) * kHour);
}

}  // namespace

bool Receiver::is_in_window(const Entry& entry, const Window& window) {
  return entry.epoch == window.epoch && entry.sequence >= window.floor;
}

/// True if the window may take one more sequence. Forgets senders that are over and done with, if that is what it
/// takes.
bool Receiver::make_room(Now now, const identity::PeerId& from, const Window& window, store::Batch& batch) {
  if (window.received.size() >= config_.max_window) return false;
  const auto has_share = [&] { return window.received.size() < kMaxWindows - std::min(kMaxWindows, remembered_); };
  const bool is_new = !senders_.contains(from);
  while (!has_share() || (is_new && senders_.size() >= config_.max_senders)) {
    if (!forget_expired_sender(now, from, batch)) return false;
  }
  return true;
}

bool Receiver::forget_expired_sender(Now now, const identity::PeerId& except, store::Batch& batch) {
  std::size_t looked_at = 0;
  for (const auto& [expires, id] : by_expiry_) {
    if (!is_over(now, expires) || ++looked_at > kCandidates) return false;
    const auto sender = senders_.find(id);
    if (id == except || sender->second.untaken > 0) continue;
    drop_all(sender->second, batch);
    batch.erase(store::Table::windows, ByteView(id.bytes));
    senders_.erase(sender);
    by_expiry_.erase(std::pair{expires, identity::PeerId(id)});
    return true;
  }
  return false;
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
  --remembered_;
  if (row->second.message != nullptr) return;
  batch.erase(store::Table::inbox, row->first);
  rows_.erase(row);
}

void Receiver::drop_below(Window& window, std::uint64_t floor, store::Batch& batch) {
  while (!window.received.empty() && window.received.begin()->first < floor) drop_lowest(window, batch);
}

void Receiver::drop_all(Window& window, store::Batch& batch) {
  while (!window.received.empty()) drop_lowest(window, batch);
}

/// True if the window is to be written. The expiry is the sender's number: clamped, so that none can make itself
/// unforgettable.
bool Receiver::extend_expiry(Now now, const identity::PeerId& from, Window& window, WallTime expires) {
  const WallTime latest = hour_after(std::min(expires, now.wall + milliseconds(kMaxTtlMs)));
  if (latest <= window.expires) return false;
  by_expiry_.erase({window.expires, from});
  window.expires = latest;
  by_expiry_.emplace(latest, from);
  return true;
}

void Receiver::write_window(const identity::PeerId& from, const Window& window, store::Batch& batch) {
  const WindowRow row{.epoch = window.epoch, .floor = window.floor, .expires = window.expires};
  batch.put(store::Table::windows, ByteView(from.bytes), wire::encode(row));
}

void Receiver::write_entry(std::uint64_t number, const Entry& entry, store::Batch& batch) {
  InboxRow row{.from = entry.from,
               .id = entry.id,
               .epoch = entry.epoch,
               .sequence = entry.sequence,
               .expires = entry.expires,
               .message = std::nullopt};
  Bytes value;
  if (entry.message != nullptr) {
    const Arrived& message = *entry.message;
    row.message = InboxMessage{.sent = message.sent,
                               .received = message.received,
                               .priority = message.priority,
                               .type = message.type,
                               .content_type = message.content_type,
                               .in_reply_to = message.in_reply_to,
                               .body = message.body};
    value.reserve(size_of(message) + 160);
  }
  wire::encode_to(row, value);
  batch.put(store::Table::inbox, number, std::move(value));
}

Status Receiver::load_window(ByteView name, ByteView value) {
  identity::PeerId from;
  if (name.size() != from.bytes.size()) return fail(Errc::storage_corrupt, "a window row is not named by a peer");
  from.bytes = take_array<32>(name);
  const auto row = wire::decode<WindowRow>(value);
  if (!row) return fail(Errc::storage_corrupt, row.error().message);
  Window window{.epoch = row->epoch, .floor = row->floor, .expires = row->expires};
  if (!senders_.emplace(from, std::move(window)).second) {
    return fail(Errc::storage_corrupt, "two window rows for one sender");
  }
  by_expiry_.emplace(row->expires, from);
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
    if (!window.received.emplace(entry.sequence, number).second || !window.ids.emplace(entry.id, number).second) {
      return fail(Errc::storage_corrupt, "inbox row " + std::to_string(number) + " repeats another one");
    }
    ++remembered_;
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
                                                      .body = to_bytes(message.body)});
    const std::size_t size = size_of(*entry.message);
    ++window.untaken;
    window.untaken_bytes += size;
    ++untaken_;
    untaken_bytes_ += size;
  }
  rows_.emplace_hint(rows_.end(), number, std::move(entry));
  return {};
}

void Receiver::start(Effects& out) const {
  for (const auto& [number, entry] : rows_) {
    if (entry.message != nullptr) out.push(Arrival{entry.message});
  }
}

std::vector<ArrivedPtr> Receiver::untaken(std::uint64_t after, std::size_t limit) const {
  std::vector<ArrivedPtr> messages;
  for (auto row = rows_.upper_bound(after); row != rows_.end() && messages.size() < limit; ++row) {
    if (row->second.message != nullptr && row->second.persisted) messages.push_back(row->second.message);
  }
  return messages;
}

std::optional<Trace> Receiver::trace(const MessageId& id) const {
  const auto found = std::ranges::find_if(
      rows_, [&](const auto& row) { return row.second.id == id && row.second.persisted && row.second.message; });
  if (found == rows_.end()) return std::nullopt;
  const Arrived& message = *found->second.message;
  return Trace{
      .id = id,
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
      .steps = {{.at = message.sent, .what = "sent, by the clock of " + message.from.text()},
                {.at = message.received,
                 .what = "received and stored as number " + std::to_string(message.number) + ", waits to be taken"}},
      .receipt = {}};
}

void Receiver::add_status(RouterStatus& status) const {
  status.inbox_messages = untaken_;
  status.inbox_bytes = untaken_bytes_;
  status.received = received_;
  status.duplicates = duplicates_;
  status.refused = refused_;
}

void Receiver::check_invariants() const {
  std::size_t remembered = 0;
  std::size_t untaken = 0;
  std::size_t untaken_bytes = 0;
  for (const auto& [from, window] : senders_) {
    CHECK(by_expiry_.contains({window.expires, from}));
    CHECK(window.received.size() == window.ids.size());
    remembered += window.received.size();
    untaken += window.untaken;
    untaken_bytes += window.untaken_bytes;
    for (const auto& [sequence, number] : window.received) {
      const Entry& entry = rows_.at(number);
      CHECK(entry.sequence == sequence && entry.from == from && is_in_window(entry, window));
      CHECK(window.ids.at(entry.id) == number);
    }
  }
  CHECK(senders_.size() == by_expiry_.size());
  CHECK(remembered == remembered_ && remembered <= kMaxWindows);
  CHECK(untaken == untaken_ && untaken_bytes == untaken_bytes_);
  for (const auto& [number, entry] : rows_) {
    const Window& window = senders_.at(entry.from);
    CHECK(number <= counters_.arrival_ceiling());
    CHECK(entry.message != nullptr || entry.persisted);
    CHECK(entry.message != nullptr || is_in_window(entry, window));
    if (entry.message == nullptr) continue;
    --untaken;
    untaken_bytes -= size_of(*entry.message);
  }
  CHECK(untaken == 0 && untaken_bytes == 0);
}

}  // namespace ekiden::router
