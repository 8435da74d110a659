#include "registry/renewals.hpp"

#include <algorithm>
#include <string_view>

#include "base/check.hpp"
#include "registry/writing.hpp"
#include "wire/message.hpp"

namespace ekiden::registry {
namespace {

constexpr std::string_view kRenewalPrefix = "renew ";

struct RenewalRow {
  static constexpr std::string_view kName = "renewal_row";
  std::uint64_t lifetime_ms = 0;
  static constexpr auto kFields = wire::fields(wire::field<1>("lifetime_ms", &RenewalRow::lifetime_ms));
};

Bytes renewal_name(const EntryId& id) {
  Bytes name = to_bytes(as_bytes(kRenewalPrefix));
  append(name, id.bytes);
  return name;
}

}  // namespace

bool Renewals::is_row(ByteView name) {
  return name.size() == kRenewalPrefix.size() + sizeof(EntryId::bytes) &&
         std::ranges::equal(name.first(kRenewalPrefix.size()), as_bytes(kRenewalPrefix));
}

Status Renewals::load_row(ByteView name, ByteView value) {
  EKIDEN_ASSIGN(const RenewalRow row, wire::decode<RenewalRow>(value));
  const bool is_lifetime = row.lifetime_ms >= static_cast<std::uint64_t>(kMinLifetime.count()) &&
                           row.lifetime_ms <= static_cast<std::uint64_t>(kMaxLifetime.count());
  if (!is_lifetime) return fail(Errc::malformed, "a lifetime that no entry has");
  const EntryId id{take_array<sizeof(EntryId::bytes)>(name.subspan(kRenewalPrefix.size()))};
  Of& of = items_[id];
  of.lifetime = milliseconds(row.lifetime_ms);
  set_due(id, of, WallTime());
  return {};
}

void Renewals::put(const EntryId& id, milliseconds lifetime, WallTime written, store::Batch& batch) {
  items_[id].lifetime = lifetime;
  schedule(id, written);
  const RenewalRow row{static_cast<std::uint64_t>(lifetime.count())};
  batch.put(store::Table::registry, renewal_name(id), wire::encode(row));
}

void Renewals::erase(const EntryId& id, store::Batch& batch) {
  const auto found = items_.find(id);
  if (found == items_.end()) return;
  by_due_.erase({found->second.due, id});
  items_.erase(found);
  erase_row(id, batch);
}

void Renewals::erase_row(const EntryId& id, store::Batch& batch) {
  batch.erase(store::Table::registry, renewal_name(id));
}

void Renewals::schedule(const EntryId& id, WallTime written) {
  Of& of = items_.at(id);
  const Duration after = rng_.between(of.lifetime / 2, of.lifetime * 3 / 4);
  set_due(id, of, written + std::chrono::duration_cast<milliseconds>(after));
}

void Renewals::put_off(const EntryId& id, WallTime until) { set_due(id, items_.at(id), until); }

void Renewals::hurry(WallTime now) {
  for (auto& [id, of] : items_) set_due(id, of, now);
}

void Renewals::set_due(const EntryId& id, Of& of, WallTime due) {
  by_due_.erase({of.due, id});
  of.due = due;
  by_due_.emplace(due, id);
}

std::optional<WallTime> Renewals::due() const {
  if (by_due_.empty()) return std::nullopt;
  return by_due_.begin()->first;
}

std::optional<Renewals::Item> Renewals::next(WallTime now) const {
  if (by_due_.empty() || by_due_.begin()->first > now) return std::nullopt;
  const EntryId& id = by_due_.begin()->second;
  return Item{.id = id, .lifetime = items_.at(id).lifetime};
}

std::vector<EntryId> Renewals::ids() const {
  std::vector<EntryId> ids;
  for (const auto& [id, of] : items_) ids.push_back(id);
  return ids;
}

void Renewals::check_invariants() const {
  CHECK(items_.size() == by_due_.size());
  for (const auto& [id, of] : items_) CHECK(by_due_.contains({of.due, id}));
}

}  // namespace ekiden::registry
