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
};

enum class MessageState : std::uint8_t {
  queued,     ///< accepted, waiting for a link or a session
  in_flight,  ///< transmitted, no receipt yet
  delivered,  ///< the recipient's signed receipt has verified
  expired,    ///< its time was over before a receipt came
  sent,       ///< volatile: handed to the link; nothing more will be known
};

}  // namespace ekiden
