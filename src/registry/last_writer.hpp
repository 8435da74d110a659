// Last-writer-wins register: the value with the largest version. Merging is commutative, associative and idempotent,
// for versions are totally ordered.
//
// A version is a stamp and the digest of what it belongs to. Who writes a key alone never uses a stamp twice; one who
// does equivocates: it shows one value here and another there. The digest decides, so that everybody ends with the same
// one, and merge() says that it happened, so that both can be kept as evidence.
#pragma once

#include <compare>
#include <cstdint>
#include <utility>

#include "base/bytes.hpp"
#include "registry/stamp.hpp"

namespace ekiden::registry {

/// The first half of a SHA-256.
using Digest = ByteArray<16>;

struct Version {
  Stamp stamp;
  Digest digest{};

  friend auto operator<=>(const Version&, const Version&) = default;
};

/// What an offered version is beside the one that is there.
enum class Standing : std::uint8_t { older, same, newer, equivocal_older, equivocal_newer };

constexpr Standing standing(const Version& held, const Version& offered) {
  if (offered == held) return Standing::same;
  if (offered.stamp == held.stamp) return offered < held ? Standing::equivocal_older : Standing::equivocal_newer;
  return offered < held ? Standing::older : Standing::newer;
}

constexpr bool is_newer(Standing offered) { return offered == Standing::newer || offered == Standing::equivocal_newer; }
constexpr bool is_equivocal(Standing offered) {
  return offered == Standing::equivocal_older || offered == Standing::equivocal_newer;
}

template <class Value>
class LastWriterRegister {
 public:
  LastWriterRegister(const Version& version, Value value) : version_(version), value_(std::move(value)) {}

  /// What `other` was beside this one before.
  Standing merge(LastWriterRegister other) {
    const Standing offered = standing(version_, other.version_);
    if (is_newer(offered)) *this = std::move(other);
    return offered;
  }

  const Version& version() const { return version_; }
  const Value& value() const { return value_; }
  friend bool operator==(const LastWriterRegister&, const LastWriterRegister&) = default;

 private:
  Version version_;
  Value value_;
};

}  // namespace ekiden::registry
