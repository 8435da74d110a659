// Deterministic, cryptographically strong random numbers for engines.
//
// A ChaCha20 stream (RFC 8439) with fast key erasure: every refill replaces the key first, so that a later look into
// memory does not reveal what was drawn before. The seed is the only entropy; the real runtime takes it from the
// operating system, the simulator from its scenario. Each engine owns a stream (split), so that a draw more in one
// engine does not change the others and a simulation replays.
//
// Not copyable: two copies of a stream would draw the same keys. A stream from which nothing was drawn yet is its key
// and no more: a node has many engines that are idle for long.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "base/time.hpp"

namespace ekiden {

class Rng {
 public:
  using Seed = ByteArray<32>;

  explicit Rng(const Seed& seed);
  ~Rng();
  Rng(Rng&& other) noexcept;
  Rng& operator=(Rng&& other) noexcept;
  Rng(const Rng&) = delete;
  Rng& operator=(const Rng&) = delete;

  /// A new independent stream, derived from this one.
  Rng split();

  void fill(MutableBytes out);

  template <std::size_t N>
  ByteArray<N> bytes() {
    ByteArray<N> out;
    fill(out);
    return out;
  }

  std::uint64_t next();

  /// Uniform in [0, bound), without modulo bias. REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound);

  /// True in `numerator` of `denominator` cases. REQUIRES: denominator > 0.
  bool chance(std::uint64_t numerator, std::uint64_t denominator) { return below(denominator) < numerator; }

  /// Uniform in [low, high]. REQUIRES: low <= high.
  Duration between(Duration low, Duration high);

  /// Fisher-Yates; stands in for std::shuffle, whose result differs between standard libraries.
  template <class Container>
  void shuffle(Container& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  void refill();

  static constexpr std::size_t kBuffered = 480;
  using Buffer = ByteArray<kBuffered>;
  Seed key_;
  std::unique_ptr<Buffer> buffer_;  ///< from the first draw on
  std::size_t used_ = kBuffered;
};

}  // namespace ekiden
