// Test nodes: an identity from a small number, and its signed record.
#pragma once

#include <utility>

#include "base/check.hpp"
#include "base/rng.hpp"
#include "identity/identity.hpp"
#include "identity/peer_record.hpp"

namespace ekiden::test {

inline constexpr WallTime kWall = from_unix_ms(1'800'000'000'000);

inline Now at(Duration since_start) { return {Instant(hours(1) + since_start), kWall}; }

inline identity::Identity make_identity(Byte number) {
  ByteArray<32> seed{};
  seed.fill(number);
  return identity::Identity(crypto::Ed25519Seed(seed));
}

inline Bytes make_record(const identity::Identity& self, WallTime issued_at = kWall, std::uint64_t sequence = 1) {
  identity::PeerRecord record;
  record.public_key = self.public_key();
  record.sequence = sequence;
  record.issued_at = issued_at;
  record.ttl_seconds = 86'400;
  auto signed_record = identity::sign_record(self, record);
  CHECK(signed_record.has_value());
  return std::move(*signed_record);
}

inline Rng make_rng(Byte number) {
  Rng::Seed seed{};
  seed.fill(number);
  return Rng(seed);
}

}  // namespace ekiden::test
