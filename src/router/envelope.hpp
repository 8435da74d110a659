// The messages of the router: what crosses the wire, and what travels encrypted inside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "identity/peer_id.hpp"
#include "identity/peer_record.hpp"
#include "path/path.hpp"
#include "wire/message.hpp"
#include "wire/priority.hpp"

namespace ekiden::router {

using MessageId = Uuid;

/// durable: on disk at every hop before it is acknowledged, tried until it expires, delivered once, receipted.
/// volatile: never waits for a disk, sent once, lost with a link or a process.
enum class DeliveryClass : std::uint8_t { durable = 0, volatile_ = 1 };

inline constexpr std::size_t kMaxBody = 32 * 1024;          ///< of an application message
inline constexpr std::size_t kMaxSealed = kMaxBody + 1024;  ///< with its inner header and the session's
inline constexpr std::size_t kMaxTypeLength = 128;
inline constexpr std::size_t kMaxConversationLength = 64;
inline constexpr std::uint64_t kMaxTtlMs = 30ull * 24 * 3600 * 1000;
inline constexpr std::size_t kMaxReceiptIds = 256;
inline constexpr std::size_t kMaxLostSessions = 16;  ///< that one receipt names

/// What every hop sees. All but `sealed` is authenticated with the ciphertext (associated_data).
struct Envelope {
  static constexpr std::string_view kName = "envelope";
  MessageId id;
  identity::PeerId from;
  identity::PeerId to;
  WallTime expires;
  wire::Priority priority = wire::Priority::normal;
  DeliveryClass delivery = DeliveryClass::durable;
  ByteView sealed;  ///< borrowed

  static constexpr auto kFields =
      wire::fields(wire::field<1>("id", &Envelope::id), wire::field<2>("from", &Envelope::from),
                   wire::field<3>("to", &Envelope::to), wire::field<4>("expires", &Envelope::expires),
                   wire::field<5>("priority", &Envelope::priority, wire::max_enum(wire::Priority::background)),
                   wire::field<6>("delivery", &Envelope::delivery, wire::max_enum(DeliveryClass::volatile_)),
                   wire::field<7>("sealed", &Envelope::sealed, wire::max_size(kMaxSealed)));

  /// The bytes that bind the ciphertext to its envelope.
  Bytes associated_data() const;
};

/// What a message is within a question and its answer. Messages that belong to none have no such thing. They are
/// durable, and the expiry of all of them is the deadline of the question.
struct Exchange {
  static constexpr std::string_view kName = "exchange";
  enum class Part : std::uint8_t {
    request = 0,
    reply = 1,    ///< the body is the answer; `in_reply_to` names the request
    failure = 2,  ///< the type says what went wrong, for programs; the body does for people
  };
  Part part = Part::request;
  std::string capability;  ///< of a request: what the recipient is to do it as; empty: as the one that it offers

  static constexpr auto kFields =
      wire::fields(wire::field<1>("part", &Exchange::part, wire::max_enum(Part::failure)),
                   wire::field<2>("capability", &Exchange::capability, wire::max_size(identity::kMaxCapabilitySize)));

  friend bool operator==(const Exchange&, const Exchange&) = default;
};

/// Where a message stands in its conversation. Messages without one reach the application as they come.
struct Order {
  static constexpr std::string_view kName = "order";
  std::string conversation;  ///< application-defined name; "" is the unnamed one of the two peers
  /// The sender's count in this conversation: one more than the place of the message before it. Where the sender
  /// knows of none, it begins with the sequence of the message, so that no place is given twice.
  std::uint64_t place = 0;
  std::uint64_t previous = 0;    ///< sequence of the message before it, below its own; 0: none is known
  std::uint64_t delivered = 0;   ///< the highest place before it of which the sender has a receipt, or knows nothing
  std::uint64_t wait_ms = 0;     ///< after `sent`, until the message before it expires; 0: it is settled
  std::uint64_t earlier_ms = 0;  ///< the same for those before that one, if one of them expires later; or 0

  static constexpr auto kFields =
      wire::fields(wire::field<1>("conversation", &Order::conversation, wire::max_size(kMaxConversationLength)),
                   wire::field<2>("place", &Order::place), wire::field<3>("previous", &Order::previous),
                   wire::field<4>("delivered", &Order::delivered), wire::field<5>("wait_ms", &Order::wait_ms),
                   wire::field<6>("earlier_ms", &Order::earlier_ms));

  friend bool operator==(const Order&, const Order&) = default;
};

/// What only the recipient sees: the plaintext of a session message.
struct Content {
  static constexpr std::string_view kName = "content";
  /// The sender's outbox: Unix milliseconds of its creation. A later one replaces it.
  std::uint64_t epoch = 0;
  /// Of durable messages of this sender to this recipient in this epoch: ascending, with gaps. Volatile ones have 0.
  std::uint64_t sequence = 0;
  std::uint64_t floor = 0;  ///< every sequence below this is settled: the sender will not send it again
  WallTime sent;
  std::string type;          ///< application-defined name, "" is plain
  std::string content_type;  ///< media type, "" is unknown
  std::optional<MessageId> in_reply_to;
  ByteView body;  ///< borrowed
  std::optional<Exchange> exchange = {};
  std::optional<Order> order = {};  ///< durable messages that belong to no question

  static constexpr auto kFields =
      wire::fields(wire::field<1>("epoch", &Content::epoch), wire::field<2>("sequence", &Content::sequence),
                   wire::field<3>("floor", &Content::floor), wire::field<4>("sent", &Content::sent),
                   wire::field<5>("type", &Content::type, wire::max_size(kMaxTypeLength)),
                   wire::field<6>("content_type", &Content::content_type, wire::max_size(kMaxTypeLength)),
                   wire::field<7>("in_reply_to", &Content::in_reply_to),
                   wire::field<8>("body", &Content::body, wire::max_size(kMaxBody)),
                   wire::field<9>("exchange", &Content::exchange), wire::field<10>("order", &Content::order));
};

/// The way by which one of the messages of a receipt came: every node that handed it on has signed that.
struct ProvenPath {
  static constexpr std::string_view kName = "proven_path";
  std::uint32_t item = 0;  ///< of Receipt::delivered
  crypto::Digest subject;  ///< what the hops sign (path/path.hpp)
  path::Hops hops;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("item", &ProvenPath::item), wire::field<2>("subject", &ProvenPath::subject),
                   wire::field<3>("hops", &ProvenPath::hops, wire::max_count(path::kMaxHops)));
  friend bool operator==(const ProvenPath&, const ProvenPath&) = default;
};

struct ProvenPaths {
  static constexpr std::string_view kName = "proven_paths";
  std::vector<ProvenPath> paths;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("paths", &ProvenPaths::paths, wire::max_count(kMaxReceiptIds)));
  friend bool operator==(const ProvenPaths&, const ProvenPaths&) = default;
};

/// What the recipient of messages could not open; for senders to whom it has no link.
struct Unopened {
  static constexpr std::string_view kName = "unopened";
  std::vector<Uuid> sessions;       ///< it does not have these, or they are over: start a new one
  std::vector<MessageId> messages;  ///< their keys are used up, or they cannot be placed: seal them anew

  static constexpr auto kFields =
      wire::fields(wire::field<1>("sessions", &Unopened::sessions, wire::max_count(kMaxLostSessions)),
                   wire::field<2>("messages", &Unopened::messages, wire::max_count(kMaxReceiptIds)));
  friend bool operator==(const Unopened&, const Unopened&) = default;
};

/// The payload of a COSE_Sign1 by the recipient: it alone proves delivery. One signature covers many messages.
struct Receipt {
  static constexpr std::string_view kName = "receipt";
  identity::PeerId by;  ///< who signed: the recipient
  identity::PeerId to;  ///< the sender of the messages
  WallTime at;
  std::vector<MessageId> delivered;
  std::optional<ProvenPaths> paths = {};  ///< of those that came through relays
  std::optional<Unopened> unopened = {};

  static constexpr auto kFields = wire::fields(
      wire::field<1>("by", &Receipt::by), wire::field<2>("to", &Receipt::to), wire::field<3>("at", &Receipt::at),
      wire::field<4>("delivered", &Receipt::delivered, wire::max_count(kMaxReceiptIds)),
      wire::field<5>("paths", &Receipt::paths), wire::field<6>("unopened", &Receipt::unopened));

  friend bool operator==(const Receipt&, const Receipt&) = default;
};

/// Why a recipient did not take messages now. Not signed: it is believed only from the recipient's own link, and only
/// delays; it never settles a message.
struct Refusal {
  static constexpr std::string_view kName = "refusal";
  enum class Reason : std::uint8_t {
    inbox_full = 0,
    storage = 1,
    expired = 2,
    window = 3,
    strangers_full = 4,
    unwanted = 5,  ///< it takes none of this sender, who need not try again by himself
  };
  Reason reason = Reason::inbox_full;
  std::uint32_t retry_after_ms = 0;  ///< clamped by the receiver of the refusal
  std::vector<MessageId> ids;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("reason", &Refusal::reason, wire::max_enum(Reason::unwanted)),
                   wire::field<2>("retry_after_ms", &Refusal::retry_after_ms),
                   wire::field<3>("ids", &Refusal::ids, wire::max_count(kMaxReceiptIds)));

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

}  // namespace ekiden::router
