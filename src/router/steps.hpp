// The trail of one outgoing message: what happened to it and when, small enough to keep for every message.
//
// A step is a kind, a time and one number; it becomes a sentence only when somebody asks. Bounds: kMaxTraceSteps steps;
// when more happen, the first is kept (how it began) and the oldest of the others goes (what matters is what happened
// lately).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "router/router.hpp"

namespace ekiden::router {

/// Never renumber: history rows hold these numbers.
enum class StepKind : std::uint8_t {
  accepted = 0,       ///< number: 1 if volatile
  restored = 1,       ///< after a restart
  no_link = 2,        ///< nothing to send it over
  behind_others = 3,  ///< number: how many are in flight
  sealed = 4,         ///< number: size of the ciphertext
  unsealable = 5,     ///< number: Errc
  transmitted = 6,    ///< number: which attempt
  not_taken = 7,      ///< the link's queue was full
  link_lost = 8,
  session_lost = 9,
  refused = 10,  ///< number: reason + 256 * milliseconds until the next attempt
  delivered = 11,
  expired = 12,
  deposited = 13,  ///< number: which time
  stored = 14,     ///< number: mailboxes that keep it
  forwarded = 15,  ///< through relays. number: which attempt
  taken = 16,      ///< a relay has it on its disk
  returned = 17,   ///< no relay has it
};
inline constexpr std::uint64_t kStepKinds = 18;

struct Step {
  WallTime at;
  StepKind kind{};
  std::uint64_t number = 0;
};

class Steps {
 public:
  void add(Now now, StepKind kind, std::uint64_t number = 0);

  /// Sentences. `peer` is who receives the message.
  std::vector<TraceStep> describe(const identity::PeerId& peer) const;

  /// Three numbers for each step (kind, milliseconds since `from` with its sign in the lowest bit, number): the form in
  /// which history rows keep them.
  std::vector<std::uint64_t> pack(WallTime from) const;
  /// Steps of kinds that this build does not know are left out. Errors: malformed (not a multiple of three).
  static Result<Steps> unpack(const std::vector<std::uint64_t>& packed, WallTime from);

  const std::vector<Step>& all() const { return steps_; }

 private:
  std::vector<Step> steps_;
};

/// "inbox full" and the like, as a part of a sentence.
std::string_view refusal_reason_text(Refusal::Reason reason);

}  // namespace ekiden::router
