// The messages of realms between two nodes that have a link.
//
// Bounds: every list has a maximum. What is in them proves itself, or is worth nothing.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "realm/realm.hpp"
#include "wire/message.hpp"

namespace ekiden::realm {

/// Bit of the features of a link: the sender understands the messages of realms.
inline constexpr std::uint64_t kRealmFeature = 64;

/// Realms that a node is in at a time.
inline constexpr std::size_t kMaxRealms = 16;
/// Of a message between members: less than a link carries, and more than any engine of theirs sends.
inline constexpr std::size_t kMaxRealmBody = 33 * 1024;

/// Proves to one node that another is in a realm: the first half of an HMAC-SHA-256.
using Proof = ByteArray<16>;

/// MessageType::realm_hello: the realms that I am in, as far as you are in them too. It takes the place of an earlier
/// one.
struct Hello {
  static constexpr std::string_view kName = "realm_hello";
  std::vector<Proof> proofs;
  bool asks = false;  ///< say yours: I have heard none on this link

  static constexpr auto kFields = wire::fields(wire::field<1>("proofs", &Hello::proofs, wire::max_count(kMaxRealms)),
                                               wire::field<2>("asks", &Hello::asks));
  friend bool operator==(const Hello&, const Hello&) = default;
};

/// MessageType::realm_message: a link message of another type, for a realm that both are in.
struct Carried {
  static constexpr std::string_view kName = "realm_message";
  RealmId realm;
  ByteView message;  ///< type byte and body; borrowed

  static constexpr auto kFields =
      wire::fields(wire::field<1>("realm", &Carried::realm),
                   wire::field<2>("message", &Carried::message, wire::max_size(kMaxRealmBody)));
};

}  // namespace ekiden::realm
