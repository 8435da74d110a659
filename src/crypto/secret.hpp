// A fixed-size secret: erased when it dies or is moved from, never printed, compared in constant time.
#pragma once

#include <sodium/utils.h>

#include <cstring>

#include "base/bytes.hpp"

namespace ekiden::crypto {

template <std::size_t N, class Tag>
class Secret {
 public:
  static constexpr std::size_t kSize = N;

  Secret() = default;
  explicit Secret(const ByteArray<N>& bytes) : bytes_(bytes) {}
  /// REQUIRES: view.size() >= N.
  explicit Secret(ByteView view) : bytes_(take_array<N>(view)) {}
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

  void erase() { sodium_memzero(bytes_.data(), N); }

  ByteView view() const { return bytes_; }
  MutableBytes mutable_view() { return bytes_; }

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
