// What a keeper finds on its disk when it starts.
#include "base/check.hpp"
#include "mailbox/keeper.hpp"

namespace ekiden::mailbox {
namespace {

std::unexpected<Error> corrupt_row(std::string_view table, std::uint64_t number, std::string_view why) {
  return fail(Errc::storage_corrupt,
              "table " + std::string(table) + ", row " + std::to_string(number) + ": " + std::string(why));
}

}  // namespace

Status Keeper::load_dead_row(std::uint64_t segment, ByteView value) {
  const Status loaded = segments_.load_row(segment, value);
  if (!loaded) return corrupt_row("dead", segment, loaded.error().message);
  return {};
}

Status Keeper::load_row(std::uint64_t number, ByteView value) {
  const auto corrupt = [&](std::string_view why) { return corrupt_row("parcels", number, why); };
  if (number < next_number_) return corrupt("contradicts another one");
  const auto row = wire::decode<ParcelRow>(value);
  if (!row) {
    if (const auto split = load_whole_row(number, value); !split) return corrupt(row.error().message);
    return {};
  }
  if (row->size == 0) return corrupt("is of a parcel without bytes");
  if (segments_.load_dead(number, row->size)) {
    next_number_ = number + 1;
    return {};
  }
  if (shelf_.find(row->to, row->from, row->id) != kNoSlot) return corrupt("contradicts another one");
  insert(number, *row);
  queue(shelf_.find(number));
  return {};
}

/// Until it is on disk in two parts, it is not given.
Status Keeper::load_whole_row(std::uint64_t number, ByteView value) {
  EKIDEN_ASSIGN(const WholeParcelRow whole, wire::decode<WholeParcelRow>(value));
  EKIDEN_ASSIGN(const Parcel parcel, wire::decode<Parcel>(whole.parcel));
  if (shelf_.find(parcel.to, parcel.from, parcel.id) != kNoSlot) return fail(Errc::malformed, "a parcel twice");
  const ParcelRow row = row_of(parcel, whole.parcel, whole.prefix, whole.until);
  split_.put(store::Table::parcels, number, wire::encode(row));
  split_.put(store::Table::bodies, number, to_bytes(whole.parcel));
  insert(number, row);
  waiting_.emplace_back(store::PersistToken{1}, number);
  return {};
}

void Keeper::start(Now now, Effects& out) {
  if (shelf_.size() > 0) expiry_at_ = now.mono;
  segments_.start(now);
  std::optional<store::PersistToken> token;
  if (!split_.empty()) token = store::PersistToken{++last_token_};
  if (token || segments_.wants_write()) persist(std::exchange(split_, {}), token, out);
}

}  // namespace ekiden::mailbox
