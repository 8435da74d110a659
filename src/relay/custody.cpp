#include "relay/custody.hpp"

#include <algorithm>
#include <string>

#include "base/check.hpp"

namespace ekiden::relay {
namespace {

bool fits(const CustodyUse& use, std::size_t bytes, std::size_t max_packets, std::size_t max_bytes) {
  return use.packets < max_packets && use.bytes + bytes <= max_bytes;
}

void add(CustodyUse& use, std::size_t bytes) {
  ++use.packets;
  use.bytes += bytes;
}

void remove(CustodyUse& use, std::size_t bytes) {
  --use.packets;
  use.bytes -= bytes;
}

}  // namespace

Status Custody::load_row(std::uint64_t number, ByteView value) {
  const auto corrupt = [&](std::string_view why) {
    return fail(Errc::storage_corrupt, "table packets, row " + std::to_string(number) + ": " + std::string(why));
  };
  const auto row = wire::decode<PacketRow>(value);
  if (!row) return corrupt(row.error().message);
  auto bytes = std::make_shared<const Bytes>(to_bytes(row->packet));
  auto packet = wire::decode<Packet>(*bytes);
  if (!packet) return corrupt(packet.error().message);
  const crypto::Digest subject = packet->subject();
  if (number < next_number_ || numbers_.contains(subject)) return corrupt("contradicts another one");
  next_number_ = number + 1;
  insert({.number = number,
          .giver = row->giver,
          .subject = subject,
          .bytes = std::move(bytes),
          .packet = std::move(*packet),
          .until = row->until,
          .stranger = !is_contact_(row->giver),
          .persisted = true});
  return {};
}

bool Custody::has_room(const identity::PeerId& giver, std::size_t bytes) const {
  if (!fits(used_, bytes, config_.max_packets, config_.max_bytes)) return false;
  const auto own = givers_.find(giver);
  if (own != givers_.end() &&
      !fits(own->second, bytes, config_.max_packets_per_neighbour, config_.max_bytes_per_neighbour)) {
    return false;
  }
  const std::size_t share = config_.stranger_share;
  return is_contact_(giver) || fits(strangers_, bytes, config_.max_packets / share, config_.max_bytes / share);
}

Held& Custody::take(WallTime now, const identity::PeerId& giver, const Packet& packet, const crypto::Digest& subject,
                    ByteView encoded, store::Batch& batch) {
  const auto keep = std::chrono::duration_cast<milliseconds>(config_.max_keep);
  const WallTime until = std::min(packet.expires, now + keep);
  const std::uint64_t number = next_number_++;
  batch.put(store::Table::packets, number, wire::encode(PacketRow{.giver = giver, .until = until, .packet = encoded}));
  auto bytes = std::make_shared<const Bytes>(to_bytes(encoded));
  Packet kept = packet;
  kept.payload =
      ByteView(*bytes).subspan(static_cast<std::size_t>(packet.payload.data() - encoded.data()), packet.payload.size());
  return insert({.number = number,
                 .giver = giver,
                 .subject = subject,
                 .bytes = std::move(bytes),
                 .packet = std::move(kept),
                 .until = until,
                 .stranger = !is_contact_(giver)});
}

Held& Custody::insert(Held held) {
  const std::size_t bytes = held.bytes->size();
  add(used_, bytes);
  add(givers_[held.giver], bytes);
  if (held.stranger) add(strangers_, bytes);
  numbers_.emplace(held.subject, held.number);
  by_until_.emplace(held.until, held.number);
  const std::uint64_t number = held.number;
  return held_.emplace(number, std::move(held)).first->second;
}

void Custody::drop(Held& held, store::Batch& batch) {
  const std::size_t bytes = held.bytes->size();
  remove(used_, bytes);
  if (held.stranger) remove(strangers_, bytes);
  const auto giver = givers_.find(held.giver);
  remove(giver->second, bytes);
  if (giver->second.packets == 0) givers_.erase(giver);
  numbers_.erase(held.subject);
  by_until_.erase({held.until, held.number});
  batch.erase(store::Table::packets, held.number);
  held_.erase(held.number);
}

Held* Custody::find(std::uint64_t number) {
  const auto found = held_.find(number);
  return found == held_.end() ? nullptr : &found->second;
}

Held* Custody::find(const crypto::Digest& subject) {
  const auto found = numbers_.find(subject);
  return found == numbers_.end() ? nullptr : &held_.at(found->second);
}

Held* Custody::first_to_expire() { return by_until_.empty() ? nullptr : &held_.at(by_until_.begin()->second); }

void Custody::check_invariants() const {
  CustodyUse used;
  CustodyUse strangers;
  std::map<identity::PeerId, CustodyUse> givers;
  for (const auto& [number, held] : held_) {
    add(used, held.bytes->size());
    add(givers[held.giver], held.bytes->size());
    if (held.stranger) add(strangers, held.bytes->size());
    CHECK(numbers_.at(held.subject) == number && by_until_.contains({held.until, number}));
    CHECK(number < next_number_);
  }
  const auto same = [](const CustodyUse& a, const CustodyUse& b) {
    return a.packets == b.packets && a.bytes == b.bytes;
  };
  CHECK(same(used, used_) && same(strangers, strangers_) && givers.size() == givers_.size());
  for (const auto& [giver, use] : givers) CHECK(same(use, givers_.at(giver)));
  CHECK(numbers_.size() == held_.size() && by_until_.size() == held_.size());
}

}  // namespace ekiden::relay
