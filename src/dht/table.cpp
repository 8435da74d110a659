#include "dht/table.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.hpp"

namespace ekiden::dht {
namespace {

template <class Contacts>
auto find_in(Contacts& contacts, const identity::PeerId& id) {
  return std::ranges::find(contacts, id, &Contact::id);
}

void mark_seen(Contact& contact, Instant now) {
  contact.last_seen = now;
  contact.failures = 0;
}

bool is_global(const identity::SocketAddress& at) {
  return identity::may_dial(at.ip, identity::LearnedFrom::remote_record);
}

std::size_t count_prefix(const std::vector<Contact>& contacts, const identity::AddressPrefix& prefix,
                         const Contact* leaving) {
  return static_cast<std::size_t>(std::ranges::count_if(contacts, [&](const Contact& contact) {
    return &contact != leaving && identity::prefix_of(contact.info.at.ip) == prefix;
  }));
}

}  // namespace

const Table::Bucket* Table::bucket_of(const identity::PeerId& id) const {
  const std::size_t index = common_prefix(self_.bytes, id.bytes);
  return index < buckets_.size() ? &buckets_[index] : nullptr;
}

Table::Bucket& Table::make_bucket(const identity::PeerId& id, Instant now) {
  const std::size_t index = common_prefix(self_.bytes, id.bytes);
  CHECK(index < kKeyBits);
  while (buckets_.size() <= index) {
    buckets_.push_back({.live = {}, .spare = {}, .refresh_at = now + config_.first_refresh});
  }
  return buckets_[index];
}

const Contact* Table::find(const identity::PeerId& id) const {
  const Bucket* bucket = bucket_of(id);
  if (bucket == nullptr) return nullptr;
  const auto found = find_in(bucket->live, id);
  return found == bucket->live.end() ? nullptr : &*found;
}

Contact* Table::find_live(const identity::PeerId& id) { return const_cast<Contact*>(std::as_const(*this).find(id)); }

/// Mixed by a multiplication (Knuth, volume 3, section 6.4), for prefixes differ in a few of their bits.
std::size_t Table::slot_of(const identity::AddressPrefix& prefix) {
  return static_cast<std::size_t>(get_be<std::uint64_t>(prefix.bytes) * 0x9e3779b97f4a7c15 >> 56);
}

/// Whether one more node of the prefix may stand in the bucket once `leaving` (or nobody) has left.
bool Table::has_room(const Bucket& bucket, const identity::AddressPrefix& prefix, const Contact* leaving) const {
  const std::size_t in_bucket = config_.max_prefix_in_bucket;
  if (in_bucket != 0 && count_prefix(bucket.live, prefix, leaving) >= in_bucket) return false;
  if (config_.max_prefix_in_table == 0 || slots_[slot_of(prefix)] < config_.max_prefix_in_table) return true;
  std::size_t total = 0;
  for (const Bucket& other : buckets_) total += count_prefix(other.live, prefix, leaving);
  return total < config_.max_prefix_in_table;
}

Table::Place Table::confirm(Instant now, const identity::PeerId& id, const identity::NodeInfo& info) {
  if (id == self_) return Place::refused;
  if (Contact* known = find_live(id)) return move(now, *known, info);
  Bucket& bucket = make_bucket(id, now);
  const Contact contact{.id = id, .info = info, .last_seen = now, .failures = 0, .is_global = is_global(info.at)};
  std::erase_if(bucket.spare, [&](const Contact& other) { return other.id == id; });
  const auto prefix = identity::prefix_of(info.at.ip);
  if (bucket.live.size() < config_.k) {
    if (!has_room(bucket, prefix, nullptr)) return Place::refused;
    add_live(bucket, contact);
    ++size_;
    return Place::added;
  }
  const auto dead =
      std::ranges::find_if(bucket.live, [&](const Contact& other) { return other.failures >= config_.max_failures; });
  if (dead == bucket.live.end() || !has_room(bucket, prefix, &*dead)) return keep_spare(bucket, contact);
  --slots_[slot_of(*dead)];
  bucket.live.erase(dead);
  add_live(bucket, contact);
  return Place::added;
}

/// A known node has shown itself, perhaps at another address; the new one counts against the limits of its prefix.
Table::Place Table::move(Instant now, Contact& contact, const identity::NodeInfo& info) {
  Bucket& bucket = make_bucket(contact.id, now);
  if (contact.info.at != info.at) {
    const auto index = static_cast<std::size_t>(&contact - bucket.live.data());
    if (!has_room(bucket, identity::prefix_of(info.at.ip), &contact)) {
      if (!promote(bucket, index)) erase_live(bucket, index);
      return Place::refused;
    }
    --slots_[slot_of(contact)];
    contact.info.at = info.at;
    ++slots_[slot_of(contact)];
    contact.is_global = is_global(info.at);
  }
  mark_seen(contact, now);
  const auto at = bucket.live.begin() + (&contact - bucket.live.data());
  std::rotate(at, at + 1, bucket.live.end());
  return Place::known;
}

/// The newest spares stay: they are the likeliest to be alive. One prefix cannot fill the cache either.
Table::Place Table::keep_spare(Bucket& bucket, const Contact& contact) {
  if (config_.spares == 0) return Place::refused;
  const std::size_t in_bucket = config_.max_prefix_in_bucket;
  const auto prefix = identity::prefix_of(contact.info.at.ip);
  if (in_bucket != 0 && count_prefix(bucket.spare, prefix, nullptr) >= in_bucket) return Place::refused;
  if (bucket.spare.size() >= config_.spares) bucket.spare.erase(bucket.spare.begin());
  bucket.spare.push_back(contact);
  return Place::spare;
}

bool Table::seen(Instant now, const identity::PeerId& id, const identity::SocketAddress& at) {
  Contact* contact = find_live(id);
  if (contact == nullptr || contact->info.at != at) return false;
  return move(now, *contact, contact->info) == Place::known;
}

void Table::failed(Instant now, const identity::PeerId& id, const identity::SocketAddress& at) {
  if (bucket_of(id) == nullptr) return;
  Bucket& bucket = make_bucket(id, now);
  std::erase_if(bucket.spare, [&](const Contact& other) { return other.id == id && other.info.at == at; });
  const auto found = find_in(bucket.live, id);
  if (found == bucket.live.end() || found->info.at != at) return;
  if (found->failures < std::numeric_limits<std::uint8_t>::max()) ++found->failures;
  if (found->failures < config_.max_failures) return;
  const auto index = static_cast<std::size_t>(found - bucket.live.begin());
  if (promote(bucket, index)) return;
  if (now - found->last_seen > config_.forget_after) erase_live(bucket, index);
}

void Table::remove(const identity::PeerId& id) {
  if (bucket_of(id) == nullptr) return;
  Bucket& bucket = buckets_[common_prefix(self_.bytes, id.bytes)];
  std::erase_if(bucket.spare, [&](const Contact& other) { return other.id == id; });
  const auto found = find_in(bucket.live, id);
  if (found == bucket.live.end()) return;
  const auto index = static_cast<std::size_t>(found - bucket.live.begin());
  if (!promote(bucket, index)) erase_live(bucket, index);
}

/// Puts the newest spare that the limits allow in the place of a live node. It has been seen less recently than those
/// that live, so it goes where its time says.
bool Table::promote(Bucket& bucket, std::size_t leaving) {
  for (std::size_t i = bucket.spare.size(); i > 0; --i) {
    const Contact& candidate = bucket.spare[i - 1];
    if (!has_room(bucket, identity::prefix_of(candidate.info.at.ip), &bucket.live[leaving])) continue;
    const Contact promoted = candidate;
    bucket.spare.erase(bucket.spare.begin() + static_cast<std::ptrdiff_t>(i - 1));
    --slots_[slot_of(bucket.live[leaving])];
    ++slots_[slot_of(promoted)];
    bucket.live.erase(bucket.live.begin() + static_cast<std::ptrdiff_t>(leaving));
    const auto later =
        std::ranges::find_if(bucket.live, [&](const Contact& other) { return other.last_seen > promoted.last_seen; });
    bucket.live.insert(later, promoted);
    return true;
  }
  return false;
}

/// Doubling would keep room for more than the k that a bucket may have.
void Table::add_live(Bucket& bucket, const Contact& contact) {
  if (bucket.live.size() == bucket.live.capacity()) {
    bucket.live.reserve(std::min(config_.k, std::max<std::size_t>(2 * bucket.live.size(), 2)));
  }
  bucket.live.push_back(contact);
  ++slots_[slot_of(contact)];
}

void Table::erase_live(Bucket& bucket, std::size_t index) {
  --slots_[slot_of(bucket.live[index])];
  bucket.live.erase(bucket.live.begin() + static_cast<std::ptrdiff_t>(index));
  --size_;
}

bool Table::wants(Instant now, const identity::PeerId& id, const identity::SocketAddress& at) const {
  if (id == self_) return false;
  const Bucket* bucket = bucket_of(id);
  const auto prefix = identity::prefix_of(at.ip);
  const Bucket none;
  const Bucket& here = bucket == nullptr ? none : *bucket;
  if (here.live.size() < config_.k) return has_room(here, prefix, nullptr);
  if (config_.spares == 0 || find_in(here.spare, id) != here.spare.end()) return false;
  const bool has_enough = here.spare.size() >= config_.spares && now - here.spare.front().last_seen < config_.fresh_for;
  if (has_enough && questionable(now, id) == nullptr) return false;
  const std::size_t in_bucket = config_.max_prefix_in_bucket;
  return in_bucket == 0 || count_prefix(here.spare, prefix, nullptr) < in_bucket;
}

const Contact* Table::questionable(Instant now, const identity::PeerId& newcomer) const {
  const Bucket* bucket = bucket_of(newcomer);
  if (bucket == nullptr || bucket->live.size() < config_.k) return nullptr;
  const Contact& oldest = bucket->live.front();
  return now - oldest.last_seen > config_.fresh_for ? &oldest : nullptr;
}

void Table::append_questionable(Instant now, std::size_t bucket, std::vector<const Contact*>& out) const {
  if (bucket >= buckets_.size()) return;
  for (const Contact& contact : buckets_[bucket].live) {
    if (now - contact.last_seen > config_.fresh_for) out.push_back(&contact);
  }
}

}  // namespace ekiden::dht
