// What this node writes itself: puts, removals and renewals, and what of them is on disk.
#include <algorithm>
#include <string_view>

#include "base/check.hpp"
#include "registry/registry.hpp"

namespace ekiden::registry {
namespace {

using identity::PeerId;

/// The row of our clock, beside those of entries.
constexpr std::string_view kClockName = "clock";
/// Renewals at a time, each of which signs.
constexpr int kMostRenewals = 64;
/// After a renewal that failed.
constexpr milliseconds kRenewAgain = minutes(1);

}  // namespace

Status Registry::load_row(ByteView name, ByteView value) {
  const auto corrupt = [](std::string_view why) {
    return fail(Errc::storage_corrupt, "table registry: " + std::string(why));
  };
  if (as_text(name) == kClockName) {
    const auto last = wire::decode<Stamp>(value);
    if (!last || last->ms > kMaxUnixMs) return corrupt("a clock that shows no time");
    clock_.restore(*last);
    return {};
  }
  if (Renewals::is_row(name)) {
    const Status loaded = renewals_.load_row(name, value);
    return loaded ? Status() : corrupt(loaded.error().message);
  }
  const auto entry = read_entry(value);
  if (!entry) return corrupt(entry.error().message);
  if (!std::ranges::equal(entry->id().bytes, name)) return corrupt("an entry under another name than its own");
  // Its time is looked at when the node starts; what does not fit any more was written with larger bounds.
  static_cast<void>(replica_.put(WallTime(), *entry, to_bytes(value)));
  if (entry->shape == Shape::shared && entry->author) loaded_.emplace(entry->owner_id(), entry->name);
  return {};
}

void Registry::start(Now now, Effects& out) {
  store::Batch orphans;
  for (const EntryId& id : renewals_.ids()) {
    const Held* held = replica_.find(id);
    if (held == nullptr) {
      renewals_.erase(id, orphans);
    } else {
      renewals_.schedule(id, from_unix_ms(held->version().stamp.ms));
    }
  }
  if (!orphans.empty()) out.push(Persist{std::move(orphans), std::nullopt});
  // First what is ours and was not renewed in time: it would be forgotten.
  while (renewals_.next(now.wall)) renew(now, out);
  expire(now, out);
  set_expiry(now);
  for (const auto& [owner, name] : std::exchange(loaded_, {})) look_for_conflict(now, owner, name);
}

Result<store::PersistToken> Registry::put(Now now, const Draft& draft, Effects& out) {
  EKIDEN_ASSIGN(Own own, write_entry(self_, clock_, replica_, now.wall, draft));
  return keep_own(now, std::move(own), draft.renew ? std::optional(draft.lifetime) : std::nullopt, out);
}

Result<store::PersistToken> Registry::remove(Now now, const PeerId& owner, std::string_view name, Effects& out) {
  EKIDEN_ASSIGN(Own own, write_removal(self_, clock_, replica_, now.wall, owner, name));
  return keep_own(now, std::move(own), std::nullopt, out);
}

/// What is there with a larger stamp was written while our clock was ahead; others have refused it.
Result<store::PersistToken> Registry::keep_own(Now now, Own own, std::optional<milliseconds> renew, Effects& out) {
  const EntryId id = own.entry.id();
  const Held* held = replica_.find(id);
  if (held != nullptr && is_ahead(held->version().stamp, now.wall)) replica_.forget(id);
  Bytes row = own.signed_bytes;
  EKIDEN_ASSIGN(const Applied applied, replica_.put(now.wall, own.entry, std::move(own.signed_bytes)));
  CHECK(is_newer(applied.standing));
  store::Batch batch;
  batch.put(store::Table::registry, id.bytes, std::move(row));
  batch.put(store::Table::registry, as_bytes(kClockName), wire::encode(clock_.last()));
  if (renew) {
    renewals_.put(id, *renew, now.wall, batch);
  } else {
    renewals_.erase(id, batch);
  }
  const store::PersistToken token{++last_token_};
  unwritten_.push_back(id);
  out.push(Persist{std::move(batch), token});
  note(now, own.entry, applied, self_.id(), out);
  set_expiry(now);
  return token;
}

void Registry::on_persisted(Now now, store::PersistToken token, Effects& out) {
  const auto count = static_cast<std::ptrdiff_t>(static_cast<std::uint64_t>(token) - last_written_);
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    out.push(Written{store::PersistToken{++last_written_}});
    note_news(now, unwritten_[static_cast<std::size_t>(i)], self_.id());
  }
  if (count > 0) unwritten_.erase(unwritten_.begin(), unwritten_.begin() + count);
}

void Registry::renew(Now now, Effects& out) {
  // What was written while the clock was ahead is worth nothing to others.
  const bool was_ahead = looked_at_ && now.wall + kMaxAhead < *looked_at_;
  looked_at_ = now.wall;
  if (was_ahead) renewals_.hurry(now.wall);
  for (int i = 0; i < kMostRenewals; ++i) {
    const auto item = renewals_.next(now.wall);
    if (!item) return;
    const Status renewed = renew_one(now, *item, out);
    if (renewed) continue;
    if (renewed.error().code == Errc::not_found) {
      store::Batch batch;
      renewals_.erase(item->id, batch);
      out.push(Persist{std::move(batch), std::nullopt});
    } else {
      renewals_.put_off(item->id, now.wall + kRenewAgain);
    }
  }
}

Status Registry::renew_one(Now now, const Renewals::Item& item, Effects& out) {
  const Held* held = replica_.find(item.id);
  if (held == nullptr) return fail(Errc::not_found, "it is gone");
  EKIDEN_ASSIGN(Own own, write_renewal(self_, clock_, replica_, now.wall, held->entry(), item.lifetime));
  EKIDEN_TRY(keep_own(now, std::move(own), item.lifetime, out));
  return {};
}

std::optional<Entry> Registry::own(Now now, std::string_view name) const {
  const Held* held = replica_.find(EntryId::of(self_.id(), self_.id(), name));
  if (held == nullptr) return std::nullopt;
  Entry entry = held->entry();
  if (!is_shown(entry, now.wall)) return std::nullopt;
  return entry;
}

std::vector<std::string> Registry::own_names() const {
  std::vector<std::string> names;
  EntryId at{};
  for (const Held* held = replica_.after(at); held != nullptr; held = replica_.after(at)) {
    at = held->id;
    if (held->author->first != self_.id()) continue;
    Entry entry = held->entry();
    if (!entry.author) names.push_back(std::move(entry.name));
  }
  return names;
}

void Registry::erase_rows(store::Batch& batch) const {
  EntryId at{};
  for (const Held* held = replica_.after(at); held != nullptr; held = replica_.after(at)) {
    at = held->id;
    batch.erase(store::Table::registry, at.bytes);
  }
  for (const EntryId& id : renewals_.ids()) Renewals::erase_row(id, batch);
  batch.erase(store::Table::registry, as_bytes(kClockName));
}

}  // namespace ekiden::registry
