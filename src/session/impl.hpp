// The inside of Sessions: prekeys, table, and the two ways of a message. sealing.cpp sends, opening.cpp receives,
// sessions.cpp keeps the clock and the rest.
#pragma once

#include <optional>

#include "base/deadline_map.hpp"
#include "base/lru_map.hpp"
#include "session/prekeys.hpp"
#include "session/session_table.hpp"
#include "session/sessions.hpp"
#include "session/skip_budget.hpp"

namespace ekiden::session {

struct Sessions::Impl {
  using Effects = Outbox<Sessions::Effect>;
  using Unopened = std::unexpected<OpenFailure>;

  Impl(const identity::Identity& identity, const Config& cfg, Rng random);

  // sealing.cpp
  Result<Sealed> seal(Now now, const identity::PeerRecord& to, Durability durability, ByteView associated,
                      ByteView plaintext, store::Batch& changes, Effects& out);
  Result<Session*> session_for(Now now, const identity::PeerRecord& to, store::Batch& changes, Effects& out);
  bool wants_renewal(const Session& session, Now now) const;
  Result<Session*> initiate(Now now, const identity::PeerRecord& to, store::Batch& changes, Effects& out);
  bool has_reserved(Now now, const identity::PeerId& peer);
  bool is_step_due(Now now, const Session& session) const;
  Status step_if_due(Now now, Session& session);
  bool secure_number(Session& session, std::uint32_t number, Durability durability, store::Batch& changes);
  bool reserve(Session& session, std::uint32_t number) const;

  // opening.cpp
  std::expected<Opened, OpenFailure> open(Now now, const identity::PeerId& from, Durability durability,
                                          ByteView associated, ByteView sealed, store::Batch& changes, Effects& out);
  std::expected<Session, OpenFailure> respond(Now now, const SessionKey& key, const Header& header);
  std::expected<Bytes, OpenFailure> decrypt(Now now, Session& session, const SealedView& message, ByteView associated);
  std::size_t max_gap(Now now, const identity::PeerId& peer) const;
  void spend_skips(Now now, const identity::PeerId& peer, std::size_t count);
  void note_received(Now now, Session& session, Durability durability, store::Batch& changes, Effects& out);

  // sessions.cpp
  bool on_reset(Now now, const SessionKey& key, store::Batch& changes, Effects& out);
  void maintain(Now now, store::Batch& batch, Effects& out);
  void on_deadline(Now now, Effects& out);
  ByteView associated_data(const Session& session, ByteView header, ByteView associated);

  /// How many resets a peer has had, in a window of an hour.
  struct Resets {
    Instant since;
    std::size_t count = 0;
  };

  const identity::Identity& self;
  const Config config;
  Rng rng;
  Prekeys prekeys;
  SessionTable table;
  LruMap<identity::PeerId, Resets> resets;
  LruMap<identity::PeerId, SkipBudget> skips;  ///< of peers that made us skip messages
  bool batch_wanted = false;                   ///< for what was opened
  Bytes scratch;                               ///< for associated data; kept so that a message does not allocate it

  std::optional<Instant> flush_at;     ///< while the table has deferred rows
  std::optional<Instant> maintain_at;  ///< from start() on
};

}  // namespace ekiden::session
