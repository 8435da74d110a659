#include "session/session_table.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace ekiden::session {
namespace {

constexpr std::size_t kSessionNameSize = RowName().size();
constexpr std::size_t kSkippedNameSize = kSessionNameSize + sizeof(std::uint64_t);

}  // namespace

// Finding. ------------------------------------------------------------------------------------------------------------

Session* SessionTable::find(const SessionKey& key) {
  const auto found = sessions_.find(key);
  return found == sessions_.end() ? nullptr : &found->second;
}

std::pair<SessionTable::Iterator, SessionTable::Iterator> SessionTable::of(const identity::PeerId& peer) {
  const auto first = sessions_.lower_bound({peer, {}});
  auto last = first;
  while (last != sessions_.end() && last->first.peer == peer) ++last;
  return {first, last};
}

std::size_t SessionTable::count_of(const identity::PeerId& peer) const {
  std::size_t count = 0;
  for (auto at = sessions_.lower_bound({peer, {}}); at != sessions_.end() && at->first.peer == peer; ++at) ++count;
  return count;
}

Session* SessionTable::preferred(const identity::PeerId& peer, WallTime now) {
  Session* best = nullptr;
  const auto [first, last] = of(peer);
  for (auto at = first; at != last; ++at) {
    Session& session = at->second;
    if (is_over(session, now) || !session.ratchet.can_send()) continue;
    if (best == nullptr || is_preferred(session, *best, self_)) best = &session;
  }
  return best;
}

std::uint32_t SessionTable::next_generation(const identity::PeerId& peer) const {
  std::uint32_t highest = 0;
  for (auto at = sessions_.lower_bound({peer, {}}); at != sessions_.end() && at->first.peer == peer; ++at) {
    highest = std::max(highest, at->second.generation);
  }
  return std::min(highest, UINT32_MAX - 2) + 1;  // UINT32_MAX is refused (opening.cpp): no peer makes us send it.
}

bool SessionTable::is_over(Session& session, WallTime now) {
  if (!session.over && session.expires <= now) {
    session.over = true;
    has_marked_ = true;
  }
  return session.over;
}

// Changing. -----------------------------------------------------------------------------------------------------------

const Session* SessionTable::evictable() const {
  const Session* victim = nullptr;
  for (const auto& [key, session] : sessions_) {
    if (session.answered() && !session.over) continue;
    const auto age = [](const Session& s) { return std::tuple(!s.over, s.used, s.order); };
    if (victim == nullptr || age(session) < age(*victim)) victim = &session;
  }
  return victim;
}

bool SessionTable::has_room(const identity::PeerId& peer) const {
  return sessions_.size() < config_.max_sessions || count_of(peer) >= config_.max_sessions_per_peer ||
         evictable() != nullptr;
}

void SessionTable::make_room(const identity::PeerId& peer, store::Batch& batch, Effects& out) {
  const auto is_worse = [&](const auto& a, const auto& b) { return is_preferred(b.second, a.second, self_); };
  while (count_of(peer) >= config_.max_sessions_per_peer) {
    const auto [first, last] = of(peer);
    close(std::min_element(first, last, is_worse)->first, "the peer has newer sessions", batch, out);
  }
  while (sessions_.size() >= config_.max_sessions) {
    const Session* victim = evictable();
    CHECK(victim != nullptr);
    close(victim->key, "the table of sessions is full", batch, out);
  }
}

Session& SessionTable::insert(Session session, store::Batch& batch, Effects& out) {
  make_room(session.key.peer, batch, out);
  session.order = ++last_order_;
  const SessionKey key = session.key;
  const auto [entry, fresh] = sessions_.emplace(key, std::move(session));
  CHECK(fresh);
  return entry->second;
}

void SessionTable::close(const SessionKey& given, std::string_view why, store::Batch& batch, Effects& out) {
  const SessionKey key = given;  // It may be a view of what is erased below.
  const auto found = sessions_.find(key);
  CHECK(found != sessions_.end());
  Session& session = found->second;
  forget_reservation(session);
  batch.erase(store::Table::sessions, row_name(RowKind::session, key));
  session.ratchet.skipped().erase_rows(row_name(RowKind::skipped, key), batch);
  if (!session.initiated_by_us) closed_.add(key, session.prekey, ++last_order_, batch);
  due_.erase(key);
  dirty_.erase(key);
  sessions_.erase(found);
  ++last_change_;
  out.push(Changed{.peer = key.peer, .session = key.id, .state = State::closed, .why = why});
}

void SessionTable::expire(WallTime now, store::Batch& batch, Effects& out) {
  has_marked_ = false;
  const auto lifetime = std::chrono::duration_cast<milliseconds>(config_.lifetime);
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    Session& session = (at++)->second;
    if (is_over(session, now)) {
      close(session.key, "expired", batch, out);
    } else if (session.created > now) {
      session.created = now;
      session.expires = std::min(session.expires, now + lifetime);
      save(session, batch);
    }
  }
  has_marked_ = false;
}

void SessionTable::delay_renewal(const identity::PeerId& peer, Instant until) {
  const auto [first, last] = of(peer);
  for (auto at = first; at != last; ++at) at->second.renew_not_before = until;
}

// Persistence. --------------------------------------------------------------------------------------------------------

void SessionTable::save(Session& session, store::Batch& batch) {
  batch.put(store::Table::sessions, row_name(RowKind::session, session.key), encode_row(session));
  session.ratchet.skipped().write(row_name(RowKind::skipped, session.key), batch);
  session.saved_change = ++last_change_;
  session.saved_reserved = session.reserved;
  if (session.unsaved_messages > 0) {
    session.unsaved_messages = 0;
    dirty_.erase(session.key);
  }
  if (session.awaited_change == 0 && session.saved_reserved > session.confirmed) await(session);
}

void SessionTable::collect(store::Batch& batch) {
  for (const SessionKey& key : due_) save(sessions_.at(key), batch);
  due_.clear();
}

void SessionTable::flush(store::Batch& batch) {
  while (!dirty_.empty()) {
    Session& session = sessions_.at(*dirty_.begin());
    dirty_.erase(dirty_.begin());
    save(session, batch);
  }
}

void SessionTable::await(Session& session) {
  session.awaited_change = session.saved_change;
  session.awaited_reserved = session.saved_reserved;
  awaited_.emplace(session.saved_change, session.key);
}

void SessionTable::forget_reservation(Session& session) {
  if (session.awaited_change != 0) awaited_.erase(session.awaited_change);
  session.awaited_change = 0;
  session.reserved = 0;
  session.saved_reserved = 0;
  session.confirmed = 0;
}

void SessionTable::on_persisted(std::uint64_t change) {
  persisted_change_ = std::max(persisted_change_, change);
  while (!awaited_.empty() && awaited_.begin()->first <= change) {
    Session& session = sessions_.at(awaited_.begin()->second);
    awaited_.erase(awaited_.begin());
    session.awaited_change = 0;
    session.confirmed = session.saved_change <= change ? session.saved_reserved : session.awaited_reserved;
    if (session.saved_reserved > session.confirmed) await(session);
  }
}

Status SessionTable::load(const store::Row& row) {
  const ByteView name = row.key.name;
  const auto corrupt = [&] { return fail(Errc::storage_corrupt, "table sessions has a row with an unknown name"); };
  if (name.size() != kSessionNameSize && name.size() != kSkippedNameSize) return corrupt();
  auto id = Uuid::from_bytes(name.subspan(33, 16));
  if (!id) return corrupt();
  const SessionKey key{.peer = {take_array<32>(name.subspan(1))}, .id = *id};
  const auto kind = static_cast<RowKind>(name[0]);
  if (kind == RowKind::skipped && name.size() == kSkippedNameSize) {
    return load_skipped(key, get_be<std::uint64_t>(name.subspan(kSessionNameSize)), row.value);
  }
  if (name.size() != kSessionNameSize) return corrupt();
  if (kind == RowKind::closed) return closed_.load(key, row.value);
  if (kind != RowKind::session) return corrupt();
  EKIDEN_ASSIGN(Session session, decode_row(self_, key, row.value, config_.max_skipped));
  last_order_ = std::max(last_order_, session.order);
  sessions_.insert_or_assign(key, std::move(session));
  return {};
}

Status SessionTable::load_skipped(const SessionKey& key, std::uint64_t sequence, ByteView value) {
  const auto row = wire::decode<SkippedRow>(value);
  if (!row || row->key.size() != kSecretSize) {
    return fail(Errc::storage_corrupt, "table sessions, skipped key of session " + key.id.text() + " with " +
                                           key.peer.text() + ": " + (row ? "wrong size" : row.error().message));
  }
  loading_[key].insert_or_assign(sequence, MessageKey(row->key));
  return {};
}

Status SessionTable::finish_loading() {
  last_order_ = std::max(last_order_, closed_.last_order());
  for (auto& [key, keys] : loading_) {
    Session* session = find(key);
    const bool fits = session != nullptr && std::ranges::all_of(keys, [&](auto& entry) {
                        return session->ratchet.restore_skipped(entry.first, std::move(entry.second));
                      });
    if (!fits) {
      return fail(Errc::storage_corrupt, "table sessions holds message keys that session " + key.id.text() + " with " +
                                             key.peer.text() + " cannot have");
    }
    session->ratchet.skipped().trim();
  }
  loading_.clear();
  return {};
}

void SessionTable::write_all(store::Batch& batch) const {
  for (const auto& [key, session] : sessions_) {
    batch.put(store::Table::sessions, row_name(RowKind::session, key), encode_row(session));
    session.ratchet.skipped().write_all(row_name(RowKind::skipped, key), batch);
  }
  closed_.write_all(batch);
}

// Queries. ------------------------------------------------------------------------------------------------------------

WallTime SessionTable::next_expiry(WallTime latest) const {
  for (const auto& [key, session] : sessions_) latest = std::min(latest, session.expires);
  return latest;
}

std::vector<SessionStatus> SessionTable::status() const {
  std::vector<SessionStatus> all;
  all.reserve(sessions_.size());
  const Session* active = nullptr;
  std::size_t active_index = 0;
  for (const auto& [key, session] : sessions_) {
    const SendChain& send = session.ratchet.state().send;
    const bool is_better = active == nullptr || active->key.peer != key.peer || is_preferred(session, *active, self_);
    if (active != nullptr && active->key.peer == key.peer && is_better) all[active_index].active = false;
    if (is_better) {
      active = &session;
      active_index = all.size();
    }
    all.push_back({.id = key.id,
                   .peer = key.peer,
                   .state = session.state(),
                   .active = is_better && !session.over,
                   .initiated_by_us = session.initiated_by_us,
                   .created = session.created,
                   .expires = session.expires,
                   .sent = send.base + send.next,
                   .received = session.received,
                   .skipped_keys = session.ratchet.skipped().size()});
  }
  return all;
}

void SessionTable::check_invariants() const {
  CHECK(loading_.empty());
  for (const std::set<SessionKey>* keys : {&due_, &dirty_}) {
    for (const SessionKey& key : *keys) CHECK(sessions_.contains(key));
  }
  for (const auto& [change, key] : awaited_) CHECK(sessions_.at(key).awaited_change == change);
  for (const auto& [key, session] : sessions_) {
    CHECK(session.key == key);
    CHECK(session.confirmed <= session.saved_reserved && session.saved_reserved <= session.reserved);
    CHECK(session.awaited_change == 0 || awaited_.contains(session.awaited_change));
    CHECK(session.saved_change <= last_change_ && session.order <= last_order_);
    CHECK(session.unsaved_messages == 0 || dirty_.contains(key) || due_.contains(key));
    CHECK(session.ephemeral.has_value() == (session.initiated_by_us && !session.established));
    session.ratchet.check_invariants();
  }
  closed_.check_invariants();
}

}  // namespace ekiden::session
