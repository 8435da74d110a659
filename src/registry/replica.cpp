#include "registry/replica.hpp"

#include "base/check.hpp"
#include "registry/reserved.hpp"
#include "wire/cose.hpp"

namespace ekiden::registry {

Entry Held::entry() const {
  const auto parts = wire::parse_sign1(signed_bytes());
  CHECK(parts.has_value());
  auto entry = wire::decode<Entry>(parts->payload);
  CHECK(entry.has_value());
  return std::move(*entry);
}

std::optional<Standing> Replica::standing_of(const EntryId& id, const Version& version) const {
  const Held* held = find(id);
  if (held == nullptr) return std::nullopt;
  return standing(held->version(), version);
}

Result<Applied> Replica::put(WallTime wall, const Entry& entry, Bytes signed_bytes) {
  const Version version{entry.stamp, digest_of(signed_bytes)};
  const Trie::Item* item = trie_.find(entry.id());
  if (item == nullptr) {
    EKIDEN_TRY(check_room(entry.author_id(), 1, signed_bytes.size()));
    insert(wall, entry, {version, std::move(signed_bytes)});
    return Applied{};
  }
  Held& held = *slots_[item->slot];
  const Standing offered = standing(held.version(), version);
  if (!is_newer(offered)) {
    return Applied{.standing = offered, .dropped = is_equivocal(offered) ? std::move(signed_bytes) : Bytes()};
  }
  const std::size_t before = held.signed_bytes().size();
  if (signed_bytes.size() > before) {
    EKIDEN_TRY(check_room(held.author->first, 0, signed_bytes.size() - before));
  }
  Applied applied{.standing = offered, .dropped = {}};
  if (is_equivocal(offered)) applied.dropped = to_bytes(held.signed_bytes());
  replace(wall, held, item->slot, entry, {version, std::move(signed_bytes)});
  return applied;
}

Status Replica::check_room(const identity::PeerId& author, std::size_t more_entries, std::size_t more_bytes) const {
  if (size() + more_entries > config_.max_entries || bytes_ + more_bytes > config_.max_bytes) {
    return fail(Errc::limit_exceeded, "the registry is full");
  }
  const auto found = authors_.find(author);
  const Usage used = found == authors_.end() ? Usage{} : found->second;
  if (used.entries + more_entries > config_.max_entries_per_author ||
      used.bytes + more_bytes > config_.max_bytes_per_author) {
    return fail(Errc::limit_exceeded, "the share of the registry that one author may use is used up");
  }
  return {};
}

void Replica::insert(WallTime wall, const Entry& entry, LastWriterRegister<Bytes> content) {
  Slot slot = 0;
  if (free_.empty()) {
    slot = static_cast<Slot>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  const auto author = authors_.try_emplace(entry.author_id()).first;
  Held& held = slots_[slot].emplace(Held{.id = entry.id(), .content = std::move(content), .author = author});
  ++author->second.entries;
  author->second.bytes += held.signed_bytes().size();
  bytes_ += held.signed_bytes().size();
  show(held, slot, entry, wall);
  trie_.put({.id = held.id, .digest = held.version().digest, .slot = slot});
}

void Replica::replace(WallTime wall, Held& held, Slot slot, const Entry& entry, LastWriterRegister<Bytes> content) {
  const std::size_t before = held.signed_bytes().size();
  if (held.is_shown) {
    hide(held, slot, held.entry());
  } else {
    ends_.erase({held.kept, slot});
  }
  CHECK(is_newer(held.content.merge(std::move(content))));
  const std::size_t after = held.signed_bytes().size();
  held.author->second.bytes = held.author->second.bytes - before + after;
  bytes_ = bytes_ - before + after;
  show(held, slot, entry, wall);
  trie_.put({.id = held.id, .digest = held.version().digest, .slot = slot});
}

/// Takes over what a new content says, and sets its timer.
void Replica::show(Held& held, Slot slot, const Entry& entry, WallTime wall) {
  held.expires = entry.expires;
  held.kept = entry.kept;
  held.is_shown = !entry.removed && entry.expires > wall && entry.name != kRecordName;
  if (held.is_shown) {
    index_.insert(slot, entry);
    ++shown_;
  }
  ends_.emplace(next_end(held), slot);
}

/// What is not shown has its end as its timer; hiding takes the timer away, and the caller sets another one.
void Replica::hide(Held& held, Slot slot, const Entry& entry) {
  ends_.erase({next_end(held), slot});
  index_.erase(slot, entry);
  held.is_shown = false;
  --shown_;
}

void Replica::forget(const EntryId& id) {
  if (const Trie::Item* item = trie_.find(id)) erase(item->slot);
}

void Replica::erase(Slot slot) {
  Held& held = *slots_[slot];
  if (held.is_shown) {
    hide(held, slot, held.entry());
  } else {
    ends_.erase({held.kept, slot});
  }
  trie_.erase(held.id);
  bytes_ -= held.signed_bytes().size();
  held.author->second.bytes -= held.signed_bytes().size();
  if (--held.author->second.entries == 0) authors_.erase(held.author);
  slots_[slot].reset();
  free_.push_back(slot);
}

const Held* Replica::find(const EntryId& id) const {
  const Trie::Item* item = trie_.find(id);
  return item == nullptr ? nullptr : &*slots_[item->slot];
}

const Held* Replica::after(const EntryId& id) const {
  const Trie::Item* item = trie_.after(id);
  return item == nullptr ? nullptr : &*slots_[item->slot];
}

std::vector<Slot> Replica::search(const Query& query, Slot from, std::size_t max) const {
  return index_.find(query, from, max);
}

std::optional<WallTime> Replica::due() const {
  if (ends_.empty()) return std::nullopt;
  return ends_.begin()->first;
}

std::optional<Replica::Over> Replica::expire(WallTime wall) {
  if (ends_.empty() || ends_.begin()->first > wall) return std::nullopt;
  const Slot slot = ends_.begin()->second;
  Held& held = *slots_[slot];
  Over over{.entry = held.entry(), .was_shown = held.is_shown};
  if (held.is_shown && held.kept > wall) {
    hide(held, slot, over.entry);
    ends_.emplace(held.kept, slot);
    return over;
  }
  over.ended = true;
  erase(slot);
  return over;
}

void Replica::check_invariants() const {
  std::size_t bytes = 0;
  std::size_t entries = 0;
  std::size_t shown = 0;
  for (Slot slot = 0; slot < slots_.size(); ++slot) {
    if (!slots_[slot]) continue;
    const Held& held = *slots_[slot];
    const Trie::Item* item = trie_.find(held.id);
    CHECK(item != nullptr && item->slot == slot && item->digest == held.version().digest);
    CHECK(ends_.contains({next_end(held), slot}));
    bytes += held.signed_bytes().size();
    ++entries;
    shown += held.is_shown ? 1 : 0;
  }
  CHECK(bytes == bytes_ && entries == size() && shown == shown_ && entries == ends_.size());
  CHECK(entries + free_.size() == slots_.size());
  Usage sum;
  for (const auto& [author, usage] : authors_) {
    CHECK(usage.entries > 0);
    sum.entries += usage.entries;
    sum.bytes += usage.bytes;
  }
  CHECK(sum.entries == entries && sum.bytes == bytes);
  trie_.check_invariants();
}

}  // namespace ekiden::registry
