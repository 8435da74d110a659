#include "session/prekeys.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "session/rows.hpp"

namespace ekiden::session {

Status Prekeys::load(const store::Row& row) {
  const auto decoded = wire::decode<PrekeyRow>(row.value);
  const auto corrupt = [&](std::string_view why) {
    return fail(Errc::storage_corrupt,
                "table prekeys, prekey " + std::to_string(row.key.number) + ": " + std::string(why));
  };
  if (!decoded) return corrupt(decoded.error().message);
  if (row.key.number > UINT32_MAX || !row.key.name.empty()) return corrupt("its key is not the id of a prekey");
  if (decoded->secret.size() != kSecretSize) return corrupt("its secret does not have 32 bytes");
  const auto id = static_cast<std::uint32_t>(row.key.number);
  const Entry entry{.pair = crypto::X25519KeyPair::from_secret(crypto::X25519SecretKey(decoded->secret)),
                    .created = decoded->created,
                    .retired = decoded->retired};
  if (!entry.retired) {
    if (current_) return corrupt("it and prekey " + std::to_string(current_->id) + " both claim to be the current one");
    current_ = identity::Prekey{.id = id, .public_key = entry.pair.public_key};
  }
  entries_.insert_or_assign(id, entry);
  return {};
}

Prekeys::Refreshed Prekeys::refresh(WallTime now, Rng& rng, store::Batch& batch) {
  clamp(now, batch);
  Refreshed done;
  if (!current_ || entries_.at(current_->id).created + rotation_ <= now) {
    rotate(now, rng, batch);
    done.rotated = true;
  }
  for (const auto& [id, entry] : entries_) {
    if (is_over(entry, now)) done.erased.push_back(id);
  }
  const auto erase = [&](std::uint32_t id) {
    entries_.erase(id);
    batch.erase(store::Table::prekeys, std::uint64_t{id});
  };
  for (const std::uint32_t id : done.erased) erase(id);
  while (entries_.size() > kMaxPrekeys) erase(done.erased.emplace_back(oldest()));
  return done;
}

void Prekeys::clamp(WallTime now, store::Batch& batch) {
  for (auto& [id, entry] : entries_) {
    if (entry.created <= now && (!entry.retired || *entry.retired <= now)) continue;
    entry.created = std::min(entry.created, now);
    if (entry.retired) entry.retired = std::min(*entry.retired, now);
    put(id, entry, batch);
  }
}

void Prekeys::rotate(WallTime now, Rng& rng, store::Batch& batch) {
  if (current_) {
    Entry& old = entries_.at(current_->id);
    old.retired = now;
    put(current_->id, old, batch);
  }
  std::uint32_t id = 0;
  while (id == 0 || entries_.contains(id)) id = static_cast<std::uint32_t>(rng.next());
  const Entry& fresh =
      entries_.emplace(id, Entry{.pair = crypto::X25519KeyPair::draw(rng), .created = now, .retired = {}})
          .first->second;
  put(id, fresh, batch);
  current_ = identity::Prekey{.id = id, .public_key = fresh.pair.public_key};
}

std::uint32_t Prekeys::oldest() const {
  const auto by_age = [](const auto& a, const auto& b) { return a.second.created < b.second.created; };
  auto candidates = entries_;
  candidates.erase(current_->id);
  return std::ranges::min_element(candidates, by_age)->first;
}

WallTime Prekeys::next_due() const {
  auto due = entries_.at(current().id).created + rotation_;
  for (const auto& [id, entry] : entries_) {
    if (entry.retired) due = std::min(due, *entry.retired + horizon_);
  }
  return due;
}

const identity::Prekey& Prekeys::current() const {
  CHECK(current_.has_value());
  return *current_;
}

const crypto::X25519SecretKey* Prekeys::find(std::uint32_t id, WallTime now) const {
  const auto found = entries_.find(id);
  return found == entries_.end() || is_over(found->second, now) ? nullptr : &found->second.pair.secret;
}

void Prekeys::put(std::uint32_t id, const Entry& entry, store::Batch& batch) {
  batch.put(
      store::Table::prekeys, std::uint64_t{id},
      encode_secret(PrekeyRow{.secret = entry.pair.secret.view(), .created = entry.created, .retired = entry.retired}));
}

void Prekeys::write_all(store::Batch& batch) const {
  for (const auto& [id, entry] : entries_) put(id, entry, batch);
}

void Prekeys::check_invariants() const {
  CHECK(!current_ || entries_.contains(current_->id));
  for (const auto& [id, entry] : entries_) CHECK(entry.retired.has_value() == (!current_ || id != current_->id));
}

}  // namespace ekiden::session
