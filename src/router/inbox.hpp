// The recipient's side: takes each message once, keeps it on disk until the application has it, and never again.
//
// Inputs: envelopes from links, what the session engine opened or called a duplicate, take from the application,
// persisted. Outputs: Open, Persist, Arrival, Taken; receipts and refusals through router/receipts.hpp. Timers: order,
// for each sender: when the first of its messages that wait for earlier ones of their conversation has waited enough.
//
// The window. Each durable message carries its sender's epoch (one outbox), its sequence to us in that epoch, and the
// floor below which the sender has settled everything. For each sender we hold {epoch, floor, received sequences at or
// above the floor}, in Table::windows and in the rows of Table::inbox. What arrives is, in this order:
//
//   of a blocked peer                     refused (unwanted)
//   from an epoch before the window's     refused (window): a data directory was restored from a copy, or replayed
//   from a later epoch                    a new outbox: its window replaces the old one
//   below the floor                       refused (window): settled, the sender passes the refusal over
//   of an id in the window                received before: receipt again
//   of a sequence in the window           refused (window): a sender that gives one number to two messages
//   over a quota of the inbox             refused (inbox_full, or strangers_full)
//   of a stranger, and they are refused   refused (unwanted)
//   over a bound of the window            refused (window, or strangers_full)
//   anything else                         new: row and window are persisted, then arrival and receipt
//
// Why deduplication survives anything: the set is on disk with the messages, so a crash loses both or neither; a row
// that the application has taken stays as a tombstone until the floor has passed it; and a floor that lets rows go is
// persisted in the batch that erases them.
//
// After a refusal the key of the message may be used up. A sender that repeats the same bytes then meets a duplicate
// whose id we do not know: refused (window), which makes it seal the message anew. So every exchange ends with a
// receipt, or with the message's expiry.
//
// Bounds: quotas of messages and bytes; `max_window` for each sender and `max_windows` in total; `max_senders`; and of
// all these a pool that strangers share among themselves (router/pools.hpp).
//
// Forgetting, when there is no room for one more:
//   - a sender with nothing left to be taken, whose messages have all expired: repeats are refused as expired. This is
//     the only way in which the place of a sender becomes free, but for
//   - a blocked stranger, which may be refused without its window;
//   - what was received from a stranger, by raising its floor over it: repeats are refused (window), messages not taken
//     stay in the inbox. Of the strangers that hold more than the one who asks, the one that has been silent for the
//     longest. (The asker cannot push out who holds less, so nobody greedy lives at the cost of others; and no wave of
//     strangers keeps the next one out for the thirty days that a message may live.)
//
// First contact. Messages of a sender whose window is `held`, requests aside, are taken in like all others, and shown
// to nobody: they are announced, in order, when the sender becomes known, and go when it is blocked. Whether they wait
// follows from who sent them; no row says so. Each stranger has a bound of its own for them, and there is one for the
// number of strangers; what waits longer than it is valid makes room for others. See router/first_contact.hpp.
//
// Conversations: what comes before its turn waits, see router/inbox_order.cpp. `max_conversations` for each sender.
//
// Invariants: a sequence in a window has a row; a row that is not in a window holds a message not taken yet; bytes and
// counts equal the sums over the rows; nothing is announced or receipted before its row is persisted.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline_map.hpp"
#include "router/first_contact.hpp"
#include "router/journal.hpp"
#include "router/pools.hpp"
#include "router/receipts.hpp"
#include "router/rows.hpp"

namespace ekiden::router {

class Receiver {
 public:
  /// All outlive this.
  Receiver(const identity::PeerId& self, const Config& config, Journal& journal, Counters& counters, Answers& answers,
           const Standings& standings)
      : self_(self),
        config_(config),
        journal_(journal),
        counters_(counters),
        answers_(answers),
        standings_(standings),
        pools_(config) {}

  /// Where we stand with this peer may have changed; at any time, before load too.
  void on_standing(const identity::PeerId& peer, Effects& out);
  /// Drops all that this peer has in the inbox. What is not persisted yet goes when it is, if the peer is blocked.
  std::vector<std::uint64_t> drop_messages(const identity::PeerId& peer, store::Batch& batch);
  std::vector<Waiting> waiting() const;

  /// Windows first, then rows in ascending order. Errors: storage_corrupt.
  Status load_window(ByteView name, ByteView value);
  Status load_row(std::uint64_t number, ByteView value);
  /// Announces what is not taken yet and does not wait.
  void start(Now now, Effects& out);

  /// Decides on what the header says whether it is worth opening. `storage`: why nothing can be persisted now.
  Status on_envelope(Now now, const identity::PeerId& from, std::shared_ptr<const Bytes> buffer, ByteView body,
                     const Status& storage, Effects& out);
  /// The same for one that a mailbox has brought.
  Status on_parcel(Now now, const identity::PeerId& from, const MessageId& id, std::shared_ptr<const Bytes> buffer,
                   ByteView body, const Status& storage, Effects& out);
  /// The same for one that relays have brought, which may be volatile.
  Status on_routed(Now now, const identity::PeerId& from, const MessageId& id, std::shared_ptr<const Bytes> buffer,
                   ByteView body, CameBy way, const Status& storage, Effects& out);
  void on_opened(Now now, const Envelope& envelope, ByteView plaintext, store::Batch changes, Effects& out);
  void on_duplicate(Now now, const Envelope& envelope, Effects& out);
  void on_no_session(Now now, const Envelope& envelope, Effects& out);
  void take(Now now, RequestId request, std::vector<std::uint64_t> numbers, Effects& out);

  /// The row with this number is persisted: receipt it, and announce it if its turn was there. The caller flushes the
  /// answers.
  void on_persisted(Now now, std::uint64_t number, Effects& out);
  void on_released(std::uint64_t number, Effects& out);

  std::optional<Instant> deadline() const { return order_.earliest(); }
  void on_deadline(Now now, Effects& out);

  std::vector<ArrivedPtr> untaken(std::uint64_t after, std::size_t limit, const InboxFilter& filter) const;
  std::optional<Trace> trace(const MessageId& id) const;
  void add_status(RouterStatus& status) const;
  void check_invariants() const;

 private:
  struct Entry {
    identity::PeerId from;
    MessageId id;
    std::uint64_t epoch = 0;
    std::uint64_t sequence = 0;
    WallTime expires{};
    ArrivedPtr message;  ///< null: a tombstone
    bool persisted = false;
    bool announced = false;  ///< once in a run: the sender may become a stranger again, and known again
    bool early = false;      ///< waits for others of its conversation
    bool releasing = false;  ///< waits for its row under a new number to be persisted
    Instant arrived{};
  };
  struct Conversation {
    std::uint64_t sequence = 0;  ///< of the last that had its turn; 0: not known
    std::uint64_t place = 0;
    bool certain = false;  ///< none after it had its turn: not so if it is below the floor that a restart found
    std::map<std::uint64_t, std::uint64_t> early{};  ///< sequence -> number of those that wait
  };
  struct Window {
    std::uint64_t epoch = 0;
    std::uint64_t floor = 0;
    Tier tier = Tier::stranger;
    WallTime expires{};                                 ///< of the last to expire, rounded up to the hour
    std::map<std::uint64_t, std::uint64_t> received{};  ///< sequence -> number of the row
    std::map<MessageId, std::uint64_t> ids{};           ///< id -> number of the row
    std::uint64_t last = 0;                             ///< number of the newest row; 0: none in the window
    Use use{.senders = 1};                              ///< `messages` are in the window or out of it
    bool held = false;                                  ///< `first` wait for the owner
    std::map<std::string, Conversation> conversations{};
    std::size_t early = 0;   ///< over all conversations
    bool forgetful = false;  ///< something may have had its turn in a conversation that is not known
    Use first{};             ///< messages not taken that are no requests
  };
  using Senders = std::map<identity::PeerId, Window>;
  /// What becomes of a message that was opened.
  struct Verdict {
    enum { fresh, repeated, refused } kind = fresh;
    Refusal::Reason reason = Refusal::Reason::window;
  };

  /// Whether it is the turn of a message in its conversation, and what is missing before it.
  struct Turn {
    bool is_here = false;
    std::uint64_t missing = 0;
    std::optional<Instant> until{};  ///< when to look again; nothing: something else will tell
  };
  static std::size_t size_of(const Arrived& message) {
    return message.body.size() + message.type.size() + message.content_type.size() +
           (message.order ? message.order->conversation.size() : 0);
  }
  static Use use_of(const Arrived& message) { return {.messages = 1, .bytes = size_of(message)}; }
  /// Whether applications may be told of it, strangers aside.
  static bool is_shown(const Entry& entry) {
    return entry.message != nullptr && entry.persisted && !entry.early && !entry.releasing;
  }
  static bool is_request(const std::optional<Exchange>& exchange) {
    return exchange && exchange->part == Exchange::Part::request;
  }

  // inbox.cpp
  static bool is_sound(const Envelope& envelope, const Result<Content>& content);
  void on_durable(Now now, const Envelope& envelope, Content content, store::Batch batch, Effects& out);
  Verdict judge(const Window& window, const Envelope& envelope, const Content& content) const;
  Pools::Refused check_pools(Now now, const identity::PeerId& from, const Use& own, std::size_t size, Effects& out);
  Pools::Refused check_room(const Window& window, const Envelope& envelope, const Content& content) const;
  bool is_over(Now now, WallTime expires) const;
  bool may_open(Now now, const Envelope& envelope, const Status& storage, Effects& out);
  std::uint64_t accept(Now now, const Envelope& envelope, Content content, Window& window, store::Batch& batch,
                       Effects& out);
  void repeat(Now now, const identity::PeerId& from, std::uint64_t number, Effects& out);
  void refuse(Now now, const Envelope& envelope, Refusal::Reason reason, Effects& out);

  // inbox_held.cpp
  bool is_held(const identity::PeerId& peer) const;
  bool is_held(const Entry& entry) const;
  static void announce(Entry& entry, Effects& out);
  void count_message(const identity::PeerId& from, Window& window, const Arrived& message);
  void uncount_message(const identity::PeerId& from, Window& window, const Arrived& message);
  Pools::Refused check_first(const identity::PeerId& from, const Window& window, std::size_t size) const;
  bool forget_unanswered(Now now, store::Batch& batch);
  bool forget_blocked(store::Batch& batch);
  void forget_message(std::uint64_t number, Entry& entry, store::Batch& batch);

  // inbox_order.cpp
  Conversation* conversation(Window& window, const std::string& name);
  static void pass(Conversation& conversation, std::uint64_t sequence, std::uint64_t place);
  bool has_previous(const Window& window, const Order& order) const;
  Pools::Refused check_share(const Window& window, const Content& content, std::size_t size) const;
  Turn turn_of(Now now, const Window& window, const Conversation& conversation, const Entry& entry) const;
  void arrange(Now now, std::uint64_t number, Window& window, Entry& entry, Arrived& message);
  static void wait(std::uint64_t number, Window& window, Conversation& conversation, Entry& entry);
  void release(std::uint64_t number, Window& window, Conversation& conversation, std::uint64_t missing,
               store::Batch& batch, Effects& out);
  void write(store::Batch batch, Effects& out);
  void await_released(store::PersistToken token);
  void release_ready(Now now, const identity::PeerId& from, Window& window, store::Batch& batch, Effects& out);
  void release_all(Window& window, store::Batch& batch, Effects& out);
  static void forget_early(const Entry& entry, Window& window);
  void recall(std::uint64_t number, Window& window, Entry& entry, bool early, const std::optional<KeptPlace>& placed);

  // inbox_room.cpp
  Window& insert(const identity::PeerId& from, Window window);
  static std::size_t index_of(Tier tier) { return tier == Tier::stranger ? 0 : 1; }
  void index(const identity::PeerId& from, Window& window);
  void unindex(const identity::PeerId& from, const Window& window);
  bool remember(Window& window, const Entry& entry, std::uint64_t number);
  void add_use(Window& window, const Use& use);
  void remove_use(Window& window, const Use& use);
  Pools::Refused make_room(Now now, const identity::PeerId& from, const Window& window, std::uint64_t sequence,
                           store::Batch& batch);
  bool forget_expired(Now now, Refusal::Reason scarce, const identity::PeerId& except, store::Batch& batch);
  bool forget_expired_of(Tier tier, Now now, const identity::PeerId& except, store::Batch& batch);
  bool forget_silent_stranger(const identity::PeerId& except, std::size_t more_than, store::Batch& batch);

  // inbox_window.cpp
  std::string_view waits_for(const Entry& entry) const;
  void check_order(const Window& window) const;
  bool advance(Window& window, std::uint64_t epoch, std::uint64_t floor, store::Batch& batch);
  void drop_below(Window& window, std::uint64_t floor, store::Batch& batch);
  void drop_all(Window& window, store::Batch& batch);
  void drop_lowest(Window& window, store::Batch& batch);
  void drop_received(const identity::PeerId& from, Window& window, store::Batch& batch);
  bool extend_expiry(Now now, const identity::PeerId& from, Window& window, WallTime expires);
  static void write_window(const identity::PeerId& from, const Window& window, store::Batch& batch);
  static void write_entry(std::uint64_t number, const Entry& entry, store::Batch& batch,
                          std::optional<KeptPlace> placed = {});
  static bool is_in_window(const Entry& entry, const Window& window);

  const identity::PeerId self_;
  const Config& config_;
  Journal& journal_;
  Counters& counters_;
  Answers& answers_;

  std::map<std::uint64_t, Entry> rows_;
  Senders senders_;
  const Standings& standings_;
  std::set<identity::PeerId> waiting_;  ///< those whose windows are held and whose messages wait
  bool started_ = false;
  std::vector<std::uint64_t> renamed_;   ///< numbers of those released in the batch that is being made
  DeadlineMap<identity::PeerId> order_;  ///< senders whose messages wait for others
  Pools pools_;
  using ByExpiry = std::map<std::pair<WallTime, identity::PeerId>, Window*>;
  std::array<ByExpiry, 2> by_expiry_;  ///< strangers and others, the first to expire first
  std::optional<Instant> arrived_;     ///< when a message came last
  std::uint64_t received_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace ekiden::router
