#include "session/skipped_keys.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "session/rows.hpp"

namespace ekiden::session {
namespace {

Bytes name_of(ByteView prefix, std::uint64_t sequence) {
  Bytes name;
  name.reserve(prefix.size() + sizeof sequence);
  append(name, prefix);
  append_be(name, sequence);
  return name;
}

void put(ByteView prefix, std::uint64_t sequence, const MessageKey& key, store::Batch& batch) {
  batch.put(store::Table::sessions, name_of(prefix, sequence), encode_secret(SkippedRow{key.view()}));
}

}  // namespace

const MessageKey* SkippedKeys::find(std::uint64_t sequence) const {
  const auto found = keys_.find(sequence);
  return found == keys_.end() ? nullptr : &found->second;
}

void SkippedKeys::insert(std::uint64_t sequence, MessageKey key) {
  CHECK(keys_.empty() || keys_.rbegin()->first < sequence);
  keys_.emplace_hint(keys_.end(), sequence, std::move(key));
  unwritten_.insert(sequence);
  trim();
}

void SkippedKeys::trim() {
  while (keys_.size() > max_) {
    forgotten_ = keys_.begin()->first;
    erase(forgotten_);
  }
}

void SkippedKeys::erase(std::uint64_t sequence) {
  if (keys_.erase(sequence) == 0) return;
  if (unwritten_.erase(sequence) == 0) leftover_.insert(sequence);
}

void SkippedKeys::write(ByteView prefix, store::Batch& batch) {
  for (const std::uint64_t sequence : leftover_) batch.erase(store::Table::sessions, name_of(prefix, sequence));
  for (const std::uint64_t sequence : unwritten_) put(prefix, sequence, keys_.at(sequence), batch);
  leftover_.clear();
  unwritten_.clear();
}

void SkippedKeys::write_all(ByteView prefix, store::Batch& batch) const {
  for (const auto& [sequence, key] : keys_) put(prefix, sequence, key, batch);
}

void SkippedKeys::erase_rows(ByteView prefix, store::Batch& batch) const {
  for (const std::uint64_t sequence : leftover_) batch.erase(store::Table::sessions, name_of(prefix, sequence));
  for (const auto& [sequence, key] : keys_) {
    if (!unwritten_.contains(sequence)) batch.erase(store::Table::sessions, name_of(prefix, sequence));
  }
}

void SkippedKeys::check_invariants() const {
  CHECK(keys_.size() <= max_);
  CHECK(keys_.empty() || keys_.begin()->first > forgotten_);
  CHECK(std::ranges::all_of(unwritten_, [&](std::uint64_t sequence) { return keys_.contains(sequence); }));
  CHECK(std::ranges::none_of(leftover_, [&](std::uint64_t sequence) { return keys_.contains(sequence); }));
}

}  // namespace ekiden::session
