// Sessions that peers had started and that are over: their first messages must not start them again.
//
// Attack: whoever recorded the first message of a session sends it again after the session has gone (expired, replaced,
// reset). As long as the prekey in it exists the message would verify, and a volatile message would be delivered twice.
//
// Inputs: add (a session was closed), forget (a prekey was erased, and with it the danger), rows. Outputs: rows of
// Table::sessions. Timers: none.
//
// Bounds: `max` in all and kMaxClosedPerPeer for a peer; over them the oldest is dropped, first of that peer. A peer
// that opens many sessions pushes out its own.
#pragma once

#include <cstdint>
#include <map>

#include "base/result.hpp"
#include "session/rows.hpp"
#include "store/batch.hpp"

namespace ekiden::session {

inline constexpr std::size_t kMaxClosedPerPeer = 64;

class ClosedSessions {
 public:
  explicit ClosedSessions(std::size_t max) : max_(max) {}

  /// `prekey` is ours that the session was made with; `order` grows from call to call.
  void add(const SessionKey& key, std::uint32_t prekey, std::uint64_t order, store::Batch& batch);
  bool contains(const SessionKey& key) const { return entries_.contains(key); }
  void forget(std::uint32_t prekey, store::Batch& batch);

  /// Errors: storage_corrupt.
  Status load(const SessionKey& key, ByteView value);
  void write_all(store::Batch& batch) const;

  std::size_t size() const { return entries_.size(); }
  /// The highest order there is.
  std::uint64_t last_order() const { return by_order_.empty() ? 0 : by_order_.rbegin()->first; }
  void check_invariants() const;

 private:
  struct Entry {
    std::uint32_t prekey;
    std::uint64_t order;
  };
  using Iterator = std::map<SessionKey, Entry>::iterator;

  Iterator drop(Iterator entry, store::Batch& batch);
  void make_room(const identity::PeerId& peer, store::Batch& batch);

  std::size_t max_;
  std::map<SessionKey, Entry> entries_;
  std::map<std::uint64_t, SessionKey> by_order_;
};

}  // namespace ekiden::session
