// A token bucket: so many events a second in the long run, so many at once.
//
// Kept as the generic cell rate algorithm does (ITU-T I.371 Annex A; the virtual scheduling form): one instant, up to
// which what was admitted has been paid for. No timer, no counter to refill, sixteen bytes and the rate.
//
// Bounds: never more than `burst` tokens are saved up, however long it was quiet.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace ekiden::flow {

struct Rate {
  std::uint64_t per_second = 1;  ///< REQUIRES: 1 to 10^9
  std::uint64_t burst = 1;       ///< REQUIRES: 1 to 10^9
};

class TokenBucket {
 public:
  /// Starts full.
  explicit TokenBucket(Rate rate);

  /// Takes one token. False if there is none: nothing is taken then.
  bool take(Instant now);

  /// How long until a token is there; zero if one is.
  Duration wait(Instant now) const;

  /// True if all tokens are there: the bucket may be forgotten, a new one would be the same.
  bool is_full(Instant now) const { return paid_until_ <= now; }

 private:
  Duration interval_;   ///< between two tokens
  Duration tolerance_;  ///< how far ahead of the rate a burst may be
  Instant paid_until_{};
};

}  // namespace ekiden::flow
