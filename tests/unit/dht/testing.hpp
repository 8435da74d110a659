// Shared by the tests of the DHT: identities, nodes, records and announcements, times.
#pragma once

#include <string>

#include "base/rng.hpp"
#include "base/time.hpp"
#include "dht/dht.hpp"
#include "dht/messages.hpp"
#include "identity/announcement.hpp"
#include "identity/identity.hpp"
#include "identity/node_info.hpp"
#include "identity/peer_record.hpp"

namespace ekiden::dht {

inline constexpr std::uint64_t kTestTimeMs = 1'767'225'600'000;  // 2026-01-01

inline Now at(Duration since_start) {
  return {.mono = Instant(hours(100) + since_start),
          .wall = from_unix_ms(kTestTimeMs) + std::chrono::duration_cast<milliseconds>(since_start)};
}

inline Rng::Seed seed_of(std::uint64_t number) {
  Rng::Seed seed{};
  put_be(seed, number);
  return seed;
}

inline identity::Identity test_identity(std::uint64_t number) {
  return identity::Identity(crypto::Ed25519Seed(seed_of(number)));
}

/// A public address of its own /24 for each of 65,536 numbers.
inline identity::SocketAddress test_address(std::size_t number, Byte host = 1) {
  return {.ip = identity::IpAddress::v4({20, static_cast<Byte>(number / 256), static_cast<Byte>(number % 256), host}),
          .port = 4433};
}

/// A node that exists in name only: its key is no point of the curve, but hashes to an id like any other.
inline identity::NodeInfo fake_node(std::size_t number, Byte host = 1) {
  identity::NodeInfo node;
  put_be(node.public_key.bytes, static_cast<std::uint64_t>(number) + 1);
  node.at = test_address(number, host);
  return node;
}

inline Bytes record_of(const identity::Identity& owner, std::uint64_t sequence, WallTime issued_at,
                       seconds ttl = hours(24)) {
  identity::PeerRecord record;
  record.public_key = owner.public_key();
  record.sequence = sequence;
  record.issued_at = issued_at;
  record.ttl_seconds = static_cast<std::uint32_t>(ttl.count());
  record.endpoints = {"udp://node.example.org:4433"};
  return identity::sign_record(owner, record).value();
}

inline Bytes announcement_of(const identity::Identity& owner, std::string capability, std::uint64_t sequence,
                             WallTime issued_at, seconds ttl = hours(12)) {
  return identity::sign_announcement(owner, {.public_key = owner.public_key(),
                                             .capability = std::move(capability),
                                             .sequence = sequence,
                                             .issued_at = issued_at,
                                             .ttl_seconds = static_cast<std::uint32_t>(ttl.count())})
      .value();
}

/// The effects of one kind, in order.
template <class Kind>
std::vector<Kind> take(std::vector<Dht::Effect>& effects) {
  std::vector<Kind> out;
  for (auto& effect : effects) {
    if (auto* found = std::get_if<Kind>(&effect)) out.push_back(std::move(*found));
  }
  return out;
}

}  // namespace ekiden::dht
