// Shared by the identity tests: fixed identities and a record with every part.
#pragma once

#include "base/encoding.hpp"
#include "identity/contact.hpp"
#include "identity/identity.hpp"
#include "identity/peer_record.hpp"

namespace ekiden::identity {

inline Identity test_identity(Byte number) {
  ByteArray<32> seed{};
  seed.fill(number);
  return Identity(crypto::Ed25519Seed(seed));
}

inline constexpr std::uint64_t kTestTimeMs = 1'767'225'600'000;  // 2026-01-01

inline WallTime test_time() { return from_unix_ms(kTestTimeMs); }

inline PeerRecord test_record(const Identity& identity) {
  PeerRecord record;
  record.version = 1;
  record.public_key = identity.public_key();
  record.sequence = 7;
  record.issued_at = test_time();
  record.ttl_seconds = 86'400;
  record.endpoints = {"tcp://node.example.org:7700", "wss://[2001:db8::1]:443"};
  record.capabilities = {"mailbox", "translate/ja-en"};
  record.features = 3;
  record.prekey = Prekey{42, test_identity(0x77).noise_key().public_key};
  record.relays = {test_identity(2).id()};
  record.mailboxes = {test_identity(3).id(), test_identity(4).id()};
  return record;
}

}  // namespace ekiden::identity
