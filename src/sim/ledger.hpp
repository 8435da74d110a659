// What the applications of a simulation saw, and what must hold of it: the referee.
//
// Every message that a node accepted, every arrival, every take and every receipt is written down as the applications
// learn of it. The rules are checked at each entry, and at the end:
//   1. Nothing arrives that was not sent: same sender, recipient and body; and nothing that was refused.
//   2. Nothing reaches the application twice: not twice in one run of a node, and never again once its take was
//   answered.
//   3. No receipt without delivery: a sender hears "delivered" only of a message that has arrived, or that has to
//   wait for its turn in its conversation: that one has arrived by the end.
//   4. Nothing accepted is lost: at the end, each accepted durable message that has not expired has arrived.
//   5. Of a blocked host nothing arrives; what it has sent, and was receipted for, is not owed any more. Where owners
//   are asked about strangers, what is receipted may arrive later, and has to by the end.
//   6. What arrives from one host in one run of a node comes in the order of its numbers.
//   7. What is ordered arrives in the order in which it was sent, for each sender and conversation: in one run of a
//   node, and over all of them what arrives for the first time. Only what says that it is late is excepted, and it is.
//   Nothing is told to be missing for which its sender has a receipt, unless its history is too short to tell so after
//   a restart.
// A breach stops the simulation; its text names the message.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "router/router.hpp"
#include "sim/network.hpp"

namespace ekiden::sim {

/// What waits for a recipient should arrive within this time of its return, or of that of the first who has it, if all
/// of them are away at that time.
inline constexpr Duration kSoon = seconds(10);

/// Names one attempt of an application to send: carried in the body of the message.
using SendNumber = std::uint64_t;

class Ledger {
 public:
  struct Entry {
    HostIndex from = 0;
    HostIndex to = 0;
    router::DeliveryClass delivery = router::DeliveryClass::durable;
    Bytes body;
    Instant expires;  ///< no earlier than this by any clock
    std::optional<Instant> accepted;
    std::optional<Instant> arrived;
    std::optional<Instant> receipted;
    std::set<HostIndex> keepers{};  ///< mailboxes that have written it to their disks
    bool has_waited = false;        ///< its recipient has come back since it was accepted, and it had not arrived yet
    std::optional<Instant> due{};   ///< and since when somebody who has it was there as well
    std::optional<std::string> conversation{};  ///< in which it is ordered
    std::size_t copies = 0;                     ///< that mailboxes have kept
    std::size_t path_hops = 0;                  ///< of the path that its receipt proves
    bool refused = false;                       ///< at submission
    bool maybe_taken = false;                   ///< a crash swallowed the answer
    bool taken = false;                         ///< and answered
    std::uint64_t arrived_in_boot = 0;          ///< of the recipient, from 1
  };

  /// The body carries the number, so that an arrival can be told from all others.
  static Bytes make_body(SendNumber number, std::size_t size, Rng& rng);

  SendNumber submit(HostIndex from, HostIndex to, router::DeliveryClass delivery, std::size_t body_size,
                    Instant expires, Rng& rng);
  const std::vector<Entry>& entries() const { return entries_; }
  const Bytes& body_of(SendNumber number) const { return entries_[number].body; }
  /// It is ordered, in this conversation of its sender and recipient.
  void order(SendNumber number, const std::string& conversation);

  void accepted(SendNumber number, const router::MessageId& id, Instant now);
  void refused(SendNumber number) { entries_[number].refused = true; }
  /// Returns the number, or nothing after a breach.
  std::optional<SendNumber> arrived(HostIndex at, std::uint64_t boot, const router::Arrived& message, HostIndex from,
                                    Instant now);
  void taken(SendNumber number);
  /// The node crashed before it answered: the message may come again, or not.
  void take_unanswered(SendNumber number) { entries_[number].maybe_taken = true; }
  /// Questions and their answers are under way beside the messages that are written down here.
  void expect_questions() { has_questions_ = true; }
  /// Owners are asked about strangers.
  void expect_strangers() { has_strangers_ = true; }
  /// This host forgets what became of its messages before the end.
  void expect_forgetful(HostIndex host) { forgetful_.insert(host); }
  /// The owner of `at` has decided to block `from`.
  void blocked(HostIndex at, HostIndex from) { blocked_.emplace(at, from); }
  bool is_blocked(HostIndex at, HostIndex from) const { return blocked_.contains({at, from}); }
  std::size_t blocked_pairs() const { return blocked_.size(); }
  /// The node of `host` runs, again or for the first time: what is owed to it, and what it has for others, should
  /// arrive soon.
  void came(HostIndex host, Instant now);
  void went(HostIndex host) { present_.erase(host); }
  void state_changed(HostIndex at, const router::MessageId& id, router::MessageState state, Instant now);

  /// Rule 4, and that each delivered message was receipted.
  void check_end(Instant now);
  /// True once nothing is owed any more: all accepted durable messages have arrived, are taken and receipted, or
  /// expired.
  bool settled(Instant now) const;

  const std::vector<std::string>& breaches() const { return breaches_; }
  void breach(std::string what);

  /// The mailbox of `by` has written this message to its disk.
  void kept(HostIndex by, const router::MessageId& id, Instant now);
  /// A receipt proves that so many nodes handed a message on, its sender included.
  void relayed(const router::MessageId& id, std::size_t hops);

  struct Totals {
    std::uint64_t submitted = 0, accepted = 0, arrived = 0, taken = 0, receipted = 0, expired = 0, refused = 0;
    std::uint64_t durable_accepted = 0, durable_arrived = 0;
    std::uint64_t relayed = 0, hops = 0;      ///< messages with a proven path, and its nodes together
    std::uint64_t deposited = 0, copies = 0;  ///< messages that mailboxes kept, and how often together
    /// Bytes of the bodies that arrived, each as often as there are hops on its ways: one where it came by a link,
    /// those of the path that its receipt proves, and two for each copy that a mailbox kept.
    std::uint64_t hop_bytes = 0;
    Duration latency_median{}, latency_p99{};  ///< accepted to arrived
    std::uint64_t awaited = 0;       ///< durable messages that waited for their recipient to come back, and arrived
    std::uint64_t awaited_soon = 0;  ///< of those, within kSoon of the moment since when it and a holder were there
    Duration return_median{}, return_p99{};  ///< of those, from that moment to the arrival
  };
  Totals totals(Instant now) const;

 private:
  std::string describe(SendNumber number) const;
  void note_due(Entry& entry, Instant now) const;
  void check_numbers(HostIndex at, HostIndex from, std::uint64_t boot, std::uint64_t number);
  void check_order(SendNumber number, std::uint64_t boot, const router::Arrived& message);

  std::vector<Entry> entries_;
  std::map<router::MessageId, SendNumber> by_id_;
  std::vector<std::string> breaches_;
  std::map<router::MessageId, std::uint32_t> copies_;
  std::set<HostIndex> present_;  ///< whose nodes run
  std::uint64_t relayed_ = 0;
  std::uint64_t hops_ = 0;
  std::map<router::MessageId, Instant> early_receipts_;  ///< of messages whose sender crashed before it could say so
  bool has_questions_ = false;
  bool has_strangers_ = false;
  std::set<HostIndex> forgetful_;
  std::set<std::pair<HostIndex, HostIndex>> blocked_;  ///< recipient and sender
  struct Last {
    std::uint64_t boot = 0;
    std::uint64_t number = 0;
  };
  std::map<std::pair<HostIndex, HostIndex>, Last> last_;  ///< arrival of durable messages
  struct Stream {
    std::vector<SendNumber> sent;
    std::uint64_t boot = 0;
    SendNumber last_of_boot = 0;
    std::optional<SendNumber> last;  ///< in all runs
  };
  std::map<std::tuple<HostIndex, HostIndex, std::string>, Stream> streams_;  ///< sender, recipient, conversation
};

}  // namespace ekiden::sim
