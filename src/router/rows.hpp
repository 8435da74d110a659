// What the router keeps on disk, one struct for each kind of row. Never reuse a key for another meaning: these are the
// bytes that the next version of this program finds.
//
//   meta     "router"        MetaRow: the outbox's epoch and how far its counters are reserved
//   outbox   local number    OutboxRow: an accepted message, until it is delivered or expired
//   inbox    local number    InboxRow: a received message until it is taken; after that only its number in the sender's
//                            counting (a tombstone), until the sender's floor has passed it
//   deposits local number    DepositsRow: the mailboxes that keep a message of the outbox
//   windows  sender          WindowRow: the sender's epoch and floor
//   standings peer           StandingRow (router/first_contact.hpp): who is blocked, or was written to
//   history  local number    HistoryRow: what became of up to 256 messages to one peer, with the receipt that proves it
//
// Outbox rows hold plaintext, never ciphertext: sealing state does not survive a restart, so no restart can send two
// messages under one key because of a row here.
//
// Bounds: every list and string has its maximum in the description; a row that does not decode is corruption and fails
// the start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/keys.hpp"
#include "router/envelope.hpp"
#include "router/router.hpp"

namespace ekiden::router {

inline constexpr std::string_view kMetaName = "router";

/// Counters are reserved in blocks, so that counting costs no disk write for each message; a restart continues after
/// the block.
struct MetaRow {
  static constexpr std::string_view kName = "router state";
  std::uint64_t epoch = 0;      ///< Unix milliseconds when this outbox was created
  std::uint64_t sequences = 0;  ///< no message to anybody has a higher sequence
  std::uint64_t arrivals = 0;   ///< no arrival has a higher number

  static constexpr auto kFields =
      wire::fields(wire::field<1>("epoch", &MetaRow::epoch), wire::field<2>("sequences", &MetaRow::sequences),
                   wire::field<3>("arrivals", &MetaRow::arrivals));

  friend bool operator==(const MetaRow&, const MetaRow&) = default;
};

/// The place of a message that is gone: what tells which messages of a conversation are behind it.
struct KeptPlace {
  static constexpr std::string_view kName = "kept place";
  std::string conversation;
  std::uint64_t sequence = 0;
  std::uint64_t place = 0;
  std::uint64_t delivered = 0;  ///< as in its Order

  static constexpr auto kFields =
      wire::fields(wire::field<1>("conversation", &KeptPlace::conversation, wire::max_size(kMaxConversationLength)),
                   wire::field<2>("sequence", &KeptPlace::sequence), wire::field<3>("place", &KeptPlace::place),
                   wire::field<4>("delivered", &KeptPlace::delivered));

  friend bool operator==(const KeptPlace&, const KeptPlace&) = default;
};

struct OutboxRow {
  static constexpr std::string_view kName = "outbox row";
  MessageId id;
  identity::PeerId to;
  std::uint64_t sequence = 0;
  WallTime accepted;
  WallTime expires;
  wire::Priority priority = wire::Priority::normal;
  std::string type;
  std::string content_type;
  std::optional<MessageId> in_reply_to;
  std::optional<crypto::Digest> digest;  ///< of the content, if the caller chose the id
  ByteView body;                         ///< borrowed
  std::optional<Exchange> exchange = {};
  std::optional<Order> order = {};

  static constexpr auto kFields = wire::fields(
      wire::field<1>("id", &OutboxRow::id), wire::field<2>("to", &OutboxRow::to),
      wire::field<3>("sequence", &OutboxRow::sequence), wire::field<4>("accepted", &OutboxRow::accepted),
      wire::field<5>("expires", &OutboxRow::expires),
      wire::field<6>("priority", &OutboxRow::priority, wire::max_enum(wire::Priority::background)),
      wire::field<7>("type", &OutboxRow::type, wire::max_size(kMaxTypeLength)),
      wire::field<8>("content_type", &OutboxRow::content_type, wire::max_size(kMaxTypeLength)),
      wire::field<9>("in_reply_to", &OutboxRow::in_reply_to), wire::field<10>("digest", &OutboxRow::digest),
      wire::field<11>("body", &OutboxRow::body, wire::max_size(kMaxBody)),
      wire::field<12>("exchange", &OutboxRow::exchange), wire::field<13>("order", &OutboxRow::order));
};

struct InboxMessage {
  static constexpr std::string_view kName = "inbox message";
  WallTime sent;
  WallTime received;
  wire::Priority priority = wire::Priority::normal;
  std::string type;
  std::string content_type;
  std::optional<MessageId> in_reply_to;
  ByteView body;  ///< borrowed
  std::optional<Exchange> exchange = {};
  std::optional<Order> order = {};
  std::optional<std::uint64_t> missing = {};  ///< announced with this gap before it
  std::optional<bool> late = {};              ///< announced after later ones
  std::optional<bool> early = {};             ///< waits for others of its conversation

  static constexpr auto kFields =
      wire::fields(wire::field<1>("sent", &InboxMessage::sent), wire::field<2>("received", &InboxMessage::received),
                   wire::field<3>("priority", &InboxMessage::priority, wire::max_enum(wire::Priority::background)),
                   wire::field<4>("type", &InboxMessage::type, wire::max_size(kMaxTypeLength)),
                   wire::field<5>("content_type", &InboxMessage::content_type, wire::max_size(kMaxTypeLength)),
                   wire::field<6>("in_reply_to", &InboxMessage::in_reply_to),
                   wire::field<7>("body", &InboxMessage::body, wire::max_size(kMaxBody)),
                   wire::field<8>("exchange", &InboxMessage::exchange), wire::field<9>("order", &InboxMessage::order),
                   wire::field<10>("missing", &InboxMessage::missing), wire::field<11>("late", &InboxMessage::late),
                   wire::field<12>("early", &InboxMessage::early));
};

struct InboxRow {
  static constexpr std::string_view kName = "inbox row";
  identity::PeerId from;
  MessageId id;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  WallTime expires;
  std::optional<InboxMessage> message;   ///< absent: taken, a tombstone
  std::optional<KeptPlace> placed = {};  ///< of a tombstone, if the message was ordered

  static constexpr auto kFields =
      wire::fields(wire::field<1>("from", &InboxRow::from), wire::field<2>("id", &InboxRow::id),
                   wire::field<3>("epoch", &InboxRow::epoch), wire::field<4>("sequence", &InboxRow::sequence),
                   wire::field<5>("expires", &InboxRow::expires), wire::field<6>("message", &InboxRow::message),
                   wire::field<7>("placed", &InboxRow::placed));
};

struct WindowRow {
  static constexpr std::string_view kName = "window row";
  std::uint64_t epoch = 0;
  std::uint64_t floor = 0;
  WallTime expires;  ///< about when the last message received expires, rounded up to the hour

  static constexpr auto kFields =
      wire::fields(wire::field<1>("epoch", &WindowRow::epoch), wire::field<2>("floor", &WindowRow::floor),
                   wire::field<3>("expires", &WindowRow::expires));

  friend bool operator==(const WindowRow&, const WindowRow&) = default;
};

/// Table::deposits, by the number of the outbox row.
struct DepositsRow {
  static constexpr std::string_view kName = "deposits_row";
  std::vector<StoredAt> stored;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("stored", &DepositsRow::stored, wire::max_count(kMaxStoredAt)));

  friend bool operator==(const DepositsRow&, const DepositsRow&) = default;
};

inline constexpr std::size_t kMaxReceiptSize = 8 * 1024;  ///< a COSE_Sign1 of kMaxReceiptIds ids with its frame

/// The story of one settled message.
struct HistoryEntry {
  static constexpr std::string_view kName = "history entry";
  MessageId id;
  WallTime accepted;
  WallTime expires;
  MessageState state = MessageState::delivered;
  wire::Priority priority = wire::Priority::normal;
  DeliveryClass delivery = DeliveryClass::durable;
  std::uint32_t attempts = 0;
  std::uint32_t size = 0;
  std::optional<crypto::Digest> digest;
  std::vector<std::uint64_t> steps;      ///< see pack_steps
  std::optional<DepositsRow> stored;     ///< the mailboxes that kept it
  std::optional<std::string> type = {};  ///< absent if it is empty
  std::optional<KeptPlace> placed = {};  ///< if it was ordered

  static constexpr auto kFields =
      wire::fields(wire::field<1>("id", &HistoryEntry::id), wire::field<2>("accepted", &HistoryEntry::accepted),
                   wire::field<3>("expires", &HistoryEntry::expires),
                   wire::field<4>("state", &HistoryEntry::state, wire::max_enum(MessageState::sent)),
                   wire::field<5>("priority", &HistoryEntry::priority, wire::max_enum(wire::Priority::background)),
                   wire::field<6>("delivery", &HistoryEntry::delivery, wire::max_enum(DeliveryClass::volatile_)),
                   wire::field<7>("attempts", &HistoryEntry::attempts), wire::field<8>("size", &HistoryEntry::size),
                   wire::field<9>("digest", &HistoryEntry::digest),
                   wire::field<10>("steps", &HistoryEntry::steps, wire::max_count(3 * kMaxTraceSteps)),
                   wire::field<11>("stored", &HistoryEntry::stored),
                   wire::field<12>("type", &HistoryEntry::type, wire::max_size(kMaxTypeLength)),
                   wire::field<13>("placed", &HistoryEntry::placed));

  friend bool operator==(const HistoryEntry&, const HistoryEntry&) = default;
};

struct HistoryRow {
  static constexpr std::string_view kName = "history row";
  identity::PeerId peer;
  WallTime at;    ///< when these messages were settled
  Bytes receipt;  ///< COSE_Sign1; empty for messages that expired
  std::vector<HistoryEntry> entries;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("peer", &HistoryRow::peer), wire::field<2>("at", &HistoryRow::at),
                   wire::field<3>("receipt", &HistoryRow::receipt, wire::max_size(kMaxReceiptSize)),
                   wire::field<4>("entries", &HistoryRow::entries, wire::max_count(kMaxReceiptIds)));

  friend bool operator==(const HistoryRow&, const HistoryRow&) = default;
};

}  // namespace ekiden::router
