// PeerRecord: what a node says about itself, signed with its identity key.
//
// A record is a COSE_Sign1 (EdDSA, strict profile, purpose "ekiden record 1") over the description below. It travels in
// handshakes, in the DHT and between friends; it is self-proving: the key inside makes the signature and hashes to the
// PeerId. verify_record() is the only door: nothing of a record is stored, forwarded or dialled before it.
//
// Bounds: kMaxRecordSize bytes signed; lists as declared. Clamps: a lifetime over kMaxRecordTtl counts as that much. An
// issue time may be kMaxRecordClockSkew in our future, for clocks differ. Timers: none; expires_at() tells.
//
// Rules and their reasons:
//   - the sequence grows with every record a node signs and is stored before use: an old record cannot replace a newer
//     one, whatever the clocks say;
//   - a record expires: an address or a prekey that its owner gave up dies with it;
//   - the prekey is covered by the record's signature (X3DH asks for a signed prekey) and lives as long as the record;
//   - texts are printable ASCII: they end up in terminals and logs, where control characters are an attack.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "identity/endpoint.hpp"
#include "identity/identity.hpp"
#include "wire/message.hpp"

namespace ekiden::identity {

inline constexpr std::size_t kMaxRecordSize = 1024;
inline constexpr std::size_t kMaxRecordEndpoints = 8;
inline constexpr std::size_t kMaxRecordEndpointSize = 128;
inline constexpr std::size_t kMaxRecordCapabilities = 16;
inline constexpr std::size_t kMaxCapabilitySize = 64;
inline constexpr std::size_t kMaxRecordRelays = 4;
inline constexpr seconds kMaxRecordTtl = days(7);
inline constexpr minutes kMaxRecordClockSkew{10};

/// The X25519 key that X3DH starts a session with, while its owner may be offline.
struct Prekey {
  static constexpr std::string_view kName = "prekey";
  std::uint32_t id = 0;  ///< Chosen by the owner; names the secret half.
  crypto::X25519PublicKey public_key;
  static constexpr auto kFields =
      wire::fields(wire::field<1>("id", &Prekey::id), wire::field<2>("public_key", &Prekey::public_key));
  friend bool operator==(const Prekey&, const Prekey&) = default;
};

struct PeerRecord {
  static constexpr std::string_view kName = "peer_record";

  std::uint32_t version = 1;  ///< The highest protocol version that the node speaks.
  crypto::Ed25519PublicKey public_key;
  std::uint64_t sequence = 0;  ///< Grows with every record; see above.
  WallTime issued_at{};
  std::uint32_t ttl_seconds = 0;
  std::vector<std::string> endpoints;     ///< As text, for there may be transports that this build does not know.
  std::vector<std::string> capabilities;  ///< "translate/ja-en"; see is_capability().
  std::uint64_t features = 0;             ///< Bits; unknown ones are ignored.
  std::optional<Prekey> prekey;           ///< Without one, nobody can start a session with the node.
  std::vector<PeerId> relays;             ///< Nodes that forward to this one.
  std::vector<PeerId> mailboxes;          ///< Nodes that keep messages for this one.

  static constexpr auto kFields = wire::fields(
      wire::field<1>("version", &PeerRecord::version), wire::field<2>("public_key", &PeerRecord::public_key),
      wire::field<3>("sequence", &PeerRecord::sequence), wire::field<4>("issued_at", &PeerRecord::issued_at),
      wire::field<5>("ttl_seconds", &PeerRecord::ttl_seconds),
      wire::field<6>("endpoints", &PeerRecord::endpoints, wire::max_count(kMaxRecordEndpoints),
                     wire::max_size(kMaxRecordEndpointSize)),
      wire::field<7>("capabilities", &PeerRecord::capabilities, wire::max_count(kMaxRecordCapabilities),
                     wire::max_size(kMaxCapabilitySize)),
      wire::field<8>("features", &PeerRecord::features), wire::field<9>("prekey", &PeerRecord::prekey),
      wire::field<10>("relays", &PeerRecord::relays, wire::max_count(kMaxRecordRelays)),
      wire::field<11>("mailboxes", &PeerRecord::mailboxes, wire::max_count(kMaxRecordRelays)));

  PeerId id() const { return PeerId::of(public_key); }

  /// Issue time plus the clamped lifetime.
  WallTime expires_at() const;

  /// The endpoints that this build understands, in the owner's order. Ask may_dial() before dialling them.
  std::vector<Endpoint> known_endpoints() const;

  friend bool operator==(const PeerRecord&, const PeerRecord&) = default;
};

/// A verified record with the bytes that prove it to others.
struct SignedRecord {
  PeerRecord record;
  Bytes signed_bytes;
};

/// Signs our own record. Errors: invalid_argument (another node's key, version 0, a bad endpoint or capability, a
/// lifetime of zero or over the maximum), too_large (a list or the whole is over its bound).
Result<Bytes> sign_record(const Identity& identity, const PeerRecord& record);

/// Checks size, form, key, signature and time, and clamps. Errors: too_large, malformed, unsupported, refused (an
/// unacceptable key, or issued in the future), unauthenticated, expired. When the times are years apart the message
/// says that one of the clocks is wrong.
Result<PeerRecord> verify_record(ByteView signed_bytes, WallTime now);

/// The same, keeping a copy of the bytes.
Result<SignedRecord> verify_signed_record(ByteView signed_bytes, WallTime now);

/// Form, key and signature but not time: for records that we stored ourselves and want to read whatever the clock says
/// (the key in an expired record is still the key).
Result<PeerRecord> verify_record_ignoring_time(ByteView signed_bytes);

/// True if `a` replaces `b`: same node, higher sequence. On equal sequences the one that came first stays.
bool is_newer(const PeerRecord& a, const PeerRecord& b);

/// A capability name: path segments of lower-case letters, digits, '.', '-' and '_', separated by single slashes, at
/// most kMaxCapabilitySize characters.
bool is_capability(std::string_view name);

}  // namespace ekiden::identity
