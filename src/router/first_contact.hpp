// Where this node stands with each peer: whom its owner has named, to whom it has written, whom it refuses.
//
// Inputs: tiers (told by the node, from the contact book), what is written to whom, block and unblock, load. Outputs:
// rows of Table::standings in the caller's batch; answers to the receiver, which asks about every message.
//
// Rules, and why:
//  1. Messages of a peer that the owner has neither named nor written to wait until the owner says who that is
//     (Config::strangers). Whoever writes first has consented to an answer; an identity costs nothing, so a stranger's
//     words reach no application by themselves.
//  2. A request (router/envelope.hpp, Exchange) is no first contact: only what is offered to everybody is answered. And
//     answering one is no consent to be written to.
//  3. A blocked peer is refused everything, contact or not. Being blocked and being named are two things: who is
//     unblocked is again what he was in the contact book.
//
// What was written to whom is remembered in one row for each peer that is no contact, written once and not for each
// message. Bounds: kMaxWritten of those, the oldest forgotten; kMaxBlocked, after which block() refuses. The caller
// bounds the contacts. Invariant: a peer has one standing; those written to are in `by_age_`, too.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "identity/contact.hpp"
#include "identity/peer_id.hpp"
#include "router/router.hpp"
#include "store/batch.hpp"

namespace ekiden::router {

inline constexpr std::size_t kMaxWritten = 16'384;
inline constexpr std::size_t kMaxBlocked = 16'384;

/// Of Table::standings, named by the peer.
struct StandingRow {
  static constexpr std::string_view kName = "standing row";
  enum class Kind : std::uint8_t { written = 0, blocked = 1 };
  Kind kind = Kind::written;
  WallTime since;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("kind", &StandingRow::kind, wire::max_enum(Kind::blocked)),
                   wire::field<2>("since", &StandingRow::since));
  friend bool operator==(const StandingRow&, const StandingRow&) = default;
};

class Standings {
 public:
  /// Errors: storage_corrupt.
  Status load_row(ByteView name, ByteView value);

  /// A stranger is who was named by nobody.
  void set_tier(const identity::PeerId& peer, identity::TrustTier tier);
  identity::TrustTier tier_of(const identity::PeerId& peer) const;

  bool is_blocked(const identity::PeerId& peer) const;
  /// Named, or written to.
  bool is_known(const identity::PeerId& peer) const;

  /// Those whose standing has changed: the peer, if that makes it known, and who is forgotten for it. The rows are in
  /// `batch`.
  std::vector<identity::PeerId> write_to(Now now, const identity::PeerId& peer, store::Batch& batch);

  /// Who is blocked already stays so. Errors: limit_exceeded.
  Status block(Now now, const identity::PeerId& peer, store::Batch& batch);
  /// Errors: not_found.
  Status unblock(const identity::PeerId& peer, store::Batch& batch);

  /// In the order of ids.
  std::vector<Blocked> blocked() const;

  void check_invariants() const;

 private:
  void put(const identity::PeerId& peer, const StandingRow& row);

  std::map<identity::PeerId, identity::TrustTier> named_;  ///< contact or trusted
  std::map<identity::PeerId, StandingRow> rows_;
  std::set<std::pair<WallTime, identity::PeerId>> by_age_;  ///< those written to
};

}  // namespace ekiden::router
