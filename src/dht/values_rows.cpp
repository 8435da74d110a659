// Values on their way to the store and back.
#include <algorithm>
#include <utility>

#include "dht/rows.hpp"
#include "dht/values.hpp"

namespace ekiden::dht {
namespace {

ByteArray<64> row_name(const Values::Name& name) {
  ByteArray<64> bytes{};
  std::ranges::copy(name.key.bytes, bytes.begin());
  std::ranges::copy(name.owner.bytes, bytes.begin() + 32);
  return bytes;
}

std::unexpected<Error> corrupt(std::string_view what) {
  return fail(Errc::storage_corrupt,
              "a value of the DHT in the store " + std::string(what) + ": restore the data directory from a backup");
}

}  // namespace

void Values::write_changes(Now now, store::Batch& batch) {
  for (const Name& name : changed_) {
    const auto found = entries_.find(name);
    if (found == entries_.end()) {
      batch.erase(store::Table::values, row_name(name));
      continue;
    }
    const Value& value = found->second;
    const auto age = std::chrono::duration_cast<milliseconds>(now.mono - value.stored);
    batch.put(store::Table::values, row_name(name),
              wire::encode(ValueRow{.kind = value.kind,
                                    .bytes = value.bytes,
                                    .sequence = value.sequence,
                                    .expires = value.expires,
                                    .stored_at = now.wall - age,
                                    .from = value.from}));
  }
  changed_.clear();
}

Status Values::load(const store::Row& row) {
  if (row.key.name.size() != 64) return corrupt("has a name of the wrong length");
  auto decoded = wire::decode<ValueRow>(row.value);
  if (!decoded) return corrupt("does not decode (" + decoded.error().message + ")");
  const Name name{.key = {take_array<32>(row.key.name)}, .owner = {take_array<32>(ByteView(row.key.name).subspan(32))}};
  if (decoded->kind == ValueKind::record && Key::of(name.owner) != name.key) return corrupt("has another owner");
  loaded_.emplace_back(name, std::move(*decoded));
  return {};
}

void Values::start(Now now) {
  const milliseconds lifetime = std::chrono::duration_cast<milliseconds>(config_.value_lifetime);
  for (auto& [name, row] : std::exchange(loaded_, {})) {
    const bool is_there = entries_.contains(name);
    const bool has_owner_room = is_there || row.kind == ValueKind::record || make_room_for_owner(now, name, row.from);
    if (is_there || !has_owner_room || !make_room(name, row.bytes.size(), row.from)) {
      changed_.insert(name);  // The bounds have shrunk: the row goes.
      continue;
    }
    const milliseconds age = std::clamp(now.wall - row.stored_at, milliseconds{0}, lifetime);
    insert(name, {.kind = row.kind,
                  .bytes = std::move(row.bytes),
                  .sequence = row.sequence,
                  .expires = row.expires,
                  .stored = now.mono - age,
                  .from = row.from,
                  .written = now.mono});
  }
}

}  // namespace ekiden::dht
