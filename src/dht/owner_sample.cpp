#include "dht/owner_sample.hpp"

#include <algorithm>
#include <map>

#include "base/check.hpp"
#include "crypto/hash.hpp"

namespace ekiden::dht {

/// The lengths of a prefix and an id differ, so that no two inputs are alike.
crypto::Digest OwnerSample::rank(const Key& key, ByteView of) const {
  return crypto::sha256({*secret_, key.bytes, of});
}

std::size_t OwnerSample::odd_one_out(Instant now, Duration period, const Key& key, std::span<const Owner> owners) {
  CHECK(!owners.empty());
  if (!secret_ || now - drawn_ >= period) {
    secret_ = rng_.bytes<32>();
    drawn_ = now;
  }
  std::map<identity::AddressPrefix, std::size_t> counts;
  for (const Owner& owner : owners) ++counts[owner.from];
  const std::size_t most = std::ranges::max_element(counts, {}, [](const auto& count) { return count.second; })->second;
  std::optional<identity::AddressPrefix> prefix;
  crypto::Digest worst;
  for (const auto& [candidate, count] : counts) {
    if (count != most) continue;
    const crypto::Digest here = rank(key, candidate.bytes);
    if (prefix && here.bytes < worst.bytes) continue;
    prefix = candidate;
    worst = here;
  }
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < owners.size(); ++i) {
    if (owners[i].from != *prefix) continue;
    const crypto::Digest here = rank(key, owners[i].id.view());
    if (found && here.bytes < worst.bytes) continue;
    found = i;
    worst = here;
  }
  return *found;
}

}  // namespace ekiden::dht
