// End-to-end sessions: X3DH with the signed prekey, then the Double Ratchet.
//
// A message is sealed for a peer whose record we hold, whether it is online or not, and opened by that peer alone. The
// engine is transactional and keeps no promise that the disk does not keep: a call that moves a ratchet appends the new
// state to the caller's Batch, or has collect() do so, once for many calls; and the caller persists that batch,
// together with what depends on it, in one piece.
//
// Inputs: seal, open, on_reset, what is on disk, time. Outputs: state in the caller's batch; effects PrekeyChanged,
// Flush, Changed. Timers: prekey rotation and erasure, session expiry, flushing of receive state.
//
// Duties of the caller, without which the rules below do not hold:
//   - every batch is persisted, also that of a message which is then refused, and in the order of the calls that filled
//     them, Flush effects included; two rows of one session in the wrong order would let a key be used again;
//   - collect() is called for each batch just before it is persisted, and makes one of its own if wants_batch();
//   - batches that hold changes up to last_change() being on disk is told with on_persisted(). Who never tells it loses
//     nothing but time: every volatile message then waits for the disk.
//
// Rules, and why:
//  1. A key seals one message. The persisted send counter of a session is never below any counter used on the wire:
//     durable messages leave only after their batch is persisted; volatile ones draw from a block of counters that is
//     known to be on disk (`reserve_block`, extended when half of it is used); `Sealed::must_persist` says when even a
//     volatile message has to wait. A restart begins after the reserved block. (A reused key and nonce would reveal
//     both plaintexts.) Bursts of durable messages reserve a block, too: see has_reserved().
//  2. A new ratchet key is persisted before a message under it leaves; a DH step is taken at most once per
//     `dh_step_interval` or every `dh_step_messages` messages of a direction.
//  3. Receive state is committed only after the AEAD has verified, and with what was received (a forged message changes
//     nothing). After volatile messages it is flushed by `flush_interval` or `flush_messages`.
//  4. Skipped message keys are bounded per session and expire with it; a gap over the bound is refused, and so is one
//     over the peer's budget of 2 x max_skipped, refilled at max_skipped a minute (memory, CPU, writes: see
//     session/skip_budget.hpp). Over the bound the oldest keys are dropped; a message that comes too late for its key
//     is too_far, never duplicate.
//  5. If both sides initiate at once, both sessions open messages, and both sides send on the one whose initiator has
//     the smaller PeerId; the other is kept for what is under way and then dropped, at the latest when it expires. A
//     session that was made knowing another comes before it.
//  6. A reset is believed only from the authenticated peer itself, and at most `max_resets_per_hour` times an hour for
//     a peer.
//  7. Prekeys rotate; an old one is erased after the longest time that a message may wait for us. First-message forward
//     secrecy is weaker until the first reply: it rests on the prekey's lifetime.
//  8. Sessions are named by peer and UUID: nobody touches another's session by using its UUID. A session that a peer
//     started and that is over is not started again by a replay of its first message, as long as our prekey lives.
//  9. Wall time may leap. What has expired stays expired; what seems to come from the future has its term from now.
//
// Sources: X3DH (Signal, revision 1) without one-time prekeys; Double Ratchet (Signal, revision 1) section 3; RFC 9562.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/outbox.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "crypto/keys.hpp"
#include "identity/identity.hpp"
#include "identity/peer_id.hpp"
#include "identity/peer_record.hpp"
#include "store/batch.hpp"

namespace ekiden::session {

using SessionId = Uuid;

enum class Durability {
  durable,
  volatile_,
  reserved,  ///< of a message to be sealed: durable, and has_reserved() was true
};

/// What the holder needs to send one message, and to send it again byte for byte while this process lives.
struct Sealed {
  SessionId session;
  std::uint64_t sequence = 0;  ///< of this direction of the session, from 1
  Bytes sealed;                ///< header and ciphertext: the body of an envelope
  bool must_persist = false;   ///< the batch, which is then not empty, must be persisted before `sealed` leaves
};

struct Opened {
  SessionId session;
  identity::PeerId from;
  std::uint64_t sequence = 0;
  Bytes plaintext;
};

/// "Tell the sender": its node acts on it through on_reset(), and only if it really has that session with us.
enum class OpenFailure {
  duplicate,        ///< this message key was used already: the message was received before
  unknown_session,  ///< tell the sender to start a new one
  too_far,          ///< more skipped than the bound or the budget, or a key dropped: tell the sender to start a new one
  bad,              ///< malformed or not authentic: no state changed, nothing to answer
  expired,          ///< the session is over: tell the sender to start a new one
  full,             ///< no room for another session: nothing to answer, the sender will try again
};

enum class State { initiated, established, renewing, closed };
std::string_view state_name(State state);

/// Our prekey has changed: sign and publish a new record with it. Already in the batch that came with it.
struct PrekeyChanged {
  identity::Prekey prekey;
};
/// Persist this (rule 3, prekeys, expiry); nothing waits for it.
struct Flush {
  store::Batch batch;
};
/// A session has changed state; for status and trail.
struct Changed {
  identity::PeerId peer;
  SessionId session;
  State state;
  std::string_view why;  ///< static text
};

struct Config {
  std::size_t max_sessions = 8192;
  std::size_t max_sessions_per_peer = 4;
  std::size_t max_skipped = 1000;  ///< keys of a session; also the largest gap
  Duration dh_step_interval = seconds(1);
  std::uint64_t dh_step_messages = 1000;
  std::uint64_t reserve_block = 256;  ///< well below max_skipped, or crashes cost the session
  std::uint32_t burst = 16;           ///< so many durable messages in the time of one commit reserve a block
  Duration flush_interval = seconds(1);
  std::uint64_t flush_messages = 256;
  Duration lifetime = days(30);     ///< a session expires this long after it was made …
  Duration renew_before = days(7);  ///< … and is replaced by a new one this long before
  Duration prekey_rotation = days(7);
  Duration prekey_horizon = days(30);  ///< an old prekey is kept this long after its rotation
  std::size_t max_resets_per_hour = 20;
};

struct SessionStatus {
  SessionId id;
  identity::PeerId peer;
  State state;
  bool active = false;  ///< the one we send on
  bool initiated_by_us = false;
  WallTime created;
  WallTime expires;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::size_t skipped_keys = 0;
};

class Sessions {
 public:
  using Effect = std::variant<PrekeyChanged, Flush, Changed>;

  /// `self` outlives the engine.
  Sessions(const identity::Identity& self, Config config, Rng rng);
  ~Sessions();

  /// Restores what was persisted: rows of Table::sessions and Table::prekeys, in any order; others are ignored. Call
  /// once, before anything else. Errors: storage_corrupt, naming the row.
  Status load(const std::vector<store::Row>& rows);

  /// Call once after load(): makes the first prekey or rotates a stale one.
  void start(Now now, Outbox<Effect>& out);

  /// The prekey for our record.
  const identity::Prekey& prekey() const;

  // Inputs.

  /// Seals `plaintext` for `to`, on the active session or a new one. `associated` is authenticated with it (the
  /// immutable part of the envelope). Changes of state are appended to `changes`, which stays empty for a volatile
  /// message that needs none. Errors: expired or refused (the record has no usable prekey), limit_exceeded (sessions),
  /// invalid_argument (to ourselves). The record matters only when a session is started.
  Result<Sealed> seal(Now now, const identity::PeerRecord& to, Durability durability, ByteView associated,
                      ByteView plaintext, store::Batch& changes, Outbox<Effect>& out);

  /// True if the next message to this peer would be sealed under a counter that is known to be on disk as reserved.
  /// Then a durable message may be sealed while the disk writes what else it needs.
  bool has_reserved(Now now, const identity::PeerId& peer);

  /// Opens what `claimed_from` sealed for us. On success the new state is for collect() to give; now and then, that of
  /// volatile messages is appended to `changes`. On failure nothing has changed.
  std::expected<Opened, OpenFailure> open(Now now, const identity::PeerId& claimed_from, Durability durability,
                                          ByteView associated, ByteView sealed, store::Batch& changes,
                                          Outbox<Effect>& out);

  /// What opening durable messages has changed since the last call.
  void collect(store::Batch& changes);
  /// Something is to be collected that depends on no other batch.
  bool wants_batch() const;

  /// The session a sealed message belongs to, unauthenticated; for answering unknown_session.
  static std::optional<SessionId> peek_session(ByteView sealed);

  /// `peer`, authenticated by its link, cannot open messages of this session. True if the session was ours with that
  /// peer and is closed now: seal again what was not confirmed.
  bool on_reset(Now now, const identity::PeerId& peer, const SessionId& session, store::Batch& changes,
                Outbox<Effect>& out);

  /// Numbers the changes handed out so far, in batches and Flush effects.
  std::uint64_t last_change() const;
  /// Everything up to this change is on disk: volatile messages may use the counters reserved there.
  void on_persisted(std::uint64_t change);

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Outbox<Effect>& out);

  // Queries.

  std::vector<SessionStatus> status() const;
  std::size_t size() const;
  /// All rows that would restore the present state; for comparing states.
  store::Batch snapshot() const;
  void check_invariants() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ekiden::session
