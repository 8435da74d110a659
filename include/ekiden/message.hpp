// Messages as an application sees them.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <ekiden/error.hpp>
#include <ekiden/export.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace ekiden {

/// Who an agent is: the SHA-256 of its Ed25519 public key. Written "ek1…" (Bech32m, which catches typing errors).
struct PeerId {
  std::array<std::uint8_t, 32> bytes{};

  /// Errors: malformed, with what is wrong.
  EKIDEN_EXPORT static Result<PeerId> parse(std::string_view text);
  EKIDEN_EXPORT std::string text() const;

  friend auto operator<=>(const PeerId&, const PeerId&) = default;
};

enum class Priority : std::uint8_t { critical, high, normal, low, background };

/// durable: accepted when it is on disk, tried until it expires, delivered once, receipted by the recipient.
/// volatile_: never waits for a disk; sent once; lost with a link or a process.
enum class Delivery : std::uint8_t { durable, volatile_ };

/// What the owner of the node thinks of a peer: not among its contacts, among them, or trusted to fill the inbox.
enum class TrustTier : std::uint8_t { stranger, contact, trusted };

struct OutgoingMessage {
  PeerId to{};
  std::string body{};          ///< any bytes, at most 32 KiB
  std::string type{};          ///< application-defined, at most 128 bytes
  std::string content_type{};  ///< media type, at most 128 bytes
  std::string in_reply_to{};   ///< id of a message, or empty
  std::string id{};            ///< a UUID v4 of yours makes sending idempotent; empty: one is made
  std::chrono::milliseconds ttl = std::chrono::hours(24 * 7);  ///< at most 30 days
  Priority priority = Priority::normal;
  Delivery delivery = Delivery::durable;
  /// Durable messages reach the recipient's application in the order in which they were sent, for each conversation.
  std::string conversation{};  ///< application-defined, UTF-8, at most 64 bytes; empty: the unnamed one with this peer
  bool unordered = false;      ///< it waits for none before it, and none waits for it; then without a conversation
};

struct Message {
  std::uint64_t number = 0;  ///< the order of arrival at this node; names the message in take()
  std::string id;
  PeerId from;
  std::string body;
  std::string type;
  std::string content_type;
  std::string in_reply_to;
  std::chrono::system_clock::time_point sent;      ///< by the clock of the sender
  std::chrono::system_clock::time_point received;  ///< by ours
  Priority priority = Priority::normal;
  Delivery delivery = Delivery::durable;
  TrustTier tier = TrustTier::stranger;  ///< of the sender, when it arrived
  bool ordered = false;                  ///< it has its place in a conversation
  std::string conversation;              ///< which one; may be empty, the unnamed one
  std::uint64_t missing = 0;             ///< so many before it in its conversation did not come while they were valid
  bool late = false;                     ///< it was missing: later ones of its conversation came first
};

/// A question to a peer, or to whoever offers a capability.
struct Question {
  std::optional<PeerId> to{};  ///< nothing: the best of those who offer `capability`
  std::string capability{};    ///< "translate/ja-en"; with `to` it may be empty: whatever that peer offers
  std::string body{};          ///< any bytes, at most 32 KiB
  std::string type{};          ///< application-defined, at most 128 bytes
  std::string content_type{};  ///< media type, at most 128 bytes
  std::chrono::milliseconds timeout = std::chrono::seconds(30);  ///< until the answer is here; at most an hour
  Priority priority = Priority::normal;
};

struct Answer {
  PeerId from{};             ///< who answered
  std::string capability{};  ///< as which it was asked
  std::string body{};
  std::string type{};
  std::string content_type{};
  std::chrono::microseconds took{};
};

/// A question of somebody else, as a handler of Node::serve() gets it.
struct Request {
  std::string id;
  PeerId from;
  std::string capability;  ///< which of ours it is for
  std::string body;
  std::string type;
  std::string content_type;
  std::chrono::system_clock::time_point received;
  std::chrono::milliseconds timeout{};  ///< what the asker gave, from `received` on
};

/// What a handler answers.
struct Reply {
  std::string body{};  ///< any bytes, at most 32 KiB
  std::string type{};
  std::string content_type{};
};

/// Where a message to a capability went.
struct Placement {
  std::string id;  ///< of the message
  PeerId to;
  std::string capability;  ///< as that peer offers it
  bool linked = false;     ///< there was a link to it; otherwise nobody could be reached, and the message waits
};

enum class MessageState : std::uint8_t {
  queued,     ///< accepted, waiting for a link or a session
  in_flight,  ///< transmitted, no receipt yet
  delivered,  ///< the recipient's signed receipt has verified
  expired,    ///< its time was over before a receipt came
  sent,       ///< volatile: handed to the link; nothing more will be known
};

}  // namespace ekiden
