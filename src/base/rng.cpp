#include "base/rng.hpp"

#include <sodium/crypto_stream_chacha20.h>
#include <sodium/utils.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.hpp"

namespace ekiden {

Rng::Rng(const Seed& seed) : key_(seed) {}

Rng::~Rng() {
  sodium_memzero(key_.data(), key_.size());
  if (buffer_) sodium_memzero(buffer_->data(), buffer_->size());
}

Rng::Rng(Rng&& other) noexcept : key_(other.key_), buffer_(std::move(other.buffer_)), used_(other.used_) {
  sodium_memzero(other.key_.data(), other.key_.size());
  other.used_ = kBuffered;
}

Rng& Rng::operator=(Rng&& other) noexcept {
  std::swap(key_, other.key_);
  std::swap(buffer_, other.buffer_);
  std::swap(used_, other.used_);
  return *this;
}

Rng Rng::split() { return Rng(bytes<32>()); }

void Rng::refill() {
  constexpr ByteArray<crypto_stream_chacha20_ietf_NONCEBYTES> kNonce{};
  ByteArray<32 + kBuffered> block;
  crypto_stream_chacha20_ietf(block.data(), block.size(), kNonce.data(), key_.data());
  std::memcpy(key_.data(), block.data(), key_.size());
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<Buffer>();
  std::memcpy(buffer_->data(), block.data() + key_.size(), buffer_->size());
  sodium_memzero(block.data(), block.size());
  used_ = 0;
}

void Rng::fill(MutableBytes out) {
  while (!out.empty()) {
    if (used_ == kBuffered) refill();
    const std::size_t n = std::min(out.size(), kBuffered - used_);
    std::memcpy(out.data(), buffer_->data() + used_, n);
    sodium_memzero(buffer_->data() + used_, n);
    used_ += n;
    out = out.subspan(n);
  }
}

std::uint64_t Rng::next() { return get_be<std::uint64_t>(bytes<8>()); }

std::uint64_t Rng::below(std::uint64_t bound) {
  CHECK(bound > 0);
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  for (;;) {
    const std::uint64_t value = next();
    if (value < limit) return value % bound;
  }
}

Duration Rng::between(Duration low, Duration high) {
  CHECK(low <= high);
  return low + Duration(static_cast<std::int64_t>(below(static_cast<std::uint64_t>((high - low).count()) + 1)));
}

}  // namespace ekiden
