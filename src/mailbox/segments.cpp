#include "mailbox/segments.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace ekiden::mailbox {
namespace {

constexpr std::uint64_t segment_of(std::uint64_t number) { return number / kSegment; }

Byte mask_of(std::uint64_t number) { return static_cast<Byte>(1U << number % 8); }

bool has_bit(const DeadRow::Bits& bits, std::uint64_t number) {
  return (bits[number % kSegment / 8] & mask_of(number)) != 0;
}

void set_bit(DeadRow::Bits& bits, std::uint64_t number) { bits[number % kSegment / 8] |= mask_of(number); }

}  // namespace

Status Segments::load_row(std::uint64_t segment, ByteView value) {
  EKIDEN_ASSIGN(const DeadRow row, wire::decode<DeadRow>(value));
  if (row.count != count_bits(row.dead)) return fail(Errc::malformed, "its count is not that of its bits");
  if (segment > segment_of(~std::uint64_t{0})) return fail(Errc::malformed, "there are no such numbers");
  loaded_.emplace(segment, row);
  return {};
}

bool Segments::load_dead(std::uint64_t number, std::size_t size) {
  const auto loaded = loaded_.find(segment_of(number));
  if (loaded == loaded_.end() || !has_bit(loaded->second.dead, number)) return false;
  Segment& segment = segments_[segment_of(number)];
  set_bit(segment.dead, number);
  segment.dead_bytes += size;
  return true;
}

/// Bits of rows that are not there must not be those of parcels that will be.
void Segments::start(Now now) {
  for (const auto& [number, row] : std::exchange(loaded_, {})) {
    Segment& segment = segments_[number];
    segment.on_disk = true;
    segment.since = std::min(row.since, now.wall);
    if (segment.dead != row.dead) changed_.insert(number);
    const auto age = std::min<Duration>(now.wall - segment.since, kMaxDead);
    if (segment.dead_bytes > 0) ageing_.set(number, now.mono + (kMaxDead - age));
    if (segment.dead_bytes >= segment.live_bytes) due_.insert(number);
  }
}

void Segments::add(std::uint64_t number, std::size_t size) { segments_[segment_of(number)].live_bytes += size; }

void Segments::bury(Now now, std::uint64_t number, std::size_t size) {
  const std::uint64_t at = segment_of(number);
  Segment& segment = segments_.at(at);
  CHECK(segment.live_bytes >= size && !has_bit(segment.dead, number));
  if (segment.dead_bytes == 0) {
    segment.since = now.wall;
    ageing_.set(at, now.mono + kMaxDead);
  }
  segment.live_bytes -= size;
  segment.dead_bytes += size;
  set_bit(segment.dead, number);
  changed_.insert(at);
  if (segment.dead_bytes >= segment.live_bytes) due_.insert(at);
  ++buried_;
}

void Segments::remove(std::uint64_t number, std::size_t size) {
  const auto segment = segments_.find(segment_of(number));
  CHECK(segment != segments_.end() && segment->second.live_bytes >= size);
  segment->second.live_bytes -= size;
  if (segment->second.dead_bytes > 0 || segment->second.on_disk) {
    if (segment->second.dead_bytes >= segment->second.live_bytes) due_.insert(segment->first);
  } else if (segment->second.live_bytes == 0) {
    segments_.erase(segment);
  }
}

bool Segments::write(store::Batch& batch) {
  room_ += 2 * std::exchange(buried_, 0);
  bool cleans = false;
  while (!due_.empty() && room_ > 0) {
    room_ -= std::min(room_, clean(*due_.begin(), batch));
    cleans = true;
  }
  for (const std::uint64_t number : std::exchange(changed_, {})) put(number, batch);
  cleaning_ = cleaning_ || cleans;
  if (!cleaning_) room_ = kMaxCleaned;
  return cleans;
}

void Segments::on_cleaned() {
  cleaning_ = false;
  room_ = kMaxCleaned;
}

/// Returns how many rows of parcels it erases.
std::size_t Segments::clean(std::uint64_t number, store::Batch& batch) {
  const auto entry = segments_.find(number);
  Segment& segment = entry->second;
  const std::uint64_t first = number * kSegment;
  for (std::uint64_t parcel = first; parcel < first + kSegment; ++parcel) {
    if (!has_bit(segment.dead, parcel)) continue;
    batch.erase(store::Table::parcels, parcel);
    batch.erase(store::Table::bodies, parcel);
  }
  if (segment.on_disk) batch.erase(store::Table::dead, number);
  const std::size_t cleaned = count_bits(segment.dead);
  due_.erase(number);
  changed_.erase(number);
  ageing_.cancel(number);
  if (segment.live_bytes == 0) {
    segments_.erase(entry);
  } else {
    segment = {.live_bytes = segment.live_bytes};
  }
  return cleaned;
}

void Segments::put(std::uint64_t number, store::Batch& batch) {
  Segment& segment = segments_.at(number);
  segment.on_disk = segment.dead_bytes > 0;
  if (segment.on_disk) {
    batch.put(store::Table::dead, number,
              wire::encode(DeadRow{.dead = segment.dead, .count = count_bits(segment.dead), .since = segment.since}));
  } else {
    batch.erase(store::Table::dead, number);
  }
}

bool Segments::on_deadline(Now now) {
  bool some = false;
  while (const auto number = ageing_.pop_due(now.mono)) some = due_.insert(*number).second || some;
  return some;
}

std::size_t Segments::live_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [number, segment] : segments_) bytes += segment.live_bytes;
  return bytes;
}

void Segments::check_invariants() const {
  CHECK(loaded_.empty());
  for (const auto& [number, segment] : segments_) {
    const bool is_due = due_.contains(number);
    CHECK((segment.dead_bytes > 0) == (count_bits(segment.dead) > 0));
    CHECK(is_due || segment.live_bytes > segment.dead_bytes);
    CHECK(is_due || segment.dead_bytes == 0 || ageing_.at(number).has_value());
    CHECK(segment.on_disk || changed_.contains(number) || segment.dead_bytes == 0);
  }
  CHECK(std::ranges::all_of(changed_, [&](std::uint64_t number) { return segments_.contains(number); }));
  CHECK(std::ranges::all_of(due_, [&](std::uint64_t number) { return segments_.contains(number); }));
}

}  // namespace ekiden::mailbox
