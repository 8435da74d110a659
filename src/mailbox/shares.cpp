#include "mailbox/shares.hpp"

#include "base/check.hpp"

namespace ekiden::mailbox {
namespace {

bool fits(const Use& use, std::size_t bytes, std::size_t max_parcels, std::size_t max_bytes) {
  return use.parcels < max_parcels && use.bytes + bytes <= max_bytes;
}

void plus(Use& use, std::size_t bytes) {
  ++use.parcels;
  use.bytes += bytes;
}

void minus(Use& use, std::size_t bytes) {
  CHECK(use.parcels > 0 && use.bytes >= bytes);
  --use.parcels;
  use.bytes -= bytes;
}

template <class Key>
void minus(std::map<Key, Use>& uses, const Key& key, std::size_t bytes) {
  const auto found = uses.find(key);
  CHECK(found != uses.end());
  minus(found->second, bytes);
  if (found->second.parcels == 0) uses.erase(found);
}

bool is_stranger(const Claim& claim) { return claim.tier == identity::TrustTier::stranger; }

}  // namespace

std::optional<RefusalReason> Shares::check(const Claim& claim) const {
  const Config& c = config_;
  if (!fits(all_, claim.bytes, c.max_parcels, c.max_bytes)) return RefusalReason::full;
  if (claim.tier == identity::TrustTier::trusted) return std::nullopt;
  if (is_stranger(claim) &&
      !fits(strangers_, claim.bytes, c.max_parcels / c.stranger_share, c.max_bytes / c.stranger_share)) {
    return RefusalReason::strangers_full;
  }
  if (!fits(find(by_prefix_, claim.prefix), claim.bytes, c.max_parcels_per_prefix, c.max_bytes_per_prefix)) {
    return RefusalReason::prefix_full;
  }
  if (!fits(find(by_sender_, claim.from), claim.bytes, c.max_parcels_per_sender, c.max_bytes_per_sender)) {
    return RefusalReason::sender_full;
  }
  if (!fits(find(by_owner_, claim.owner), claim.bytes, c.max_parcels_per_owner, c.max_bytes_per_owner)) {
    return RefusalReason::owner_full;
  }
  return std::nullopt;
}

void Shares::add(const Claim& claim) {
  plus(all_, claim.bytes);
  if (is_stranger(claim)) plus(strangers_, claim.bytes);
  plus(by_sender_[claim.from], claim.bytes);
  plus(by_owner_[claim.owner], claim.bytes);
  plus(by_prefix_[claim.prefix], claim.bytes);
}

void Shares::remove(const Claim& claim) {
  minus(all_, claim.bytes);
  if (is_stranger(claim)) minus(strangers_, claim.bytes);
  minus(by_sender_, claim.from, claim.bytes);
  minus(by_owner_, claim.owner, claim.bytes);
  minus(by_prefix_, claim.prefix, claim.bytes);
}

}  // namespace ekiden::mailbox
