// Outbox, inbox and receipts: a message accepted here is delivered once, or its sender is told why not.
//
// Inputs: submit (the application sends), take (the application has what it read), envelopes, receipts and refusals
// from links, what the session engine sealed or opened, links up and down, persisted. Outputs: Seal and Open requests
// for the session engine, Persist, Transmit, Connect, answers and events for the application. Timers: retry, expiry,
// connect release.
//
// The life of a durable message. At the sender: submitted -> accepted (row in the outbox persisted, answered) -> in
// flight (sealed, session state persisted, transmitted) -> delivered (the recipient's signed receipt verified) or
// expired. At the recipient: opened -> row in the inbox persisted together with the session state -> receipt and
// arrival -> taken by the application.
//
// Rules, and why:
//  1. Nothing is acknowledged before it is persisted: neither acceptance nor receipt.
//  2. At most `max_in_flight` messages per peer are sealed and not receipted. They are sealed when they enter the
//     flight, highest priority first; the same sealed bytes are sent again while the process lives. (The recipient's
//     bound on skipped keys is never reached by reordering; after a crash the message is sealed anew under fresh keys.)
//  3. Deduplication does not rest on sessions: each sender numbers its messages to each recipient; the recipient keeps
//     the set of received numbers above the sender's floor, on disk, and forgets what the floor has passed. (Survives
//     restarts, session resets and replays, in memory bounded by `max_window`.) See router/inbox.hpp.
//  4. A repeated message is answered with its receipt again: the first may have been lost.
//  5. A receipt settles a message only if its signature is that of the recipient, it names us, and the message is ours
//     to that recipient. A refusal only delays.
//  6. Retries back off exponentially with jitter, from `retry_min` to `retry_max`, and end with the message's expiry.
//     See router/outbox.hpp.
//  7. Quotas are checked before acceptance and a refusal says which one; what was accepted is never evicted.
//  8. A sender uses no more of the inbox than is still free, and all strangers together no more than one part in
//     `stranger_share` of it. (However many strangers fill it, contacts find room.) See router/pools.hpp.
//  9. Messages to a peer without a link for `deposit_after` are sealed all the same and left with mailboxes (Deposit),
//     again after `deposit_again` as long as no receipt has come: copies die with their mailbox. They stay in the
//     flight, so rule 2 bounds them. What mailboxes keep is remembered on disk: a restart neither seals nor leaves it
//     anew before its time.
// 10. What strangers write waits until the owner says who they are, if `strangers` says so; it is on disk and receipted
//     like everything else, and reaches the application in order once they are known. What blocked peers send is
//     refused. See router/first_contact.hpp.
// 11. Durable messages that belong to no question are announced in the order in which they were accepted, for each
// sender
//     and conversation, unless they are marked as unordered. One that comes too early waits, on disk and receipted,
//     until those before it have come, or are settled at the sender, or their time is over; then the gap is told. See
//     router/conversations.hpp for the sender's part and router/inbox_order.cpp for the recipient's.
//
// Volatile messages live in memory: transmitted once when a link is up, dropped at expiry, no receipt, no inbox: their
// Arrival has the number 0 and cannot be taken.
//
// Time: expiry follows the wall clock, wherever it is set; everything else is monotonic. A wall clock that steps makes
// a message expire at most a minute late, and never before the clock says so.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/outbox.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "identity/contact.hpp"
#include "identity/identity.hpp"
#include "identity/peer_id.hpp"
#include "router/envelope.hpp"
#include "router/strangers.hpp"
#include "router/trace.hpp"
#include "store/batch.hpp"

namespace ekiden::router {

/// Names a request of the application, so that its answer finds it. The driver chooses it.
enum class RequestId : std::uint64_t {};

/// What an application asks to send.
struct Draft {
  identity::PeerId to;
  std::string type;
  std::string content_type;
  std::optional<MessageId> in_reply_to;
  std::optional<MessageId> id;  ///< chosen by the caller to make sending idempotent; otherwise random
  Bytes body;
  Duration ttl = hours(24 * 7);
  wire::Priority priority = wire::Priority::normal;
  DeliveryClass delivery = DeliveryClass::durable;
  std::optional<Exchange> exchange = {};
  bool unordered = false;         ///< durable messages are ordered in their conversation, unless they say so
  std::string conversation = {};  ///< of ordered messages; "" is the unnamed one
};

/// A message in the inbox. Immutable once made, shared between the engine and the application.
struct Arrived {
  std::uint64_t number = 0;  ///< local, increasing with gaps: the order of announcement; 0: volatile
  MessageId id;
  identity::PeerId from;
  WallTime sent;
  WallTime received;
  WallTime expires;
  wire::Priority priority = wire::Priority::normal;
  DeliveryClass delivery = DeliveryClass::durable;
  std::string type;
  std::string content_type;
  std::optional<MessageId> in_reply_to;
  Bytes body;
  std::optional<Exchange> exchange = {};
  std::optional<Order> order = {};
  std::uint64_t missing = 0;  ///< so many before it in its conversation are given up, as far as can be told
  bool late = false;          ///< later ones of its conversation were announced, and it was missing
};
using ArrivedPtr = std::shared_ptr<const Arrived>;

/// Which messages of the inbox. As it is made: all of them.
struct InboxFilter {
  bool messages = true;  ///< those that belong to no question
  bool requests = true;
  bool replies = true;  ///< and failures
  std::optional<identity::PeerId> from = {};
  std::optional<std::string> type = {};
  std::optional<WallTime> since = {};  ///< received then or later

  bool matches(const Arrived& message) const;
};

// Effects.

/// Seal this for `to` and call on_sealed; on_unsealable if it cannot be now (no record of the peer yet).
struct Seal {
  MessageId message;
  identity::PeerId to;
  DeliveryClass delivery;
  Bytes associated;
  Bytes plaintext;
};
/// Open this; call on_opened, on_duplicate or on_no_session, or nothing if it cannot be opened.
struct Open {
  Envelope envelope;  ///< `sealed` points into `buffer`
  std::shared_ptr<const Bytes> buffer;
  bool from_mailbox = false;  ///< and not from a link of the sender: who brought it may have made it up
};
/// Leave this with mailboxes of `to`, which cannot be reached; call on_stored for each that takes it. It may end
/// before, as StateChanged tells.
struct Deposit {
  MessageId id;
  identity::PeerId to;
  WallTime expires;
  wire::Priority priority;
  std::shared_ptr<const Bytes> message;  ///< a Transmit's
};
/// Leave this receipt with mailboxes of `to`, whose messages came from there.
struct DepositReceipt {
  identity::PeerId to;
  Bytes receipt;  ///< COSE_Sign1
};
/// Send this through relays to `to`, to whom there is a route.
struct Forward {
  MessageId id;
  identity::PeerId to;
  WallTime expires;
  wire::Priority priority;
  DeliveryClass delivery;
  std::shared_ptr<const Bytes> message;  ///< a Transmit's
};
/// Send this receipt through relays to `to`, whose messages came that way.
struct ForwardReceipt {
  identity::PeerId to;
  std::shared_ptr<const Bytes> receipt;  ///< COSE_Sign1
};
/// The answer to on_parcel(), and to on_routed() for durable messages.
struct ParcelSettled {
  identity::PeerId from;
  MessageId id;
  bool done = false;  ///< it is on our disk, or of no use; otherwise it is to be brought again later
};
/// A peer to whom we have no link has signed that it does not have these sessions.
struct SessionsLost {
  identity::PeerId peer;
  std::vector<Uuid> sessions;
};
struct Persist {
  store::Batch batch;
  store::PersistToken token;  ///< on_persisted wants it
};
/// Send this to the neighbour: type and body of one link message.
struct Transmit {
  identity::PeerId to;
  wire::Priority priority;
  std::shared_ptr<const Bytes> message;  ///< type byte and CBOR; never null
};
/// A link to this peer is wanted, or no longer (idle for `connect_linger`).
struct Connect {
  identity::PeerId peer;
  bool wanted = true;
};
/// The answer to submit().
struct Submitted {
  RequestId request;
  Result<MessageId> result;
};
/// The answer to take().
struct Taken {
  RequestId request;
  Status result;
};
/// A message for the application. Durable ones stay in the inbox until taken.
struct Arrival {
  ArrivedPtr message;
};
/// An outgoing message has changed state.
struct StateChanged {
  MessageId id;
  identity::PeerId to;
  MessageState state;
};

struct Config {
  std::size_t max_outbox_messages = 65'536;
  std::size_t max_outbox_bytes = 128 << 20;
  std::size_t max_outbox_messages_per_peer = 32'768;
  std::size_t max_inbox_messages = 65'536;
  std::size_t max_inbox_bytes = 128 << 20;
  std::size_t max_inbox_bytes_per_peer = 64 << 20;
  std::size_t max_volatile = 8'192;  ///< waiting in memory for a link
  std::size_t max_in_flight = 256;   ///< per peer
  std::size_t max_in_flight_bytes = 2 << 20;
  std::size_t max_window = 65'536;    ///< numbers above the floor, per sender
  std::size_t max_windows = 262'144;  ///< the same, over all senders
  std::size_t max_senders = 16'384;
  std::size_t stranger_share = 4;  ///< strangers together use one part in this of what the inbox has; not 0
  Strangers strangers = Strangers::queue;
  std::size_t max_first_messages = 64;  ///< that wait, of one stranger
  std::size_t max_first_bytes = 1 << 20;
  std::size_t max_waiting_strangers = 1'024;
  std::size_t max_conversations = 64;  ///< per peer: with messages under way, and remembered of a sender
  std::size_t max_history = 10'000;    ///< settled messages that trace() still knows
  Duration retry_min = seconds(2);     ///< without receipt over a link that is up
  Duration retry_max = minutes(10);
  Duration connect_linger = seconds(60);
  Duration clock_skew = minutes(10);     ///< how far expiry may be behind and still be taken
  bool mailboxes = false;                ///< messages to peers that cannot be reached are left with others …
  Duration deposit_after = seconds(3);   ///< … when there was no link for so long …
  Duration deposit_again = minutes(30);  ///< … and again, for mailboxes die
};

struct RouterStatus {
  std::size_t outbox_messages = 0;
  std::size_t outbox_bytes = 0;
  std::size_t in_flight = 0;
  std::size_t inbox_messages = 0;  ///< not taken yet
  std::size_t inbox_bytes = 0;
  std::size_t waiting_strangers = 0;
  std::size_t waiting_messages = 0;  ///< of those: part of inbox_messages
  std::uint64_t accepted = 0;        ///< since start, as are the next
  std::uint64_t delivered = 0;
  std::uint64_t expired = 0;
  std::uint64_t received = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t retransmitted = 0;
  std::uint64_t refused = 0;
};

class Router {
 public:
  using Effect = std::variant<Seal, Open, Persist, Transmit, Connect, Submitted, Taken, Arrival, StateChanged, Deposit,
                              DepositReceipt, Forward, ForwardReceipt, ParcelSettled, SessionsLost>;

  /// `self` outlives the router.
  Router(const identity::Identity& self, Config config, Rng rng);
  ~Router();

  /// Restores Table::outbox, inbox, windows, standings, deposits, history and its row of meta; ignores others. Errors:
  /// storage_corrupt.
  Status load(const std::vector<store::Row>& rows);
  /// Call once after load: announces the messages not yet taken (Arrival, in order) and the peers wanted (Connect).
  void start(Now now, Outbox<Effect>& out);

  // The application.

  /// Answered by Submitted: at once with an error, or when the message is persisted. With an id chosen by the caller it
  /// may be repeated: the same content gets the same answer, other content already_exists, as long as the message is
  /// waiting or in the history. A longer time to live than kMaxTtlMs is cut to it.
  void submit(Now now, RequestId request, Draft draft, Outbox<Effect>& out);
  /// The application has these inbox numbers and will not be given them again. Answered when that is persisted, which
  /// is with what is written next if messages are arriving, two milliseconds later at the latest; with not_found if one
  /// of them is unknown or taken already, and the others are taken nevertheless.
  void take(Now now, RequestId request, const std::vector<std::uint64_t>& numbers, Outbox<Effect>& out);
  /// Asks for all that waits to be written with something else to be persisted now: before the end.
  void flush(Outbox<Effect>& out);
  /// What the owner thinks of this peer now: its messages are measured by that, and those that waited for it arrive.
  /// Not kept on disk: told again after each start, before or after load(). The caller bounds the number of contacts.
  void set_tier(const identity::PeerId& peer, identity::TrustTier tier, Outbox<Effect>& out);
  /// Refuses the peer from now on, and drops what it has in the inbox; the numbers of that. The changes are in a
  /// Persist. Errors: limit_exceeded.
  Result<std::vector<std::uint64_t>> block(Now now, const identity::PeerId& peer, Outbox<Effect>& out);
  /// Errors: not_found.
  Status unblock(const identity::PeerId& peer, Outbox<Effect>& out);
  /// Tries now what is backing off for this peer.
  void retry_now(Now now, const identity::PeerId& peer, Outbox<Effect>& out);

  // The session engine.

  /// `changes` is the session state that must be persisted before `sealed` leaves, if `must_persist`.
  void on_sealed(Now now, const MessageId& message, Bytes sealed, bool must_persist, store::Batch changes,
                 Outbox<Effect>& out);
  /// The peer's record is not known or not usable; tried again at the next on_link_up, over a link also at the next
  /// retry. Every Seal is answered by on_sealed or on_unsealable.
  void on_unsealable(Now now, const MessageId& message, const Error& why);
  void on_opened(Now now, const Envelope& envelope, ByteView plaintext, store::Batch changes, Outbox<Effect>& out);
  /// A session with this peer is gone: what was sealed and not receipted is sealed again.
  void on_session_lost(Now now, const identity::PeerId& peer, Outbox<Effect>& out);
  /// The key of this message was used already, so it was received before: answered as rule 4 says if we remember it,
  /// otherwise (it was refused when it came first) with a refusal that makes the sender seal it anew.
  void on_duplicate(Now now, const Envelope& envelope, Outbox<Effect>& out);

  /// No session can be had for this message now, and its key was not used: refused (inbox_full).
  void on_no_session(Now now, const Envelope& envelope, Outbox<Effect>& out);

  // The neighbours. `from` is authenticated by its link.

  void on_link_up(Now now, const identity::PeerId& peer, const crypto::Ed25519PublicKey& key, Outbox<Effect>& out);
  void on_link_down(Now now, const identity::PeerId& peer, Outbox<Effect>& out);
  /// All ways to a peer failed for now: noted once in the trace of each message that waits for it.
  void on_unreachable(Now now, const identity::PeerId& peer, const Error& why);
  /// The link could not take a Transmit (queue full): sent again when it has drained or at the next retry.
  void on_transmit_failed(Now now, const identity::PeerId& peer, Outbox<Effect>& out);
  /// The bodies of link messages. Errors are malformed or unauthenticated input: the node counts and answers them.
  Status on_envelope(Now now, const identity::PeerId& from, std::shared_ptr<const Bytes> buffer, ByteView body,
                     Outbox<Effect>& out);
  Status on_receipt(Now now, const identity::PeerId& from, ByteView body, Outbox<Effect>& out);
  Status on_refusal(Now now, const identity::PeerId& from, ByteView body, Outbox<Effect>& out);

  // Relays. What they bring proves itself or is worth nothing.

  /// There is a route to this peer, or none any more.
  void on_route(Now now, const identity::PeerId& peer, bool up, Outbox<Effect>& out);
  /// An envelope by `from` that has come through relays, by a path that has been verified; without one if it is
  /// volatile. A durable one is answered by ParcelSettled, unless this fails; if it cannot be opened, call
  /// end_parcel(). Errors: malformed, refused.
  Status on_routed(Now now, const identity::PeerId& from, const MessageId& id, std::shared_ptr<const Bytes> buffer,
                   ByteView body, const crypto::Digest& subject, path::Hops path, Outbox<Effect>& out);
  /// A relay has taken this message of ours.
  void on_handed_on(Now now, const MessageId& id, const identity::PeerId& by);
  /// No relay has it: it is sent another way.
  void on_returned(Now now, const MessageId& id);

  // Mailboxes. What they bring proves itself or is worth nothing.

  /// An envelope that `from` has left for us. Answered by ParcelSettled, unless it fails; if it cannot be opened, call
  /// end_parcel(). Errors: malformed, refused.
  Status on_parcel(Now now, const identity::PeerId& from, const MessageId& id, std::shared_ptr<const Bytes> buffer,
                   ByteView body, Outbox<Effect>& out);
  /// It cannot be opened and never will be.
  void end_parcel(const identity::PeerId& from, const MessageId& id, Outbox<Effect>& out);
  /// It cannot be opened because we do not have its session, and its sender, to whom there is no link, is to know.
  void on_session_unknown(Now now, const identity::PeerId& from, const MessageId& id, const Uuid& session,
                          Outbox<Effect>& out);
  /// A receipt that `from`, whose key is `key`, has left for us.
  Status on_receipt_parcel(Now now, const identity::PeerId& from, const crypto::Ed25519PublicKey& key, ByteView body,
                           Outbox<Effect>& out);
  /// A mailbox keeps this message of ours.
  void on_stored(Now now, const MessageId& id, const StoredAt& stored, Outbox<Effect>& out);
  /// The peer's record has become known or has changed.
  void on_record(Now now, const identity::PeerId& peer, Outbox<Effect>& out);

  // The store and time.

  void on_persisted(Now now, store::PersistToken token, Outbox<Effect>& out);
  /// While the store cannot commit, nothing durable is accepted: submit answers with `state`, envelopes are refused.
  void set_storage(Now now, Status state);

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Outbox<Effect>& out);

  // Queries.

  std::optional<Trace> trace(const MessageId& id) const;
  /// Newest first, at most `limit`.
  std::vector<Trace> outgoing(std::size_t limit, const OutgoingFilter& filter = {}) const;
  /// Not taken, in order of arrival, from `after` (exclusive), at most `limit`. O(n) in what is passed over.
  std::vector<ArrivedPtr> inbox(std::uint64_t after, std::size_t limit, const InboxFilter& filter = {}) const;
  /// The strangers whose messages wait, in the order of their ids. O(n) in the messages of the inbox.
  std::vector<Waiting> waiting() const;
  std::vector<Blocked> blocked() const;
  bool is_blocked(const identity::PeerId& peer) const;
  RouterStatus status() const;
  void check_invariants() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ekiden::router
