// Questions and their answers, as applications see them, and what the engine behind them asks of others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/outbox.hpp"
#include "identity/contact.hpp"
#include "router/router.hpp"

namespace ekiden::router {

inline constexpr Duration kMaxAskTimeout = hours(1);
inline constexpr Duration kDefaultAskTimeout = seconds(30);

/// Requests from here on are the node's own; drivers use those below.
inline constexpr std::uint64_t kFirstOwnRequest = std::uint64_t{1} << 63;

constexpr bool is_own(RequestId request) { return static_cast<std::uint64_t>(request) >= kFirstOwnRequest; }

/// Names one question, or one message to a capability, that is under way.
enum class AskId : std::uint64_t {};

struct Question {
  std::optional<identity::PeerId> to = {};  ///< nobody: whoever offers the capability
  std::string capability = {};  ///< with `to` it may be empty: whatever that peer offers, if it is one thing
  std::string type = {};
  std::string content_type = {};
  Bytes body = {};
  Duration timeout = kDefaultAskTimeout;  ///< until the answer is here; at most kMaxAskTimeout
  wire::Priority priority = wire::Priority::normal;
};

struct Answer {
  MessageId request;
  std::string capability;  ///< as which the request was sent
  ArrivedPtr message;      ///< the reply
  Duration took{};
};

/// Where a message to a capability went.
struct Placement {
  MessageId id;
  identity::PeerId to;
  std::string capability;
  bool linked = false;  ///< there was a link to it; otherwise nobody could be reached, and the message waits
};

/// What an application answers to a request.
struct Response {
  bool failed = false;
  std::string type = {};
  std::string content_type = {};
  Bytes body = {};
};

/// Somebody who offers a capability.
struct Candidate {
  identity::PeerId peer;
  std::string capability;  ///< that it offers: the one that was asked for, or one below it
  identity::TrustTier tier = identity::TrustTier::stranger;
  std::optional<Duration> round_trip = {};  ///< of the link, if there is one
};

/// True if who offers `offered` can be asked for `wanted`: the same, or a leading part of its path.
bool covers(std::string_view offered, std::string_view wanted);

// Effects.

/// Search who offers it; answered by Asks::on_owners.
struct FindOwners {
  AskId id;
  std::string capability;
};
/// A link to this peer is wanted, or no longer.
struct Reach {
  identity::PeerId peer;
  bool wanted = true;
};
/// For Router::submit; its answer goes to Asks::on_submitted.
struct SubmitOwn {
  RequestId request;
  Draft draft;
};
/// For Router::take; its answer goes to Asks::on_taken.
struct TakeOwn {
  RequestId request;
  std::vector<std::uint64_t> numbers;
};
/// The answer to ask(). Errors: not_found (nobody offers it), timed_out (says how far the request came), failed (the
/// other side could not do it, and says why), those of Router::submit.
struct Answered {
  RequestId request;
  std::optional<identity::PeerId> to;  ///< who was asked, if it came so far
  Result<Answer> result;
};
/// The answer to place(). Errors: not_found, those of Router::submit.
struct Placed {
  RequestId request;
  Result<Placement> result;
};
/// The answer to answer(): the id of the reply.
struct AnswerDone {
  RequestId request;
  Result<MessageId> result;
};

using AskEffect = std::variant<FindOwners, Reach, SubmitOwn, TakeOwn, Answered, Placed, AnswerDone>;
using AskEffects = Outbox<AskEffect>;

}  // namespace ekiden::router
