// All sessions: which there are, which one to send on, which have to go, and what of them the disk has.
//
// Inputs: sessions as they are made, changed, closed; change numbers that are on disk. Outputs: rows in the caller's
// batch, Changed effects. Timers: next_expiry(), in wall time.
//
// Bounds: `max_sessions_per_peer` for a peer: one more closes the least preferred of that peer, so that a peer pushes
// out only its own. `max_sessions` in all: one more closes the one unused for the longest time among those on which we
// have never sent anything; if there is none, there is no room. (Attack: many fresh identities open sessions until the
// table is full. They can push out each other, and peers that we never wrote to, who start anew; nobody else.)
//
// Rules:
//   - every row that is handed out has a change number; rows must reach the disk in that order;
//   - a session whose time is over is marked as soon as that is seen, and stays so if the clock is set back;
//   - a session from the future (the clock was set back) has its whole term from now, and no more.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "base/outbox.hpp"
#include "base/time.hpp"
#include "session/closed_sessions.hpp"
#include "session/session.hpp"
#include "session/sessions.hpp"
#include "store/batch.hpp"

namespace ekiden::session {

class SessionTable {
 public:
  using Effects = Outbox<Sessions::Effect>;

  SessionTable(const identity::PeerId& self, const Config& config)
      : self_(self), config_(config), closed_(config.max_sessions) {}

  // Finding.

  /// nullptr if there is none. Pointers stay valid until the session is closed.
  Session* find(const SessionKey& key);
  /// The session to send on with this peer, or nullptr. Marks those that are over.
  Session* preferred(const identity::PeerId& peer, WallTime now);
  bool was_closed(const SessionKey& key) const { return closed_.contains(key); }
  /// One over the highest generation known with this peer.
  std::uint32_t next_generation(const identity::PeerId& peer) const;
  /// Marks the session as over if its time has come; true if it is.
  bool is_over(Session& session, WallTime now);
  /// True after a session was marked and before expire(): there is work for it.
  bool has_marked() const { return has_marked_; }

  // Changing.

  /// True if insert() would find room.
  bool has_room(const identity::PeerId& peer) const;
  /// REQUIRES: has_room(), a key that is not there.
  Session& insert(Session session, store::Batch& batch, Effects& out);
  void close(const SessionKey& key, std::string_view why, store::Batch& batch, Effects& out);
  /// Closes all whose time is over, and pulls back those from the future.
  void expire(WallTime now, store::Batch& batch, Effects& out);
  /// A prekey is gone: nobody can start those sessions again.
  void forget_closed(std::uint32_t prekey, store::Batch& batch) { closed_.forget(prekey, batch); }
  /// The peer made us close a session; do not renew the others at once.
  void delay_renewal(const identity::PeerId& peer, Instant until);

  // Persistence.

  void save(Session& session, store::Batch& batch);
  /// The row belongs into the next batch, whatever that is about: collect() writes it.
  void save_with_next(Session& session) { due_.insert(session.key); }
  void collect(store::Batch& batch);
  /// The row is behind; flush() will write it.
  void defer(Session& session) { dirty_.insert(session.key); }
  bool has_deferred() const { return !dirty_.empty(); }
  void flush(store::Batch& batch);
  /// The session has a new sending chain: no number of it is reserved yet.
  void forget_reservation(Session& session);
  std::uint64_t last_change() const { return last_change_; }
  void on_persisted(std::uint64_t change);
  /// What was last written of it is on disk.
  bool is_persisted(const Session& session) const { return session.saved_change <= persisted_change_; }

  /// One row of Table::sessions. Errors: storage_corrupt.
  Status load(const store::Row& row);
  /// After the last row. Errors: storage_corrupt.
  Status finish_loading();
  void write_all(store::Batch& batch) const;

  // Queries.

  WallTime next_expiry(WallTime latest) const;
  std::size_t size() const { return sessions_.size(); }
  std::vector<SessionStatus> status() const;
  void check_invariants() const;

 private:
  using Iterator = std::map<SessionKey, Session>::iterator;

  std::pair<Iterator, Iterator> of(const identity::PeerId& peer);
  std::size_t count_of(const identity::PeerId& peer) const;
  const Session* evictable() const;
  void make_room(const identity::PeerId& peer, store::Batch& batch, Effects& out);
  void await(Session& session);
  Status load_skipped(const SessionKey& key, std::uint64_t sequence, ByteView value);

  const identity::PeerId self_;
  const Config& config_;
  std::map<SessionKey, Session> sessions_;
  ClosedSessions closed_;
  std::set<SessionKey> due_;
  std::set<SessionKey> dirty_;
  std::map<std::uint64_t, SessionKey> awaited_;                        ///< by change: who will be confirmed by it
  std::map<SessionKey, std::map<std::uint64_t, MessageKey>> loading_;  ///< skipped keys, until finish_loading()
  std::uint64_t last_change_ = 0;
  std::uint64_t persisted_change_ = 0;
  std::uint64_t last_order_ = 0;
  bool has_marked_ = false;
};

}  // namespace ekiden::session
