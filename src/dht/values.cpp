#include "dht/values.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace ekiden::dht {

Values::Put Values::put(Now now, ValueKind kind, const Key& key, const ValueFacts& facts, ByteView bytes,
                        const Storer& by) {
  const Name name{.key = key, .owner = facts.owner};
  const auto found = entries_.find(name);
  if (found != entries_.end()) {
    note_owner(found, by);
    return replace(now, found, facts, bytes);
  }
  if (facts.is_over) return Put::renewed;  // It withdraws what is not here.
  if (kind == ValueKind::announcement && !make_room_for_owner(now, name, by.prefix)) return Put::full;
  if (!make_room(name, bytes.size(), by.prefix)) return Put::full;
  insert(name, {.kind = kind,
                .bytes = to_bytes(bytes),
                .sequence = facts.sequence,
                .expires = facts.expires,
                .stored = now.mono,
                .from = by.prefix,
                .written = now.mono});
  changed_.insert(name);
  return Put::stored;
}

void Values::note_owner(Entries::iterator entry, const Storer& by) {
  Value& value = entry->second;
  if (by.id != entry->first.owner || value.from == by.prefix) return;
  if (--by_prefix_.at(value.from) == 0) by_prefix_.erase(value.from);
  value.from = by.prefix;
  ++by_prefix_[value.from];
}

Values::Put Values::replace(Now now, Entries::iterator entry, const ValueFacts& facts, ByteView bytes) {
  Value& value = entry->second;
  if (facts.sequence < value.sequence) return Put::stale;
  if (facts.sequence == value.sequence) {
    const bool is_same = std::ranges::equal(value.bytes, bytes);
    if (value.bytes.empty() && facts.is_over) return Put::renewed;  // Withdrawn already.
    // Without bytes it was over for a clock that has been set back since: it may come back.
    if (!is_same && !value.bytes.empty()) return Put::stale;
    if (is_same && !facts.is_over) {
      value.stored = now.mono;
      if (now.mono - value.written > config_.value_lifetime / 4) mark(entry->first, value, now.mono);
      return Put::renewed;
    }
  }
  if (bytes_ - value.bytes.size() + bytes.size() > config_.max_value_bytes) return Put::full;
  set_bytes(value, facts.is_over ? ByteView{} : bytes);
  value.sequence = facts.sequence;
  value.expires = facts.expires;
  value.stored = now.mono;
  mark(entry->first, value, now.mono);
  return Put::stored;
}

bool Values::renew(Now now, ValueKind kind, const Key& key, ByteView bytes, const Storer& by) {
  for (auto entry = entries_.lower_bound({.key = key, .owner = {}}); entry != entries_.end() && entry->first.key == key;
       ++entry) {
    Value& value = entry->second;
    if (value.kind != kind || !is_live(value, now.wall) || !std::ranges::equal(value.bytes, bytes)) continue;
    value.stored = now.mono;
    note_owner(entry, by);
    if (now.mono - value.written > config_.value_lifetime / 4) mark(entry->first, value, now.mono);
    return true;
  }
  return false;
}

bool Values::make_room_for_owner(Now now, const Name& name, const identity::AddressPrefix& from) {
  std::vector<OwnerSample::Owner> owners;
  for (auto entry = entries_.lower_bound({.key = name.key, .owner = {}});
       entry != entries_.end() && entry->first.key == name.key; ++entry) {
    owners.push_back({.id = entry->first.owner, .from = entry->second.from});
  }
  if (owners.size() < config_.max_owners_per_key) return true;
  owners.push_back({.id = name.owner, .from = from});
  const identity::PeerId out = owners[sample_.odd_one_out(now.mono, config_.value_lifetime, name.key, owners)].id;
  if (out == name.owner) return false;
  erase(entries_.find({.key = name.key, .owner = out}));
  return true;
}

std::optional<identity::AddressPrefix> Values::fullest(const identity::AddressPrefix& newcomer) const {
  std::optional<identity::AddressPrefix> fullest;
  std::size_t most = 0;
  for (const auto& [prefix, count] : by_prefix_) {
    const std::size_t with_newcomer = count + (prefix == newcomer ? 1 : 0);
    if (with_newcomer <= most) continue;
    most = with_newcomer;
    fullest = prefix;
  }
  return fullest;
}

bool Values::make_room(const Name& name, std::size_t size, const identity::AddressPrefix& from) {
  if (size > config_.max_value_bytes || config_.max_values == 0) return false;
  while (entries_.size() + 1 > config_.max_values || bytes_ + size > config_.max_value_bytes) {
    const auto prefix = fullest(from);
    if (!prefix) return false;
    auto farthest = entries_.end();
    Distance most = *prefix == from ? distance(name.key, self_) : Distance{};
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (entry->second.from != *prefix) continue;
      const Distance here = distance(entry->first.key, self_);
      if (here < most || (*prefix == from && here == most)) continue;
      most = here;
      farthest = entry;
    }
    if (farthest == entries_.end()) return false;  // The newcomer is the farthest of the fullest prefix.
    erase(farthest);
  }
  return true;
}

const Values::Value* Values::record(const Key& key, WallTime now) const {
  const auto found = entries_.find({.key = key, .owner = identity::PeerId{key.bytes}});
  if (found == entries_.end() || found->second.kind != ValueKind::record) return nullptr;
  return is_live(found->second, now) ? &found->second : nullptr;
}

void Values::announcements(const Key& key, WallTime now, std::vector<const Value*>& out) const {
  out.clear();
  for (auto entry = entries_.lower_bound({.key = key, .owner = {}}); entry != entries_.end() && entry->first.key == key;
       ++entry) {
    const Value& value = entry->second;
    if (value.kind == ValueKind::announcement && is_live(value, now)) out.push_back(&value);
  }
}

void Values::sweep(Now now) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto here = entry++;
    Value& value = here->second;
    if (now.mono - here->second.stored >= config_.value_lifetime) {
      erase(here);
    } else if (!value.bytes.empty() && value.expires <= now.wall) {
      set_bytes(value, {});
      mark(here->first, value, now.mono);
    }
  }
}

void Values::insert(const Name& name, Value value) {
  bytes_ += value.bytes.size();
  ++by_prefix_[value.from];
  const bool is_new = entries_.emplace(name, std::move(value)).second;
  CHECK(is_new);
}

void Values::set_bytes(Value& value, ByteView bytes) {
  bytes_ -= value.bytes.size();
  value.bytes = to_bytes(bytes);
  bytes_ += value.bytes.size();
}

void Values::erase(Entries::iterator entry) {
  bytes_ -= entry->second.bytes.size();
  const auto count = by_prefix_.find(entry->second.from);
  CHECK(count != by_prefix_.end() && count->second > 0);
  if (--count->second == 0) by_prefix_.erase(count);
  changed_.insert(entry->first);
  entries_.erase(entry);
}

void Values::mark(const Name& name, Value& value, Instant now) {
  value.written = now;
  changed_.insert(name);
}

void Values::check_invariants() const {
  std::size_t bytes = 0;
  std::map<identity::AddressPrefix, std::size_t> by_prefix;
  std::map<Key, std::size_t> owners;
  for (const auto& [name, value] : entries_) {
    bytes += value.bytes.size();
    ++by_prefix[value.from];
    if (value.kind == ValueKind::announcement) CHECK(++owners[name.key] <= config_.max_owners_per_key);
    if (value.kind == ValueKind::record) CHECK(Key::of(name.owner) == name.key);
  }
  CHECK(bytes == bytes_ && by_prefix == by_prefix_);
  CHECK(entries_.size() <= config_.max_values && bytes_ <= config_.max_value_bytes);
}

}  // namespace ekiden::dht
