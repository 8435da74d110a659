// UUID version 4 (RFC 9562 section 5.4): names of sessions and messages.
#pragma once

#include <compare>
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

  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

}  // namespace ekiden
