// Which packet numbers of a session have been seen: each is accepted once, in any order, within a window behind the
// highest (RFC 6479 describes the idea; one word suffices here, for a session carries few packets at once).
//
// Attack: whoever records a packet and sends it again would otherwise have a query answered or a record stored twice.
#pragma once

#include <cstdint>

namespace ekiden::datagram {

class ReplayWindow {
 public:
  static constexpr std::uint64_t kSize = 64;

  /// True if the number was not seen and is not too far behind. Ask before decrypting, mark() after: only what has
  /// proven itself moves the window.
  bool is_fresh(std::uint64_t number) const {
    if (number >= next_) return true;
    const std::uint64_t back = next_ - 1 - number;
    return back < kSize && (seen_ >> back & 1) == 0;
  }

  /// REQUIRES: is_fresh(number), number < 2^64 - 1.
  void mark(std::uint64_t number) {
    if (number >= next_) {
      const std::uint64_t step = number + 1 - next_;
      seen_ = step < kSize ? seen_ << step : 0;
      next_ = number + 1;
    }
    seen_ |= std::uint64_t{1} << (next_ - 1 - number);
  }

 private:
  std::uint64_t next_ = 0;  ///< one over the highest seen
  std::uint64_t seen_ = 0;  ///< bit b: next_ - 1 - b was seen
};

}  // namespace ekiden::datagram
