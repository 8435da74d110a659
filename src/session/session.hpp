// One session: what we know of it besides its ratchet, and its row in the store.
//
// A plain value; its rules live in session_table.hpp (which sessions there are) and sessions.cpp (what is done with
// them). The part that is persisted and the part that is not are kept apart: what is not can be lost in a crash at any
// moment without harm.
//
// Reserved numbers: a volatile message leaves without waiting for the disk, so the disk must know beforehand that its
// number may have been used. `reserved` is the first number of the current sending chain that is still free to be used
// after a crash; it goes into the row. `confirmed` is the value of it that is known to be on disk: below it a volatile
// message need not wait.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "base/time.hpp"
#include "identity/peer_id.hpp"
#include "session/ratchet.hpp"
#include "session/rows.hpp"
#include "session/sessions.hpp"
#include "session/x3dh.hpp"
#include "store/batch.hpp"

namespace ekiden::session {

/// The most numbers that are reserved ahead, whatever the configuration says: after a crash they are passed over one by
/// one.
inline constexpr std::uint32_t kMaxReserveBlock = 65'536;

struct Session {
  SessionKey key;
  Binding binding{};  ///< follows from the key, the initiator and ourselves
  Ratchet ratchet;

  // Persisted.
  bool initiated_by_us = false;
  bool established = false;  ///< a message of the other side has verified
  std::uint32_t generation = 1;
  std::uint64_t order = 0;  ///< in which we came to know sessions; ours alone
  WallTime created{};
  WallTime expires{};
  std::uint32_t prekey = 0;                          ///< the responder's, whoever that is
  std::optional<crypto::X25519PublicKey> ephemeral;  ///< ours, while we send initial messages
  std::uint32_t reserved = 0;
  std::uint64_t received = 0;

  // Not persisted.
  bool resuming = false;  ///< loaded: the numbers below `reserved` may have been used
  std::uint32_t confirmed = 0;
  std::uint64_t saved_change = 0;    ///< the change that last held the row …
  std::uint32_t saved_reserved = 0;  ///< … and what the row said to be reserved: the block may have grown since
  std::uint64_t awaited_change = 0;  ///< the change whose persistence will confirm `awaited_reserved`; 0: none
  std::uint32_t awaited_reserved = 0;
  std::uint32_t burst = 0;             ///< durable messages sealed since the row was last known to be on disk
  std::uint64_t unsaved_messages = 0;  ///< received since the row was last written
  std::optional<Instant> last_step;
  std::optional<Instant> renew_not_before;
  std::optional<Instant> used;  ///< last sealed or opened in this run
  bool renewing = false;        ///< a successor was made
  bool over = false;            ///< seen expired; does not come back if the clock does

  State state() const;
  /// True if we have ever sent on it.
  bool answered() const { return initiated_by_us || ratchet.state().send.base + ratchet.state().send.next > 0; }
};

/// Which of two sessions with a peer to send on: true if `a` comes before `b`. The same on both sides once both know
/// both: the later generation; among equals the one whose initiator has the smaller PeerId; among those of one
/// initiator (who then knows only the last) the one that we learned of last.
bool is_preferred(const Session& a, const Session& b, const identity::PeerId& self);

Bytes encode_row(const Session& session);

/// Errors: storage_corrupt.
Result<Session> decode_row(const identity::PeerId& self, const SessionKey& key, ByteView value,
                           std::size_t max_skipped);

}  // namespace ekiden::session
