// Searching the table: the closest nodes to a key, and which part of the table to refresh.
//
// A key that shares n leading bits with our id lies in the range of bucket n. Seen from it, the nodes fall into groups
// that do not overlap in distance: those of bucket n are closest, then all deeper buckets together, then bucket n - 1,
// n - 2 and so on. So only the groups that are needed are looked at, and only within a group is anything sorted.
#include <algorithm>

#include "base/check.hpp"
#include "dht/table.hpp"

namespace ekiden::dht {

void Table::closest(const Key& target, std::size_t count, bool good, std::vector<const Contact*>& out) const {
  out.clear();
  const std::size_t home = std::min(common_prefix(self_.bytes, target.bytes), buckets_.size());
  if (home < buckets_.size()) {
    gather(target, home, home + 1, good);
    take_nearest(target, count, out);
    if (out.size() == count) return;
    gather(target, home + 1, buckets_.size(), good);
    take_nearest(target, count, out);
  }
  for (std::size_t bucket = home; bucket > 0 && out.size() < count; --bucket) {
    gather(target, bucket - 1, bucket, good);
    take_nearest(target, count, out);
  }
}

void Table::gather(const Key& target, std::size_t first, std::size_t last, bool good) const {
  near_.clear();
  for (std::size_t i = first; i < last; ++i) {
    for (const Contact& contact : buckets_[i].live) {
      if (good && contact.failures > 0) continue;
      near_.push_back({.distance = distance(target, contact.id).words[0], .contact = &contact});
    }
  }
}

void Table::take_nearest(const Key& target, std::size_t count, std::vector<const Contact*>& out) const {
  const std::size_t wanted = std::min(count - out.size(), near_.size());
  const auto end = near_.begin() + static_cast<std::ptrdiff_t>(wanted);
  std::ranges::partial_sort(near_, end, [&](const Near& a, const Near& b) {
    if (a.distance != b.distance) return a.distance < b.distance;
    return distance(target, a.contact->id) < distance(target, b.contact->id);
  });
  for (auto near = near_.begin(); near != end; ++near) out.push_back(near->contact);
}

std::size_t Table::count_closer(const Key& target, std::size_t limit) const {
  const std::size_t home = common_prefix(self_.bytes, target.bytes);
  if (home >= buckets_.size()) return 0;
  // Who shares one more bit with the key than we do is closer, and of the deeper buckets some are.
  std::size_t closer = buckets_[home].live.size();
  const Distance ours = distance(target, self_);
  for (std::size_t i = home + 1; i < buckets_.size() && closer < limit; ++i) {
    for (const Contact& contact : buckets_[i].live) closer += distance(target, contact.id) < ours ? 1 : 0;
  }
  return std::min(closer, limit);
}

std::size_t Table::count_deeper(std::size_t shared, std::size_t limit) const {
  std::size_t deeper = 0;
  for (std::size_t i = shared + 1; i < buckets_.size() && deeper < limit; ++i) deeper += buckets_[i].live.size();
  return std::min(deeper, limit);
}

std::size_t Table::near_bucket() const {
  std::size_t nodes = 0;
  std::size_t bucket = buckets_.size();
  while (bucket > 0 && nodes + buckets_[bucket - 1].live.size() < config_.k) nodes += buckets_[--bucket].live.size();
  return std::max(bucket, std::min(covered_from_, buckets_.size()));
}

void Table::note_closest(std::size_t found, const identity::PeerId& farthest) {
  covered_from_ = found < config_.k ? 0 : common_prefix(self_.bytes, farthest.bytes) + 1;
}

std::optional<Table::Refresh> Table::next_refresh() const {
  if (size_ == 0) return std::nullopt;
  std::optional<Refresh> first;
  const std::size_t last = std::min(near_bucket() + 1, buckets_.size());
  for (std::size_t i = 0; i < last; ++i) {
    if (!first || buckets_[i].refresh_at < first->at) first = Refresh{.at = buckets_[i].refresh_at, .bucket = i};
  }
  return first;
}

void Table::note_lookup(const Key& target, Instant next) {
  const std::size_t home = common_prefix(self_.bytes, target.bytes);
  const std::size_t near = near_bucket();
  if (home < near) {
    buckets_[home].refresh_at = next;
    return;
  }
  for (std::size_t i = near; i < buckets_.size(); ++i) buckets_[i].refresh_at = next;
}

void Table::refresh_soon(Instant first, Duration step) {
  const std::size_t near = near_bucket();
  for (std::size_t i = 0; i < near; ++i)
    buckets_[i].refresh_at = first + step * static_cast<Duration::rep>(near - i - 1);
}

bool Table::is_filled(std::size_t bucket) const {
  const auto good = std::ranges::count(buckets_.at(bucket).live, 0U, &Contact::failures);
  return static_cast<std::size_t>(good) * 2 >= config_.k;
}

std::size_t Table::spare_count() const {
  std::size_t count = 0;
  for (const Bucket& bucket : buckets_) count += bucket.spare.size();
  return count;
}

std::vector<std::size_t> Table::bucket_sizes() const {
  std::vector<std::size_t> sizes;
  for (const Bucket& bucket : buckets_) sizes.push_back(bucket.live.size());
  return sizes;
}

void Table::check_invariants() const {
  std::size_t size = 0;
  decltype(slots_) slots{};
  for_each([&](const Contact& contact) { ++slots[slot_of(contact)]; });
  CHECK(slots == slots_);
  CHECK(buckets_.size() <= kKeyBits);
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    const Bucket& bucket = buckets_[i];
    CHECK(bucket.live.size() <= config_.k && bucket.spare.size() <= config_.spares);
    size += bucket.live.size();
    for (const std::vector<Contact>* part : {&bucket.live, &bucket.spare}) {
      for (const Contact& contact : *part) {
        CHECK(contact.id == contact.info.id() && common_prefix(self_.bytes, contact.id.bytes) == i);
        const auto same = [&](const Contact& other) { return other.id == contact.id; };
        CHECK(std::ranges::count_if(bucket.live, same) + std::ranges::count_if(bucket.spare, same) == 1);
      }
    }
    CHECK(std::ranges::is_sorted(bucket.live, {}, &Contact::last_seen));
    for (const Contact& contact : bucket.live) {
      const auto prefix = identity::prefix_of(contact.info.at.ip);
      std::size_t in_table = 0;
      const auto same = [&](const Contact& other) { return identity::prefix_of(other.info.at.ip) == prefix; };
      for (const Bucket& other : buckets_)
        in_table += static_cast<std::size_t>(std::ranges::count_if(other.live, same));
      CHECK(config_.max_prefix_in_table == 0 || in_table <= config_.max_prefix_in_table);
      const auto in_bucket = static_cast<std::size_t>(std::ranges::count_if(bucket.live, same));
      CHECK(config_.max_prefix_in_bucket == 0 || in_bucket <= config_.max_prefix_in_bucket);
    }
  }
  CHECK(size == size_);
}

}  // namespace ekiden::dht
