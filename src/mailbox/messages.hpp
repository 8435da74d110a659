// The messages of mailboxes: what is left with third parties for somebody who cannot be reached now.
//
//   depositor --deposit--> mailbox --stored | not_stored--> depositor
//   owner --collect--> mailbox --parcel, parcel ...--> owner --collected--> mailbox
//
// A mailbox sees who writes to whom, how much and until when; the payload is encrypted for the owner or signed for it.
// What it says of a parcel proves nothing: the owner believes the payload alone.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "identity/peer_id.hpp"
#include "wire/message.hpp"
#include "wire/priority.hpp"

namespace ekiden::mailbox {

/// Bit of the features in a peer record: the node keeps parcels for others.
inline constexpr std::uint64_t kMailboxFeature = 2;

inline constexpr std::size_t kMaxPayload = 34'304;            ///< an envelope or a receipt
inline constexpr std::size_t kMaxParcel = kMaxPayload + 192;  ///< with its header; fits into one link message
inline constexpr std::size_t kMaxStatementItems = 16;
inline constexpr std::size_t kMaxStatementSize = 1536;  ///< a COSE_Sign1 of kMaxStatementItems with its frame
inline constexpr std::size_t kMaxCollected = 256;

/// What the payload is.
enum class ParcelKind : std::uint8_t {
  envelope = 0,  ///< the body of a link message `envelope`
  receipt = 1,   ///< the COSE_Sign1 of a link message `receipt`
};

/// MessageType::deposit: keep this for `to`. Accepted only over the link of `from`.
struct Parcel {
  static constexpr std::string_view kName = "parcel";
  Uuid id;  ///< of the message, or made of the receipt: receipt_id(). Again with another payload: replaces the parcel
  identity::PeerId from;
  identity::PeerId to;
  WallTime expires{};
  wire::Priority priority = wire::Priority::normal;
  ParcelKind kind = ParcelKind::envelope;
  ByteView payload;  ///< borrowed

  static constexpr auto kFields =
      wire::fields(wire::field<1>("id", &Parcel::id), wire::field<2>("from", &Parcel::from),
                   wire::field<3>("to", &Parcel::to), wire::field<4>("expires", &Parcel::expires),
                   wire::field<5>("priority", &Parcel::priority, wire::max_enum(wire::Priority::background)),
                   wire::field<6>("kind", &Parcel::kind, wire::max_enum(ParcelKind::receipt)),
                   wire::field<7>("payload", &Parcel::payload, wire::max_size(kMaxPayload)));
};

/// One parcel of a statement.
struct StoredItem {
  static constexpr std::string_view kName = "stored_item";
  Uuid id;
  identity::PeerId owner;
  WallTime until{};  ///< kept so long, unless the owner collects it before

  static constexpr auto kFields =
      wire::fields(wire::field<1>("id", &StoredItem::id), wire::field<2>("owner", &StoredItem::owner),
                   wire::field<3>("until", &StoredItem::until));
  friend bool operator==(const StoredItem&, const StoredItem&) = default;
};

/// The payload of a COSE_Sign1 by the mailbox (MessageType::stored): these parcels are on its disk.
struct Statement {
  static constexpr std::string_view kName = "statement";
  identity::PeerId by;  ///< the mailbox, whose key signs
  identity::PeerId to;  ///< who left them there
  WallTime at{};
  std::vector<StoredItem> stored;

  static constexpr auto kFields = wire::fields(
      wire::field<1>("by", &Statement::by), wire::field<2>("to", &Statement::to), wire::field<3>("at", &Statement::at),
      wire::field<4>("stored", &Statement::stored, wire::max_count(kMaxStatementItems)));
  friend bool operator==(const Statement&, const Statement&) = default;
};

enum class RefusalReason : std::uint8_t {
  off = 0,             ///< this node keeps nothing for others
  storage = 1,         ///< it cannot write to its disk
  expired = 2,         ///< by its clock
  full = 3,            ///< all of its room is used
  strangers_full = 4,  ///< the room for those who are no contacts of its owner
  prefix_full = 5,     ///< the share of the depositor's network
  sender_full = 6,     ///< the share of the depositor
  owner_full = 7,      ///< the share of the one that the parcel is for
};
inline constexpr RefusalReason kLastRefusalReason = RefusalReason::owner_full;
std::string_view refusal_reason_text(RefusalReason reason);

/// MessageType::not_stored. Not signed: it only sends the depositor elsewhere.
struct NotStored {
  static constexpr std::string_view kName = "not_stored";
  Uuid id;
  identity::PeerId owner;
  RefusalReason reason{};
  std::uint32_t retry_after_ms = 0;  ///< clamped by the reader

  static constexpr auto kFields =
      wire::fields(wire::field<1>("id", &NotStored::id), wire::field<2>("owner", &NotStored::owner),
                   wire::field<3>("reason", &NotStored::reason, wire::max_enum(kLastRefusalReason)),
                   wire::field<4>("retry_after_ms", &NotStored::retry_after_ms));
  friend bool operator==(const NotStored&, const NotStored&) = default;
};

/// MessageType::collect: give me what you have for me, and what comes while this link lives.
struct Collect {
  static constexpr std::string_view kName = "collect";
  std::uint32_t window = 0;  ///< parcels that may be under way; clamped by the mailbox

  static constexpr auto kFields = wire::fields(wire::field<1>("window", &Collect::window));
  friend bool operator==(const Collect&, const Collect&) = default;
};

/// MessageType::parcel: for the owner.
struct Delivery {
  static constexpr std::string_view kName = "delivery";
  std::uint64_t number = 0;  ///< given by the mailbox, never twice
  ByteView parcel;           ///< an encoded Parcel; borrowed

  static constexpr auto kFields = wire::fields(wire::field<1>("number", &Delivery::number),
                                               wire::field<2>("parcel", &Delivery::parcel, wire::max_size(kMaxParcel)));
};

/// MessageType::collected: these are on the owner's disk, or of no use to it. The mailbox forgets them.
struct Collected {
  static constexpr std::string_view kName = "collected";
  std::vector<std::uint64_t> numbers;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("numbers", &Collected::numbers, wire::max_count(kMaxCollected)));
  friend bool operator==(const Collected&, const Collected&) = default;
};

}  // namespace ekiden::mailbox
