// A fixed-size secret: erased when it dies or is moved from, never printed, compared in constant time.
//
// Rationale: a key that was left behind in freed memory ends up in a core dump, in swap, or in what a later bug reads;
// a comparison that stops at the first difference tells an attacker how much of a guess is right. Copies are allowed
// (each erases itself) but visible: a Secret converts to nothing, so that it cannot slip into a log or a message.
//
// Bounds: N bytes on the stack or inside its owner; never allocates.
#pragma once

#include <sodium/utils.h>

#include <cstring>

#include "base/bytes.hpp"
#include "base/rng.hpp"

namespace ekiden::crypto {

template <std::size_t N, class Tag>
class Secret {
 public:
  static constexpr std::size_t kSize = N;

  /// All zero.
  Secret() = default;
  explicit Secret(const ByteArray<N>& bytes) : bytes_(bytes) {}
  /// REQUIRES: view.size() >= N.
  explicit Secret(ByteView view) : bytes_(take_array<N>(view)) {}
  /// A new one, drawn in place: no copy of it stays elsewhere.
  static Secret draw(Rng& rng) {
    Secret fresh;
    rng.fill(fresh.bytes_);
    return fresh;
  }
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.erase(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.erase();
    }
    return *this;
  }
  ~Secret() { erase(); }

  /// Sets all bytes to zero, in a way that no compiler leaves out.
  void erase() { sodium_memzero(bytes_.data(), N); }

  /// Valid while the secret lives where it is; whoever copies the bytes elsewhere erases them there.
  ByteView view() const { return bytes_; }
  /// For functions that write a key.
  MutableBytes mutable_view() { return bytes_; }

  /// In constant time.
  friend bool operator==(const Secret& a, const Secret& b) {
    return sodium_memcmp(a.bytes_.data(), b.bytes_.data(), N) == 0;
  }

 private:
  ByteArray<N> bytes_{};
};

/// Constant-time equality of byte strings; only their lengths may leak.
inline bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// Erases bytes that held a secret; never optimised away.
inline void erase(MutableBytes bytes) { sodium_memzero(bytes.data(), bytes.size()); }

}  // namespace ekiden::crypto
