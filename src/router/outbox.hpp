// The sender's side: accepts messages, keeps them on disk until they are settled, and sees to it that they are sent.
//
// Inputs: submit; sealed / unsealable / session lost from the session engine; links up, down and choked; receipts and
// refusals (already parsed and verified, router/receipts.hpp); persisted; time. Outputs: Seal, Persist, Transmit,
// Connect, Submitted, StateChanged.
//
// Timers:
//   retry, per peer: set while something is in flight over a link that is up, or while the peer asked us to wait; with
//     mailboxes also while there is no link: until the peer counts as absent, then for what is to be deposited again.
//     Each message has its own next attempt; the timer is not later than the earliest. Intervals double with each round
//     that brings no receipt, from retry_min to retry_max, plus up to a quarter of jitter (so that peers that lost the
//     same server do not come back in step); any receipt starts them afresh.
//   expiry: by the wall clock, looked at when the earliest message expires but at least once a minute. Expiry times are
//     wall times and timers are monotonic; the distance between the two is measured anew each minute, so a wall clock
//     that steps makes a message expire at most a minute late, and never before the wall clock says so.
//   linger, per peer: Connect{false} follows when nothing was left to send for connect_linger.
//
// Bounds: quotas by count and bytes in total and by count for each peer, volatile messages by count and bytes;
// `max_in_flight` messages and `max_in_flight_bytes` sealed for each peer (the first always fits); a link that comes up
// retransmits at most one flight.
//
// Invariants: a durable message is in `queued` or in `flight` of its recipient, never both; its sequence is in
// `unsettled` until it is settled; the floor that a message tells is persisted before the message leaves (everything
// below is erased by an earlier batch); bytes and counts equal the sums over the messages.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/rng.hpp"
#include "router/conversations.hpp"
#include "router/history.hpp"
#include "router/journal.hpp"
#include "router/outgoing.hpp"

namespace ekiden::router {

inline constexpr std::size_t kMaxVolatileBytes = 8 << 20;  ///< waiting in memory, over all peers
inline constexpr std::size_t kMaxWhy = 512;                ///< of an error kept for traces
inline constexpr std::size_t kMaxWaiters = 16;             ///< requests that wait for one message to be accepted

class Sender {
 public:
  Sender(const identity::PeerId& self, const Config& config, Rng rng, Journal& journal, Counters& counters)
      : self_(self),
        config_(config),
        rng_(std::move(rng)),
        journal_(journal),
        counters_(counters),
        conversations_(config.max_conversations),
        history_(config.max_history),
        recent_volatile_(kMaxRecentVolatile) {}

  /// Rows of Table::outbox and Table::history, ascending. Errors: storage_corrupt.
  Status load_outbox(std::uint64_t number, ByteView value);
  /// After the outbox: rows of Table::deposits.
  Status load_deposits(std::uint64_t number, ByteView value);
  /// After the outbox.
  Status load_history(std::uint64_t number, ByteView value);
  /// Call after the counters have started.
  void start(Now now, Effects& out);

  void submit(Now now, RequestId request, Draft draft, const Status& storage, Effects& out);
  void retry_now(Now now, const identity::PeerId& to, Effects& out);

  void on_sealed(Now now, const MessageId& id, Bytes sealed, bool must_persist, store::Batch changes, Effects& out);
  void on_unsealable(Now now, const MessageId& id, const Error& why);
  void on_session_lost(Now now, const identity::PeerId& to, Effects& out);

  void on_stored(Now now, const MessageId& id, const StoredAt& stored, Effects& out);
  void on_route(Now now, const identity::PeerId& to, bool up, Effects& out);
  void on_handed_on(Now now, const MessageId& id, const identity::PeerId& by);
  void on_returned(Now now, const MessageId& id);
  void on_record(Now now, const identity::PeerId& to, Effects& out);

  void on_link_up(Now now, const identity::PeerId& to, Effects& out);
  void on_link_down(Now now, const identity::PeerId& to);
  void on_unreachable(Now now, const identity::PeerId& to, const Error& why);
  void on_transmit_failed(Now now, const identity::PeerId& to);

  /// `receipt` is verified. Ids that are not ours to that peer are passed over.
  void on_receipt(Now now, const identity::PeerId& by, ByteView cose, const Receipt& receipt, Effects& out);
  /// It cannot open or place these as they were sealed; it says so `at` its time. What is older than that is a
  /// repetition.
  void on_unopened(Now now, const identity::PeerId& by, WallTime at, const std::vector<MessageId>& messages);
  void on_refusal(Now now, const identity::PeerId& by, const Refusal& refusal);

  /// Something that this message waited for is persisted.
  void on_persisted(Now now, const MessageId& id, Effects& out);

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Effects& out);

  std::optional<Trace> trace(const MessageId& id) const;
  std::vector<Trace> newest(std::size_t limit, const OutgoingFilter& filter) const;
  void add_status(RouterStatus& status) const;
  void check_invariants() const;

 private:
  static constexpr std::size_t kMaxRecentVolatile = 1024;

  using Recipients = std::map<identity::PeerId, Recipient>;
  using Group = std::vector<HistoryEntry>;

  // outbox.cpp: from acceptance to the end.
  Status check_quotas(const Draft& draft) const;
  bool answer_known(RequestId request, const Draft& draft, const std::optional<crypto::Digest>& digest, Effects& out);
  Outgoing& insert(Outgoing message);
  Recipient& recipient(const identity::PeerId& to);
  void want(const identity::PeerId& to, Recipient& peer, Effects& out);
  void write_row(Outgoing& message, Effects& out);
  void watch_expiry(Now now, WallTime expires);
  HistoryEntry settle(Now now, Outgoing& message, MessageState state, store::Batch& batch, Effects& out);
  void record(Now now, const identity::PeerId& peer, ByteView receipt, Group group, store::Batch& batch);
  void expire(Now now, Effects& out);
  void release(Now now, const identity::PeerId& to);
  void on_linger(Now now, const identity::PeerId& to, Effects& out);
  void forget_if_unused(Recipients::iterator peer);

  // outbox_view.cpp: queries.
  Trace describe(const Outgoing& message) const;
  void check_message(const Outgoing& message) const;

  // flight.cpp: sealing, transmitting, trying again.
  bool has_room(const Recipient& peer, const Outgoing& next) const;
  void pump(Now now, Recipient& peer, Effects& out);
  static std::optional<Order> order_now(const Outgoing& message, const Recipient& peer);
  void request_seal(Outgoing& message, const Recipient& peer, Effects& out);
  void transmit(Now now, Outgoing& message, Recipient& peer, Effects& out);
  void resend(Now now, Outgoing& message, Recipient& peer, Effects& out);
  void on_volatile_sealed(Now now, Outgoing& message, bool must_persist, store::Batch changes, Effects& out);
  void finish_volatile(Now now, Outgoing& message, MessageState state, Effects& out);
  void return_to_queue(Outgoing& message, Recipient& peer);
  void set_failures(Recipient& peer, std::uint32_t failures);
  void on_life_sign(Now now, const identity::PeerId& to, Recipient& peer);
  // unwanted.cpp: peers that refuse us.
  void on_unwanted(Now now, const identity::PeerId& by, Recipient& peer, const Refusal& refusal);
  void end_unwanted(Now now, const identity::PeerId& by, Recipient& peer);
  // deposits.cpp: peers without a link.
  void await_link(Now now, const identity::PeerId& to, Recipient& peer);
  void deposit(Now now, Outgoing& message, Effects& out);
  void resume_deposits(Now now);
  static bool is_reachable(const Recipient& peer) { return peer.up || peer.routed || peer.absent; }
  Instant next_time(const Outgoing& message, const Recipient& peer) const {
    if (peer.up) return message.next_try;
    if (!peer.routed) return message.deposit_due;
    return config_.mailboxes ? std::min(message.next_try, message.deposit_due) : message.next_try;
  }
  // relayed.cpp: peers with a route.
  void forward(Now now, Outgoing& message, Recipient& peer, Effects& out);

  void arm(Now now, const identity::PeerId& to, Recipient& peer);
  void on_retry(Now now, const identity::PeerId& to, Recipient& peer, Effects& out);

  const identity::PeerId self_;
  const Config& config_;
  Rng rng_;
  Journal& journal_;
  Counters& counters_;

  std::map<MessageId, Outgoing> messages_;
  std::map<std::pair<WallTime, std::uint64_t>, Outgoing*> by_expiry_;
  Recipients recipients_;
  DeadlineMap<identity::PeerId> retry_;
  DeadlineMap<identity::PeerId> linger_;
  std::optional<Instant> expiry_at_;
  std::map<std::uint64_t, Outgoing*> loaded_;  ///< by number, until start()
  std::uint64_t next_number_ = 1;
  std::uint64_t first_sequence_ = 0;  ///< recipients not in `recipients_` have used none above

  std::size_t durable_messages_ = 0;
  std::size_t durable_bytes_ = 0;
  std::size_t volatile_messages_ = 0;
  std::size_t volatile_bytes_ = 0;

  std::uint64_t accepted_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t expired_ = 0;
  std::uint64_t retransmitted_ = 0;

  Conversations conversations_;
  History history_;
  History recent_volatile_;
};

}  // namespace ekiden::router
