// The story of a message, as trace() tells it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "identity/peer_id.hpp"
#include "path/path.hpp"
#include "router/envelope.hpp"
#include "wire/message.hpp"
#include "wire/priority.hpp"

namespace ekiden::router {

enum class MessageState : std::uint8_t {
  queued = 0,     ///< accepted, waiting for a link or a session
  in_flight = 1,  ///< transmitted, no receipt yet
  delivered = 2,  ///< the recipient's receipt has verified
  expired = 3,    ///< its time was over before a receipt came
  sent = 4,       ///< volatile: handed to the link; nothing more will be known
};
std::string_view message_state_name(MessageState state);

/// One step of a message's story.
struct TraceStep {
  WallTime at;
  std::string what;
};

/// A mailbox that has signed that it keeps a message for its recipient.
struct StoredAt {
  static constexpr std::string_view kName = "stored_at";
  identity::PeerId by;
  WallTime until;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("by", &StoredAt::by), wire::field<2>("until", &StoredAt::until));
  friend bool operator==(const StoredAt&, const StoredAt&) = default;
};
inline constexpr std::size_t kMaxStoredAt = 8;

struct Trace {
  MessageId id;
  identity::PeerId peer;
  bool outgoing = true;
  MessageState state = MessageState::queued;
  wire::Priority priority = wire::Priority::normal;
  DeliveryClass delivery = DeliveryClass::durable;
  WallTime accepted;
  std::optional<WallTime> delivered;
  WallTime expires;
  std::uint32_t attempts = 0;
  std::size_t size = 0;
  std::string type = {};         ///< as the application named it
  std::vector<TraceStep> steps;  ///< at most kMaxTraceSteps, the oldest after the first dropped
  std::vector<StoredAt> stored;  ///< at most kMaxStoredAt; some may have given it to the recipient meanwhile
  Bytes receipt;                 ///< COSE_Sign1, empty until delivered
  std::optional<identity::PeerId> relay = {};  ///< that has taken it last, until it is delivered
  path::Hops path = {};  ///< the way that its receipt proves: ourselves, then relays; empty if it was direct
};
inline constexpr std::size_t kMaxTraceSteps = 24;

/// Which outgoing messages. As it is made: all of them.
struct OutgoingFilter {
  std::optional<identity::PeerId> to = {};
  std::optional<std::string> type = {};
  std::optional<MessageState> state = {};
  std::optional<WallTime> since = {};  ///< accepted then or later
};

}  // namespace ekiden::router
