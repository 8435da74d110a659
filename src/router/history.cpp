#include "router/history.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "router/receipts.hpp"
#include "router/steps.hpp"

namespace ekiden::router {

Status History::load_row(std::uint64_t number, ByteView value) {
  auto row = wire::decode<HistoryRow>(value);
  if (!row) return fail(Errc::storage_corrupt, row.error().message);
  if (number < next_number_) return fail(Errc::storage_corrupt, "history rows are out of order");
  for (const HistoryEntry& entry : row->entries) {
    if (auto steps = Steps::unpack(entry.steps, entry.accepted); !steps) {
      return fail(Errc::storage_corrupt, steps.error().message);
    }
  }
  insert(number, std::move(*row));
  return {};
}

void History::insert(std::uint64_t number, HistoryRow row) {
  next_number_ = number + 1;
  messages_ += row.entries.size();
  for (std::size_t i = 0; i < row.entries.size(); ++i) {
    places_.insert_or_assign(row.entries[i].id, Place{.number = number, .entry = i});
  }
  groups_.push_back({.number = number, .row = std::move(row)});
}

void History::pop_oldest() {
  const Group& oldest = groups_.front();
  messages_ -= oldest.row.entries.size();
  for (const HistoryEntry& entry : oldest.row.entries) {
    const Place* const place = places_.find(entry.id);
    if (place != nullptr && place->number == oldest.number) places_.erase(entry.id);
  }
  groups_.pop_front();
}

void History::add(HistoryRow row, store::Batch* batch) {
  if (row.entries.empty()) return;
  if (batch != nullptr) batch->put(store::Table::history, next_number_, wire::encode(row));
  insert(next_number_, std::move(row));
  trim(batch);
}

void History::trim(store::Batch* batch) {
  while (messages_ > max_messages_ && groups_.size() > 1) {
    if (batch != nullptr) batch->erase(store::Table::history, groups_.front().number);
    pop_oldest();
  }
}

const History::Group& History::group(std::uint64_t number) const {
  const auto found = std::ranges::lower_bound(groups_, number, {}, &Group::number);
  CHECK(found != groups_.end() && found->number == number);
  return *found;
}

const HistoryEntry* History::find(const MessageId& id) const {
  const Place* const place = places_.find(id);
  if (place == nullptr) return nullptr;
  return &group(place->number).row.entries[place->entry];
}

Trace History::describe(const HistoryRow& row, const HistoryEntry& entry) {
  Trace trace{.id = entry.id,
              .peer = row.peer,
              .outgoing = true,
              .state = entry.state,
              .priority = entry.priority,
              .delivery = entry.delivery,
              .accepted = entry.accepted,
              .delivered = std::nullopt,
              .expires = entry.expires,
              .attempts = entry.attempts,
              .size = entry.size,
              .type = entry.type.value_or(""),
              .steps = {},
              .stored = {},
              .receipt = row.receipt};
  if (entry.stored) trace.stored = entry.stored->stored;
  if (entry.state == MessageState::delivered) trace.delivered = row.at;
  if (const auto steps = Steps::unpack(entry.steps, entry.accepted)) trace.steps = steps->describe(row.peer);
  return trace;
}

std::optional<Trace> History::trace(const MessageId& id) const {
  const Place* const place = places_.find(id);
  if (place == nullptr) return std::nullopt;
  const HistoryRow& row = group(place->number).row;
  Trace found = describe(row, row.entries[place->entry]);
  found.path = path_of(row.receipt, id);
  return found;
}

void History::newest(std::size_t limit, const OutgoingFilter& filter, std::vector<Trace>& out) const {
  const auto matches = [&](const HistoryEntry& entry) {
    return (!filter.state || entry.state == *filter.state) && (!filter.since || entry.accepted >= *filter.since) &&
           (!filter.type || entry.type.value_or("") == *filter.type);
  };
  for (auto each = groups_.rbegin(); each != groups_.rend(); ++each) {
    if (filter.to && each->row.peer != *filter.to) continue;
    const auto& entries = each->row.entries;
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
      if (out.size() >= limit) return;
      if (!matches(*entry)) continue;
      out.push_back(describe(each->row, *entry));
    }
  }
}

void History::check_invariants() const {
  std::size_t messages = 0;
  std::size_t found = 0;
  std::uint64_t last = 0;
  for (const Group& each : groups_) {
    CHECK(each.number > last);
    last = each.number;
    messages += each.row.entries.size();
    for (std::size_t i = 0; i < each.row.entries.size(); ++i) {
      const Place* const place = places_.find(each.row.entries[i].id);
      CHECK(place != nullptr && place->number >= each.number);
      if (place->number == each.number && place->entry == i) ++found;
    }
  }
  CHECK(messages == messages_);
  CHECK(last < next_number_);
  CHECK(groups_.size() <= 1 || messages_ <= max_messages_);
  CHECK(places_.size() == found);
}

}  // namespace ekiden::router
