// Entries for tests, and replicas that hold them.
#pragma once

#include <string>
#include <utility>

#include "registry/entry.hpp"
#include "registry/writing.hpp"
#include "support/identities.hpp"
#include "wire/cose.hpp"

namespace ekiden::registry {

inline Entry sample_entry(const identity::Identity& owner, std::string name, Stamp stamp = {to_unix_ms(test::kWall), 0},
                          milliseconds lifetime = days(1)) {
  Entry entry;
  entry.name = std::move(name);
  entry.owner = owner.public_key();
  entry.stamp = stamp;
  entry.expires = from_unix_ms(stamp.ms) + lifetime;
  entry.kept = entry.expires;
  return entry;
}

/// What nobody has signed, for what looks at no signature.
inline Bytes unsigned_entry(const Entry& entry) {
  return wire::build_sign1(wire::encode(entry), Bytes(wire::kSign1SignatureSize));
}

inline Entry removal_of(const Entry& entry, Stamp stamp) {
  Entry removal;
  removal.name = entry.name;
  removal.owner = entry.owner;
  removal.author = entry.author;
  removal.grant = entry.grant;
  removal.shape = entry.shape;
  removal.stamp = stamp;
  removal.removed = true;
  removal.expires = from_unix_ms(stamp.ms);
  removal.kept = std::max(entry.kept, removal.expires);
  return removal;
}

}  // namespace ekiden::registry
