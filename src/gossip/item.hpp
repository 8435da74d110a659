// Item: what somebody publishes in a topic, signed with the identity key of who publishes it.
//
// An item is a COSE_Sign1 (EdDSA, strict profile, purpose "ekiden gossip 1") over the description below. It is
// self-proving: whoever hands it on can neither change it nor make one. verify_item() is the only door.
//
// Bounds: kMaxPayload bytes of payload, kMaxItemSize signed. Timers: none.
//
// Rules and their reasons:
//   - run and sequence name an item of a publisher in a topic, so that a reader sees what is missing and what is played
//     again. A run is a number that a node has never used before; sequences begin with 1 in each run and grow by one.
//     So nothing has to be written to disk for each item, and a crash reuses no number;
//   - the time is for people. Nobody's clock decides what is delivered.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "identity/identity.hpp"
#include "identity/peer_id.hpp"
#include "wire/message.hpp"

namespace ekiden::gossip {

inline constexpr std::size_t kMaxPayload = 16'384;
inline constexpr std::size_t kMaxItemSize = kMaxPayload + 256;
inline constexpr std::size_t kMaxTopicName = 64;

/// What a topic is called between nodes. Its name is known to those who know it already.
struct TopicId {
  ByteArray<32> bytes{};

  /// SHA-256 of "ekiden topic 1" and the name.
  static TopicId of(std::string_view name);
  /// Of a topic in a realm: SHA-256 of "ekiden realm topic 1", the id of the realm and the name.
  static TopicId of(const ByteArray<32>& realm, std::string_view name);
  friend auto operator<=>(const TopicId&, const TopicId&) = default;
};

/// 1 to kMaxTopicName bytes: path segments of lower-case letters, digits, '.', '-' and '_', separated by single
/// slashes, as of capabilities.
bool is_topic(std::string_view name);

/// The first half of SHA-256 of the signed bytes.
struct ItemId {
  ByteArray<16> bytes{};

  static ItemId of(ByteView signed_bytes);
  friend auto operator<=>(const ItemId&, const ItemId&) = default;
};

struct Item {
  static constexpr std::string_view kName = "gossip_item";

  TopicId topic;
  crypto::Ed25519PublicKey public_key;  ///< of the publisher
  std::uint64_t run = 0;
  std::uint64_t sequence = 0;  ///< from 1
  WallTime at{};               ///< by the publisher's clock
  ByteView payload;            ///< borrowed

  static constexpr auto kFields = wire::fields(
      wire::field<1>("topic", &Item::topic), wire::field<2>("public_key", &Item::public_key),
      wire::field<3>("run", &Item::run), wire::field<4>("sequence", &Item::sequence), wire::field<5>("at", &Item::at),
      wire::field<6>("payload", &Item::payload, wire::max_size(kMaxPayload)));

  identity::PeerId publisher() const { return identity::PeerId::of(public_key); }
};

/// REQUIRES: the key is ours, the payload within its bound.
Bytes sign_item(const identity::Identity& identity, const Item& item);

/// Checks size and form, not the signature: for looking whether that is worth its cost. The payload is a view into the
/// bytes. Errors: too_large, malformed (also: sequence 0), unsupported.
Result<Item> read_item(ByteView signed_bytes);

/// Checks size, form, key and signature. Errors: as read_item; refused (an unacceptable key), unauthenticated.
Result<Item> verify_item(ByteView signed_bytes);

}  // namespace ekiden::gossip
