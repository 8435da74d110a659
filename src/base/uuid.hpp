// UUID version 4 (RFC 9562 section 5.4): names of sessions and messages.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"

namespace ekiden {

struct Uuid {
  ByteArray<16> bytes{};

  static Uuid random(Rng& rng);

  /// Refuses other lengths, versions and variants. Errors: malformed.
  static Result<Uuid> from_bytes(ByteView bytes);

  /// "xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx", both cases. Errors: malformed.
  static Result<Uuid> parse(std::string_view text);

  std::string text() const;

  friend bool operator==(const Uuid&, const Uuid&) = default;
  friend auto operator<=>(const Uuid& a, const Uuid& b) { return compare(a.bytes, b.bytes); }
};

/// For tables of ids that this node or its applications chose. An id is as random as who made it wants: a table that a
/// peer fills would let it choose collisions.
struct UuidHash {
  std::size_t operator()(const Uuid& id) const noexcept {
    std::array<std::uint64_t, 2> halves{};
    std::memcpy(halves.data(), id.bytes.data(), id.bytes.size());
    return halves[0] ^ halves[1];
  }
};

}  // namespace ekiden
