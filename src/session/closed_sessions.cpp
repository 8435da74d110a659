#include "session/closed_sessions.hpp"

#include <string>

#include "base/check.hpp"

namespace ekiden::session {

void ClosedSessions::add(const SessionKey& key, std::uint32_t prekey, std::uint64_t order, store::Batch& batch) {
  if (entries_.contains(key) || by_order_.contains(order)) return;
  make_room(key.peer, batch);
  entries_.emplace(key, Entry{prekey, order});
  by_order_.emplace(order, key);
  batch.put(store::Table::sessions, row_name(RowKind::closed, key), wire::encode(ClosedRow{prekey, order}));
}

void ClosedSessions::make_room(const identity::PeerId& peer, store::Batch& batch) {
  std::size_t of_peer = 0;
  auto oldest = entries_.end();
  for (auto entry = entries_.lower_bound({peer, {}}); entry != entries_.end() && entry->first.peer == peer; ++entry) {
    ++of_peer;
    if (oldest == entries_.end() || entry->second.order < oldest->second.order) oldest = entry;
  }
  if (of_peer >= kMaxClosedPerPeer) drop(oldest, batch);
  while (entries_.size() >= max_) drop(entries_.find(by_order_.begin()->second), batch);
}

void ClosedSessions::forget(std::uint32_t prekey, store::Batch& batch) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    entry = entry->second.prekey == prekey ? drop(entry, batch) : std::next(entry);
  }
}

ClosedSessions::Iterator ClosedSessions::drop(Iterator entry, store::Batch& batch) {
  batch.erase(store::Table::sessions, row_name(RowKind::closed, entry->first));
  by_order_.erase(entry->second.order);
  return entries_.erase(entry);
}

Status ClosedSessions::load(const SessionKey& key, ByteView value) {
  const auto row = wire::decode<ClosedRow>(value);
  if (!row || row->order >= kMaxCount || !by_order_.emplace(row->order, key).second) {
    return fail(Errc::storage_corrupt, "table sessions, closed session " + key.id.text() + " with " + key.peer.text() +
                                           ": " + (row ? "its place is taken" : row.error().message));
  }
  entries_.insert_or_assign(key, Entry{row->prekey, row->order});
  return {};
}

void ClosedSessions::write_all(store::Batch& batch) const {
  for (const auto& [key, entry] : entries_) {
    batch.put(store::Table::sessions, row_name(RowKind::closed, key),
              wire::encode(ClosedRow{entry.prekey, entry.order}));
  }
}

void ClosedSessions::check_invariants() const {
  CHECK(entries_.size() == by_order_.size());
  for (const auto& [order, key] : by_order_) CHECK(entries_.at(key).order == order);
}

}  // namespace ekiden::session
