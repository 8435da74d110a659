// Whose bytes are read when: strangers wait while somebody of ours wants something.
//
// Inputs: what reading from an address prefix has cost (charge), that somebody of ours wants something (occupy), which
// connection has something to read (admits). Output: whether it is read now, and whose turn it is (next). Timer: the
// next turn.
//
// What a stranger says costs us signatures, key agreements and rows on the disk, and is worth nothing yet to the owner.
// So each prefix (/24, IPv6 /56) has an account of the work that was done for it, in time, and all of them together
// have another. What is written there is paid off by the spare time (flow/spare_time.hpp): slowly while somebody of
// ours is busy, many times as fast otherwise. Who owes more than `spare_burst` waits. Rules, and why:
//   - a new identity buys nothing: the account is that of the prefix, and its connections take turns, one read each;
//   - nothing is refused and nothing is lost: what waits stays in the kernels of both sides, and the sender sees a slow
//     reader. A refusal would cost an honest stranger seconds of pause, and the message if it is volatile;
//   - of the prefixes the one that owes least is next, however many connections each has;
//   - the price is an estimate of what reading costs at most; only the ratio of spare time to it matters.
//
// Attack: a thousand fresh identities that write to strangers, through relays and in mailboxes, and would otherwise
// take so much of the processor that what contacts send comes late.
//
// Bounds: kMaxAccounts, the least recently used out first; a place in a queue for each connection that waits.
// Invariants: a connection waits in one place at most; a prefix is due if some of its connections wait and none has the
// turn.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/lru_map.hpp"
#include "base/time.hpp"
#include "flow/spare_time.hpp"
#include "identity/address.hpp"
#include "link/config.hpp"
#include "link/events.hpp"

namespace ekiden::link {

class Gate {
 public:
  static constexpr std::size_t kMaxAccounts = 4096;

  /// `config` outlives this.
  explicit Gate(const Config& config);

  /// Somebody of ours wants something.
  void occupy(Instant now) { spare_.occupy(now); }
  /// So much work was done for that prefix.
  void charge(Instant now, const identity::AddressPrefix& prefix, Duration work);
  /// Whether this connection, which has something to read, is read now. False: it waits until next() names it.
  bool admits(Instant now, const identity::AddressPrefix& prefix, ConnId conn);
  /// The next one whose turn it is: it is admitted when it asks again. Call until there is none.
  std::optional<ConnId> next(Instant now);
  /// It is gone, or need not wait any more. True if it waited.
  bool forget(const identity::AddressPrefix& prefix, ConnId conn);

  /// When next() has somebody, unless somebody of ours wants something meanwhile.
  std::optional<Instant> deadline(Instant now) const;
  /// Connections.
  std::size_t waiting() const { return waiting_; }
  void check_invariants() const;

 private:
  struct Queue {
    std::deque<ConnId> waiting{};
    std::optional<ConnId> turn{};  ///< it was named and has not asked yet
    Duration due{};                ///< in due_, if some wait and none has the turn
  };
  using Queues = std::map<identity::AddressPrefix, Queue>;

  Duration paid_of(const identity::AddressPrefix& prefix) const;
  bool is_open(Instant now, Duration paid) const;
  void set_due(Queues::iterator queue);
  void drop_if_empty(Queues::iterator queue);

  const Config& config_;
  flow::SpareTime spare_;
  LruMap<identity::AddressPrefix, Duration> paid_{kMaxAccounts};  ///< the spare time that its work was worth, in all
  Duration all_paid_{};
  Queues queues_;
  std::set<std::pair<Duration, identity::AddressPrefix>> due_;
  std::size_t waiting_ = 0;
};

}  // namespace ekiden::link
