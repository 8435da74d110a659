// What the session engine keeps in the store: names and descriptions of its rows.
//
// Table::sessions, by name:
//   'S' peer(32) uuid(16)                 SessionRow: one session
//   'K' peer(32) uuid(16) sequence(8)     SkippedRow: one skipped message key of it
//   'C' peer(32) uuid(16)                 ClosedRow: a session that is over and must not be made again
// Table::prekeys, by prekey id: PrekeyRow.
//
// Rules: unknown keys of a map are skipped, so that a newer version can add fields; a row that does not decode, or
// whose fields contradict each other, is corruption. Rows hold secret keys in the clear: whoever reads the data
// directory reads the sessions. Secrets are views here, so that none is copied into a buffer of its own; the encoded
// row is in a batch, which erases it (store/batch.hpp), and is written where there is room for it from the start, so
// that no part of it stays in memory that was given back on the way.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "crypto/keys.hpp"
#include "identity/peer_id.hpp"
#include "wire/message.hpp"

namespace ekiden::session {

inline constexpr std::size_t kSecretSize = 32;

/// As wire::encode, for a row with a secret in it.
template <wire::Described Row>
Bytes encode_secret(const Row& row) {
  Bytes out;
  out.reserve(Row::kMaxEncoded);
  wire::encode_to(row, out);
  CHECK(out.size() <= Row::kMaxEncoded);
  return out;
}

/// Counters of rows stay below this; a larger one is corruption. (No node lives long enough to count so far.)
inline constexpr std::uint64_t kMaxCount = std::uint64_t{1} << 62;

/// A session, as the engine finds it. Sessions of two peers may carry the same UUID and do not touch each other.
struct SessionKey {
  identity::PeerId peer;
  Uuid id;

  friend auto operator<=>(const SessionKey&, const SessionKey&) = default;
};

enum class RowKind : Byte { session = 'S', skipped = 'K', closed = 'C' };

using RowName = ByteArray<49>;

inline RowName row_name(RowKind kind, const SessionKey& key) {
  RowName name{static_cast<Byte>(kind)};
  MutableBytes rest = MutableBytes(name).subspan(1);
  for (std::size_t i = 0; i < 32; ++i) rest[i] = key.peer.bytes[i];
  for (std::size_t i = 0; i < 16; ++i) rest[32 + i] = key.id.bytes[i];
  return name;
}

struct RatchetRow {
  static constexpr std::string_view kName = "ratchet_row";
  ByteView root;
  ByteView own_secret;
  crypto::X25519PublicKey own_public;
  crypto::X25519PublicKey theirs;
  ByteView send_key;
  std::uint32_t send_next = 0;
  std::uint32_t send_previous = 0;
  std::uint64_t send_base = 0;
  std::optional<ByteView> receive_key;
  std::uint32_t receive_next = 0;
  std::uint64_t receive_base = 0;
  bool step_pending = false;
  std::uint64_t forgotten = 0;  ///< of the skipped keys

  static constexpr auto kFields = wire::fields(
      wire::field<1>("root", &RatchetRow::root, wire::max_size(kSecretSize)),
      wire::field<2>("own_secret", &RatchetRow::own_secret, wire::max_size(kSecretSize)),
      wire::field<3>("own_public", &RatchetRow::own_public), wire::field<4>("theirs", &RatchetRow::theirs),
      wire::field<5>("send_key", &RatchetRow::send_key, wire::max_size(kSecretSize)),
      wire::field<6>("send_next", &RatchetRow::send_next), wire::field<7>("send_previous", &RatchetRow::send_previous),
      wire::field<8>("send_base", &RatchetRow::send_base),
      wire::field<9>("receive_key", &RatchetRow::receive_key, wire::max_size(kSecretSize)),
      wire::field<10>("receive_next", &RatchetRow::receive_next),
      wire::field<11>("receive_base", &RatchetRow::receive_base),
      wire::field<12>("step_pending", &RatchetRow::step_pending), wire::field<13>("forgotten", &RatchetRow::forgotten));
};

struct SessionRow {
  static constexpr std::string_view kName = "session_row";
  static constexpr std::size_t kMaxEncoded = 512;
  bool initiated_by_us = false;
  bool established = false;
  std::uint32_t generation = 0;
  std::uint64_t order = 0;
  WallTime created;
  WallTime expires;
  std::uint32_t prekey = 0;
  std::optional<crypto::X25519PublicKey> ephemeral;
  std::uint32_t reserved = 0;
  std::uint64_t received = 0;
  RatchetRow ratchet;

  static constexpr auto kFields = wire::fields(
      wire::field<1>("initiated_by_us", &SessionRow::initiated_by_us),
      wire::field<2>("established", &SessionRow::established), wire::field<3>("generation", &SessionRow::generation),
      wire::field<4>("order", &SessionRow::order), wire::field<5>("created", &SessionRow::created),
      wire::field<6>("expires", &SessionRow::expires), wire::field<7>("prekey", &SessionRow::prekey),
      wire::field<8>("ephemeral", &SessionRow::ephemeral), wire::field<9>("reserved", &SessionRow::reserved),
      wire::field<10>("received", &SessionRow::received), wire::field<11>("ratchet", &SessionRow::ratchet));
};

struct SkippedRow {
  static constexpr std::string_view kName = "skipped_row";
  static constexpr std::size_t kMaxEncoded = 40;
  ByteView key;

  static constexpr auto kFields = wire::fields(wire::field<1>("key", &SkippedRow::key, wire::max_size(kSecretSize)));
};

struct ClosedRow {
  static constexpr std::string_view kName = "closed_row";
  std::uint32_t prekey = 0;  ///< ours, that the session was made with
  std::uint64_t order = 0;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("prekey", &ClosedRow::prekey), wire::field<2>("order", &ClosedRow::order));
};

struct PrekeyRow {
  static constexpr std::string_view kName = "prekey_row";
  static constexpr std::size_t kMaxEncoded = 64;
  ByteView secret;
  WallTime created;
  std::optional<WallTime> retired;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("secret", &PrekeyRow::secret, wire::max_size(kSecretSize)),
                   wire::field<2>("created", &PrekeyRow::created), wire::field<3>("retired", &PrekeyRow::retired));
};

}  // namespace ekiden::session
