// Who may use how much of the inbox: the shares of senders, and the pool that all strangers have together.
//
// A sender is a stranger, a contact (the owner has named it) or a trusted contact. Rules, for messages not taken, their
// bytes and the remembered sequences:
//   - a sender may use no more than is still free, so that a few greedy ones end with like shares; only a trusted one
//   may
//     use all that is free, and more bytes than the bound for one sender;
//   - strangers together use at most one part in `stranger_share` of each total, and share that pool by the same rule.
// Rationale: an identity costs nothing. Twenty strangers that come one after another each take half of what is free and
// leave nothing to anybody after them; what they can take is the pool, and contacts have all the rest.
//
// The places for senders are counted in the same way, without shares: each sender has one.
//
// A plain value: the receiver says who uses what and whose tier has changed. Bounds: none of its own. A contact that
// becomes a stranger takes along what it uses, so the pool may be over its bound until that is taken or forgotten; the
// totals never are. Invariant: the strangers' use is part of the total.
#pragma once

#include <cstddef>
#include <optional>

#include "router/envelope.hpp"
#include "router/router.hpp"

namespace ekiden::router {

using Tier = identity::TrustTier;

/// What one sender uses of the inbox, or many together.
struct Use {
  std::size_t senders = 0;
  std::size_t remembered = 0;  ///< sequences in the windows
  std::size_t messages = 0;    ///< not taken
  std::size_t bytes = 0;       ///< of those

  Use& operator+=(const Use& more);
  /// REQUIRES: no part of `less` is larger than ours.
  Use& operator-=(const Use& less);
  friend bool operator==(const Use&, const Use&) = default;
};

class Pools {
 public:
  /// Why there is no room, in the words of the refusal; nothing if there is.
  using Refused = std::optional<Refusal::Reason>;

  explicit Pools(const Config& config);

  void add(Tier tier, const Use& use);
  void remove(Tier tier, const Use& use);

  /// For one more message of `size` bytes of a sender that uses `own`.
  Refused check_message(Tier tier, const Use& own, std::size_t size) const;
  /// For one more remembered sequence.
  Refused check_sequence(Tier tier, const Use& own) const;
  /// For one more sender.
  Refused check_sender(Tier tier) const;

  const Use& all() const { return all_; }
  const Use& strangers() const { return strangers_; }

 private:
  const Use max_;            ///< of all
  const Use max_strangers_;  ///< the pool
  const std::size_t max_bytes_per_sender_;
  Use all_;
  Use strangers_;
};

}  // namespace ekiden::router
