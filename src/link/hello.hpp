// Hello: what each side says about itself inside the handshake, as its Noise payload.
//
// Both sides say which protocol versions they speak, and each computes the same answer from both: the highest common
// one. Nobody can be talked down to an old version by a third party, for the payloads are part of the handshake.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "identity/peer_record.hpp"
#include "wire/message.hpp"

namespace ekiden::link {

/// The protocol versions that this build speaks.
inline constexpr std::uint16_t kVersionMin = 1;
inline constexpr std::uint16_t kVersionMax = 1;

struct Hello {
  static constexpr std::string_view kName = "hello";

  std::uint16_t version_min = kVersionMin;
  std::uint16_t version_max = kVersionMax;
  std::uint64_t features = 0;  ///< Bits; a link uses those that both sides set.
  ByteView record;             ///< The signed PeerRecord; borrowed.

  static constexpr auto kFields =
      wire::fields(wire::field<1>("version_min", &Hello::version_min),
                   wire::field<2>("version_max", &Hello::version_max), wire::field<3>("features", &Hello::features),
                   wire::field<4>("record", &Hello::record, wire::max_size(identity::kMaxRecordSize)));
};

/// The highest version that both speak. Errors: malformed (their range is empty), unsupported (nothing in common).
inline Result<std::uint16_t> common_version(const Hello& mine, const Hello& theirs) {
  if (theirs.version_min > theirs.version_max) return fail(Errc::malformed, "the range of protocol versions is empty");
  const auto low = std::max(mine.version_min, theirs.version_min);
  const auto high = std::min(mine.version_max, theirs.version_max);
  if (low <= high) return high;
  const auto range = [](const Hello& hello) {
    return std::to_string(hello.version_min) + " to " + std::to_string(hello.version_max);
  };
  return fail(Errc::unsupported, "it speaks protocol versions " + range(theirs) + " and this node " + range(mine) +
                                     ": update the older of the two");
}

}  // namespace ekiden::link
