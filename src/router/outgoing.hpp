// One message of ours that is not settled, and what is kept for each peer we send to. Plain values; the rules are in
// router/outbox.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "router/conversations.hpp"
#include "router/router.hpp"
#include "router/steps.hpp"

namespace ekiden::router {

/// Where a message is on its way out.
///
///   queued --room in the flight--> sealing --sealed--> writing --persisted--> out --receipt--> (settled)
///     ^                               |                                        |
///     +-------- cannot be sealed -----+<--- its time to be tried again --- stale (refused, or its session is gone)
///
///
/// Without a link, but with a route (Recipient::routed), messages go through relays instead. Without a link for a while
/// (Recipient::absent) they are sealed, too, and left with mailboxes in stage `out`; so are those that went through
/// relays and brought no receipt. Volatile messages wait in `queued` for a link or a route and are settled as soon as
/// they are transmitted.
enum class Stage : std::uint8_t {
  queued,
  sealing,  ///< the session engine has been asked
  writing,  ///< sealed; what it has to wait for is being persisted
  out,      ///< may be transmitted, any number of times, while the process lives
  stale,    ///< in flight, but the sealed bytes are of no use any more
};

struct Outgoing {
  std::uint64_t number = 0;  ///< local: order of acceptance, key of the row
  MessageId id{};
  identity::PeerId to{};
  std::uint64_t sequence = 0;  ///< 0: volatile
  WallTime accepted{};
  WallTime expires{};
  wire::Priority priority = wire::Priority::normal;
  DeliveryClass delivery = DeliveryClass::durable;
  std::string type{};
  std::string content_type{};
  std::optional<MessageId> in_reply_to{};
  std::optional<crypto::Digest> digest{};  ///< of the content, if the caller chose the id
  Bytes body{};
  std::optional<Exchange> exchange{};
  std::optional<Order> order{};
  Conversations::Chain* chain = nullptr;  ///< if it is ordered
  wire::Priority rank{};                  ///< what it is sealed by: its priority, or a lower one of its conversation

  Stage stage = Stage::queued;
  bool stored = false;                  ///< its row is persisted: accepted
  store::PersistToken row_token{};      ///< the batch with its row
  store::PersistToken send_token{};     ///< what must be persisted before `wire` leaves (stages sealing and writing)
  std::shared_ptr<const Bytes> wire{};  ///< the link message, once sealed
  Instant next_try{};                   ///< stages out and stale, over a link that is up
  std::uint32_t attempts = 0;
  bool announced_in_flight = false;
  Instant deposit_due{};                    ///< when it is left with mailboxes, if the peer is absent then
  std::uint32_t deposited = 0;              ///< how often it was
  std::vector<StoredAt> kept_at{};          ///< the mailboxes that keep it, as in Table::deposits
  std::optional<identity::PeerId> relay{};  ///< that has taken it last
  std::vector<RequestId> waiters{};         ///< whom to tell that it is accepted
  Steps steps{};

  bool is_durable() const { return delivery == DeliveryClass::durable; }
  bool in_flight() const { return is_durable() && stage != Stage::queued; }
  /// What the quotas count.
  std::size_t size() const {
    return body.size() + type.size() + content_type.size() + (order ? order->conversation.size() : 0);
  }
  MessageState state() const { return announced_in_flight ? MessageState::in_flight : MessageState::queued; }
};

/// Highest priority first, then in the order of acceptance.
using QueueKey = std::pair<wire::Priority, std::uint64_t>;
inline QueueKey queue_key(const Outgoing& message) { return {message.rank, message.number}; }

/// A peer we have something for, or a link to.
struct Recipient {
  bool up = false;
  bool routed = false;      ///< there is a route: without a link, messages go through relays
  bool absent = false;      ///< without a link for `deposit_after`: messages go to mailboxes
  bool wanted = false;      ///< Connect{true} was said
  bool unsealable = false;  ///< until the link comes up again or the retry timer fires
  std::string unreachable;  ///< why the last attempt at a link failed; empty once there is one
  WallTime unreachable_at;
  Instant hold_until;        ///< nothing new is sealed before: the peer refuses
  Instant unwanted_until{};  ///< it wants nothing of us: nothing is sent before, but for one message with a new link
  Instant idle_since;
  WallTime unopened_at{};      ///< what it said last of messages that it could not open, by its clock
  std::uint32_t failures = 0;  ///< rounds of retries without a receipt
  Duration interval{};         ///< until an unanswered message is sent again; grows with `failures`
  std::uint64_t last_sequence = 0;
  std::size_t messages = 0;            ///< of both classes
  store::PersistToken sealed_until{};  ///< the last that a sealed durable message has waited for
  std::size_t flight_bytes = 0;
  std::map<QueueKey, Outgoing*> queued;       ///< durable, stage queued
  std::map<QueueKey, Outgoing*> waiting;      ///< volatile, stage queued
  std::map<std::uint64_t, Outgoing*> flight;  ///< durable, by number, all other stages
  std::set<std::uint64_t> unsettled;          ///< sequences of durable messages; the first is the floor
};

}  // namespace ekiden::router
