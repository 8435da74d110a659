#include "router/first_contact.hpp"

#include <string>

#include "base/check.hpp"

namespace ekiden::router {

void Standings::put(const identity::PeerId& peer, const StandingRow& row) {
  const auto old = rows_.find(peer);
  if (old != rows_.end()) by_age_.erase({old->second.since, peer});
  rows_.insert_or_assign(peer, row);
  if (row.kind == StandingRow::Kind::written) by_age_.emplace(row.since, peer);
}

Status Standings::load_row(ByteView name, ByteView value) {
  identity::PeerId peer;
  if (name.size() != peer.bytes.size()) return fail(Errc::storage_corrupt, "a standing is not named by a peer");
  peer.bytes = take_array<32>(name);
  const auto row = wire::decode<StandingRow>(value);
  if (!row) return fail(Errc::storage_corrupt, row.error().message);
  put(peer, *row);
  return {};
}

void Standings::set_tier(const identity::PeerId& peer, identity::TrustTier tier) {
  if (tier == identity::TrustTier::stranger) {
    named_.erase(peer);
  } else {
    named_.insert_or_assign(peer, tier);
  }
}

identity::TrustTier Standings::tier_of(const identity::PeerId& peer) const {
  const auto named = named_.find(peer);
  return named == named_.end() ? identity::TrustTier::stranger : named->second;
}

bool Standings::is_blocked(const identity::PeerId& peer) const {
  if (rows_.empty()) return false;
  const auto row = rows_.find(peer);
  return row != rows_.end() && row->second.kind == StandingRow::Kind::blocked;
}

bool Standings::is_known(const identity::PeerId& peer) const {
  if (named_.contains(peer)) return true;
  const auto row = rows_.find(peer);
  return row != rows_.end() && row->second.kind == StandingRow::Kind::written;
}

std::vector<identity::PeerId> Standings::write_to(Now now, const identity::PeerId& peer, store::Batch& batch) {
  if (named_.contains(peer) || rows_.contains(peer)) return {};
  std::vector<identity::PeerId> changed{peer};
  if (by_age_.size() >= kMaxWritten) {
    const identity::PeerId oldest = by_age_.begin()->second;
    by_age_.erase(by_age_.begin());
    rows_.erase(oldest);
    batch.erase(store::Table::standings, oldest.view());
    changed.push_back(oldest);
  }
  const StandingRow row{.kind = StandingRow::Kind::written, .since = from_unix_ms(to_unix_ms(now.wall))};
  put(peer, row);
  batch.put(store::Table::standings, peer.view(), wire::encode(row));
  return changed;
}

Status Standings::block(Now now, const identity::PeerId& peer, store::Batch& batch) {
  if (is_blocked(peer)) return {};
  if (rows_.size() - by_age_.size() >= kMaxBlocked) {
    return fail(Errc::limit_exceeded, "so many peers are blocked already: " + std::to_string(kMaxBlocked) +
                                          "; unblock some, or refuse all strangers ([inbox] strangers = \"refuse\")");
  }
  const StandingRow row{.kind = StandingRow::Kind::blocked, .since = from_unix_ms(to_unix_ms(now.wall))};
  put(peer, row);
  batch.put(store::Table::standings, peer.view(), wire::encode(row));
  return {};
}

Status Standings::unblock(const identity::PeerId& peer, store::Batch& batch) {
  if (!is_blocked(peer)) return fail(Errc::not_found, peer.text() + " is not blocked");
  rows_.erase(peer);
  batch.erase(store::Table::standings, peer.view());
  return {};
}

std::vector<Blocked> Standings::blocked() const {
  std::vector<Blocked> all;
  for (const auto& [peer, row] : rows_) {
    if (row.kind == StandingRow::Kind::blocked) all.push_back({.peer = peer, .since = row.since});
  }
  return all;
}

void Standings::check_invariants() const {
  std::size_t written = 0;
  for (const auto& [peer, row] : rows_) {
    if (row.kind != StandingRow::Kind::written) continue;
    ++written;
    CHECK(by_age_.contains({row.since, peer}));
  }
  CHECK(written == by_age_.size());
  for (const auto& [peer, tier] : named_) CHECK(tier != identity::TrustTier::stranger);
}

}  // namespace ekiden::router
