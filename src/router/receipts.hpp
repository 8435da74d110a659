// Answers to senders, gathered: receipts and refusals for many messages leave as one.
//
// A signature costs more than everything else that is done for a message, and so does verifying it; one COSE_Sign1 over
// up to kMaxReceiptIds ids spreads both. Receipts of all messages that one commit made durable leave at once, in one
// object for each peer. Answers to duplicates and refusals wait for kAnswerDelay: after a lost link a sender repeats
// its whole flight, and the answers should not become one signature each. (Otherwise repeating one message is a cheap
// way to make us sign.)
//
// Receipts for messages that mailboxes have brought go back in the same way when kMailDelay has brought no link to
// their sender: the sender collects there, and may not be there when we are. Those for messages that relays have
// brought go back through relays at once, and tell by which way the message came. So does, in a receipt, what would be
// a refusal (window) or a session_reset if there were a link.
//
// Inputs: delivered, refuse, flush, time. Outputs: Transmit, DepositReceipt, ForwardReceipt, ParcelSettled. Timer:
// kAnswerDelay after the first answer that is not flushed by a commit. Bounds: kMaxPendingReceipts ids for each peer,
// refusals only for peers with a link; peers without a link keep their receipts, at most kMaxSilentPeers of them: what
// is dropped is asked for again, for the sender repeats what has no receipt. Invariant: every id given to delivered()
// is of a message persisted in our inbox.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/lru_map.hpp"
#include "identity/identity.hpp"
#include "router/journal.hpp"

namespace ekiden::router {

/// The external_aad of receipts.
inline constexpr std::string_view kReceiptPurpose = "ekiden receipt 1";
inline constexpr Duration kAnswerDelay = milliseconds(10);
inline constexpr Duration kMailDelay = seconds(1);
inline constexpr std::size_t kMaxPendingReceipts = 4096;
inline constexpr std::size_t kMaxSilentPeers = 1024;
/// Of messages that could not be opened, told in a minute to peers without a link. Whoever brings them may have made
/// them up, to have us sign and send.
inline constexpr std::size_t kMaxUnopened = 64;
/// Between two times that one peer hears so through mailboxes: what lies there is given again and again by one that
/// erases nothing.
inline constexpr Duration kUnopenedPause = minutes(10);

/// By which relays a message came.
struct CameBy {
  crypto::Digest subject;
  path::Hops hops;
};

class Answers {
 public:
  /// `self` outlives this.
  explicit Answers(const identity::Identity& self) : self_(self) {}

  void on_link_up(Now now, const identity::PeerId& peer, Effects& out);
  void on_link_down(const identity::PeerId& peer);

  /// This message of `to` is in our inbox and persisted. Leaves with the next flush(), or after kAnswerDelay.
  void delivered(Now now, const identity::PeerId& to, const MessageId& id, Effects& out);
  void refuse(Now now, const identity::PeerId& to, const MessageId& id, Refusal::Reason reason, Duration retry_after,
              Effects& out);
  /// A mailbox, or relays, have brought this message; it ends with ParcelSettled when one of the above is said of it.
  void expect_parcel(const identity::PeerId& from, const MessageId& id, std::optional<CameBy> way) {
    parcels_.insert_or_assign(std::pair{from, id}, std::move(way));
  }
  /// It cannot be opened, for its session is not known here. A peer without a link hears so as it would hear of its
  /// delivery, if that was expected.
  void session_unknown(Now now, const identity::PeerId& to, const MessageId& id, const Uuid& session, Effects& out);
  /// True if it was expected: ParcelSettled is said now.
  bool settle_parcel(const identity::PeerId& from, const MessageId& id, bool done, Effects& out);

  /// Sends all answers to peers with a link.
  void flush(Now now, Effects& out);

  std::optional<Instant> deadline() const { return earlier(flush_at_, mail_.earliest()); }
  void on_deadline(Now now, Effects& out);

  void check_invariants() const;

 private:
  static constexpr std::size_t kReasons = 6;
  enum class Fate : std::uint8_t {
    delivered,
    unplaced,         ///< it has to be sealed anew
    unknown_session,  ///< and `id` is that of the session
  };
  struct Delivered {
    Uuid id;
    std::optional<CameBy> way;
    Fate fate = Fate::delivered;
  };
  struct Pending {
    std::vector<Delivered> delivered;
    std::array<Refusal, kReasons> refusals;
    bool empty() const;
  };

  /// The way of one that was expected; nothing if it was not.
  std::optional<std::optional<CameBy>> take_expected(const identity::PeerId& from, const MessageId& id, Effects& out);
  void keep(Now now, const identity::PeerId& to, Delivered word, bool was_brought);
  void keep_unopened(Now now, const identity::PeerId& to, Delivered word);
  Pending* pending(Now now, const identity::PeerId& peer);
  void flush_peer(Now now, const identity::PeerId& peer, Pending& pending, Effects& out) const;
  std::vector<Bytes> sign_receipts(Now now, const identity::PeerId& peer, std::vector<Delivered> delivered) const;
  void send_receipts(Now now, const identity::PeerId& peer, std::vector<Delivered> delivered, Effects& out) const;

  const identity::Identity& self_;
  std::set<identity::PeerId> up_;
  std::map<identity::PeerId, Pending> ready_;                  ///< peers with a link
  std::map<identity::PeerId, std::vector<Delivered>> routed_;  ///< receipts that go back through relays
  std::map<identity::PeerId, std::vector<Delivered>> silent_;  ///< receipts for peers with neither
  std::optional<Instant> flush_at_;
  std::map<std::pair<identity::PeerId, MessageId>, std::optional<CameBy>> parcels_;
  Instant unopened_since_{};  ///< the minute in which so many were told
  std::size_t unopened_count_ = 0;
  LruMap<identity::PeerId, Instant> unopened_told_{kMaxSilentPeers};  ///< through mailboxes: when last
  DeadlineMap<identity::PeerId> mail_;  ///< of `silent_`: those whose receipts go to mailboxes, and when
};

/// Verifies a receipt: its signature by `key`, by == from, to == self, and the hops of the paths that it tells.
/// Errors: malformed, unsupported, unauthenticated, refused (not by that peer or not for us).
Result<Receipt> open_receipt(ByteView cose, const identity::PeerId& from, const crypto::Ed25519PublicKey& key,
                             const identity::PeerId& self, path::Verifier& verifier);

/// The way of this message that a receipt tells, which has been verified before. Empty if there is none.
path::Hops path_of(ByteView receipt, const MessageId& id);

}  // namespace ekiden::router
