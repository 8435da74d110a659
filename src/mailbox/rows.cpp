#include "mailbox/rows.hpp"

#include <algorithm>
#include <bit>

#include "base/check.hpp"
#include "crypto/hash.hpp"

namespace ekiden::mailbox {

ParcelDigest digest_of(ByteView parcel) {
  const crypto::Digest whole = crypto::sha256(parcel);
  ParcelDigest half{};
  std::ranges::copy(whole.view().first(half.size()), half.begin());
  return half;
}

ParcelRow row_of(const Parcel& parcel, ByteView body, const ByteArray<8>& prefix, WallTime until) {
  static_assert(kMaxParcel <= std::numeric_limits<std::uint16_t>::max());
  CHECK(body.size() <= kMaxParcel);
  return {.prefix = prefix,
          .until = until,
          .id = parcel.id,
          .from = parcel.from,
          .to = parcel.to,
          .priority = parcel.priority,
          .kind = parcel.kind,
          .size = static_cast<std::uint16_t>(body.size()),
          .digest = digest_of(body)};
}

std::uint16_t count_bits(const DeadRow::Bits& bits) {
  int count = 0;
  for (const Byte byte : bits) count += std::popcount(byte);
  return static_cast<std::uint16_t>(count);
}

}  // namespace ekiden::mailbox
