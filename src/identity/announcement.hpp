// Announcement: "I offer this capability", signed with the identity key of who offers it.
//
// An announcement is a COSE_Sign1 (EdDSA, strict profile, purpose "ekiden announcement 1") over the description below.
// It is small, so that an answer of the DHT holds several; where its owner can be reached is in the owner's PeerRecord.
// It is self-proving: the key inside makes the signature. verify_announcement() is the only door.
//
// Bounds: kMaxAnnouncementSize bytes signed. Clamps: a lifetime over kMaxAnnouncementTtl counts as that much; the issue
// time may be kMaxRecordClockSkew in our future, as with records. Timers: none; expires_at() tells.
//
// Rules and their reasons:
//   - the sequence grows with every announcement that a node signs, whatever the capability, and is stored before use:
//     an old one cannot replace a newer one. Announce with the same counter as records or with one of its own;
//   - an announcement expires: nobody is asked for what was given up long ago;
//   - to withdraw one, its owner signs it again with a higher sequence and a lifetime of a second.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "identity/identity.hpp"
#include "identity/peer_record.hpp"
#include "wire/message.hpp"

namespace ekiden::identity {

inline constexpr std::size_t kMaxAnnouncementSize = 256;
inline constexpr seconds kMaxAnnouncementTtl = days(1);

struct Announcement {
  static constexpr std::string_view kName = "announcement";

  crypto::Ed25519PublicKey public_key;
  std::string capability;      ///< "translate/ja-en"; see is_capability().
  std::uint64_t sequence = 0;  ///< Grows with every announcement of the owner; see above.
  WallTime issued_at{};
  std::uint32_t ttl_seconds = 0;

  static constexpr auto kFields = wire::fields(
      wire::field<1>("public_key", &Announcement::public_key),
      wire::field<2>("capability", &Announcement::capability, wire::max_size(kMaxCapabilitySize)),
      wire::field<3>("sequence", &Announcement::sequence), wire::field<4>("issued_at", &Announcement::issued_at),
      wire::field<5>("ttl_seconds", &Announcement::ttl_seconds));

  PeerId owner() const { return PeerId::of(public_key); }

  /// Issue time plus the clamped lifetime.
  WallTime expires_at() const;

  friend bool operator==(const Announcement&, const Announcement&) = default;
};

/// A verified announcement with the bytes that prove it to others.
struct SignedAnnouncement {
  Announcement announcement;
  Bytes signed_bytes;
};

/// Signs our own announcement. Errors: invalid_argument (another node's key, not a capability, a lifetime of zero or
/// over the maximum).
Result<Bytes> sign_announcement(const Identity& identity, const Announcement& announcement);

/// Checks size, form, key, signature and time, and clamps. Errors: too_large, malformed, unsupported, refused (an
/// unacceptable key, or issued in the future), unauthenticated, expired.
Result<Announcement> verify_announcement(ByteView signed_bytes, WallTime now);

/// Form, key and signature but not time: for withdrawals, which are over when they arrive.
Result<Announcement> verify_announcement_ignoring_time(ByteView signed_bytes);

}  // namespace ekiden::identity
