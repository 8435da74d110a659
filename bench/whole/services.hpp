// A hundred thousand services of a hundred owners, for measuring what a registry does with them.
//
// A service has a capability that four others offer, too, three metadata (a region, a version, its host) and 64 bytes
// of value.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "registry/replica.hpp"
#include "registry/writing.hpp"
#include "whole/party.hpp"
#include "wire/cose.hpp"

namespace ekiden::bench {

inline constexpr std::size_t kEntries = 100'000;
inline constexpr std::size_t kOwners = 100;
inline constexpr std::size_t kAlike = 5;  // services with one capability
inline constexpr unsigned kFirstOwner = 500'000;
inline constexpr WallTime kWritten = from_unix_ms(1'800'000'000'000);

inline registry::Config roomy() {
  registry::Config config;
  config.max_entries = 2 * kEntries;
  config.max_entries_per_author = 2 * kEntries;
  config.max_bytes_per_author = config.max_bytes;
  config.updates = {.per_second = 1'000'000, .burst = 1'000'000'000};
  return config;
}

inline std::string capability_of(std::size_t number) { return "translate/" + std::to_string(number / kAlike); }

inline registry::Draft service(std::size_t number) {
  registry::Draft draft;
  draft.name = "services/translator-" + std::to_string(number);
  draft.capability = capability_of(number);
  draft.metadata = {{.key = "host", .value = "node-" + std::to_string(number) + ".example.org"},
                    {.key = "region", .value = "region-" + std::to_string(number % 10)},
                    {.key = "version", .value = "1." + std::to_string(number % 20)}};
  draft.value = Bytes(64, 'v');
  draft.lifetime = days(7);
  return draft;
}

struct Owners {
  std::vector<crypto::Ed25519PublicKey> keys;
  std::vector<identity::PeerId> ids;
};

inline const Owners& owners() {
  static const Owners all = [] {
    Owners made;
    for (unsigned i = 0; i < kOwners; ++i) {
      const identity::Identity owner(seed_of(kFirstOwner + i));
      made.keys.push_back(owner.public_key());
      made.ids.push_back(owner.id());
    }
    return made;
  }();
  return all;
}

inline registry::Entry entry_of(std::size_t number, std::uint32_t counter = 0) {
  const registry::Draft draft = service(number);
  registry::Entry entry;
  entry.name = draft.name;
  entry.owner = owners().keys[number % kOwners];
  entry.stamp = {to_unix_ms(kWritten), counter};
  entry.expires = entry.kept = kWritten + draft.lifetime;
  entry.capability = draft.capability;
  entry.metadata = draft.metadata;
  entry.value = draft.value;
  return entry;
}

/// What is held is as large as what is signed; a replica looks at no signature.
inline Bytes bytes_of(const registry::Entry& entry) {
  return wire::build_sign1(wire::encode(entry), Bytes(wire::kSign1SignatureSize, 1));
}

inline Rng registry_rng(Byte number) { return Rng(Rng::Seed{number}); }

struct Filled {
  registry::Config config = roomy();
  registry::Replica replica{config, registry_rng(1)};

  Status add(std::size_t number, std::uint32_t counter = 0) {
    const registry::Entry entry = entry_of(number, counter);
    EKIDEN_TRY(replica.put(kWritten, entry, bytes_of(entry)));
    return {};
  }
};

inline Result<std::unique_ptr<Filled>> filled() {
  auto made = std::make_unique<Filled>();
  for (std::size_t i = 0; i < kEntries; ++i) EKIDEN_TRY(made->add(i));
  return made;
}

}  // namespace ekiden::bench
