// The sessions of a node: found by our index, for what arrives, or by the node that they lead to, for what is asked;
// and in the order of their use, for who makes room.
//
// Bounds: `max_sessions`, about 300 bytes each with what finds it. The indexes are sorted arrays, for there are
// hundreds of sessions at most and a node may hold all of them for hours: a tree costs more than half of a session
// again, and its nodes lie anywhere.
// Costs: find O(log n); put and erase move up to n entries of 16 bytes, nothing beside the handshake that they belong
// to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "crypto/keys.hpp"
#include "datagram/session.hpp"

namespace ekiden::datagram {

class SessionTable {
 public:
  explicit SessionTable(std::size_t max_sessions) : max_(max_sessions) {}

  /// Marked as just used; nullptr if there is none. Valid until it is erased.
  Session* find(Index index);
  /// Without marking it.
  const Session* peek(Index index) const;

  /// Takes it in; the session used longest ago makes room. REQUIRES: no session has its index.
  Session& put(Session session);
  void erase(Index index);

  /// Queries to its node go through this session from now on. REQUIRES: it is in this table.
  void prefer(Session& session);
  /// The preferred session to a node, marked as just used; nullptr if there is none.
  Session* to(const crypto::Ed25519PublicKey& node);

  /// Whether queries to its node go through it.
  bool is_preferred(const Session& session) const;

  std::size_t size() const { return order_.size(); }
  std::size_t preferred_count() const { return preferred_.size(); }
  /// REQUIRES: not empty.
  const Session& oldest() const { return order_.back(); }
  /// Most recently used first.
  auto begin() const { return order_.begin(); }
  auto end() const { return order_.end(); }

  void check_invariants() const;

 private:
  using Place = std::list<Session>::iterator;
  struct Entry {
    Index index;
    Place place;
  };

  /// The key of a node is as random as any hash: its first bytes find it without a look at other sessions.
  struct Preferred {
    std::uint64_t start;
    Place place;
  };
  static std::uint64_t start_of(const crypto::Ed25519PublicKey& node) { return get_be<std::uint64_t>(node.view()); }
  static bool is_before(const Preferred& entry, const crypto::Ed25519PublicKey& node);

  std::vector<Entry>::const_iterator lower_bound(Index index) const;
  std::vector<Preferred>::const_iterator lower_bound(const crypto::Ed25519PublicKey& node) const;
  bool leads_to(std::vector<Preferred>::const_iterator entry, const crypto::Ed25519PublicKey& node) const;
  Session* use(Place place);

  std::size_t max_;
  std::list<Session> order_;
  std::vector<Entry> by_index_;
  std::vector<Preferred> preferred_;  ///< By the key of the node.
};

}  // namespace ekiden::datagram
