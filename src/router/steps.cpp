#include "router/steps.hpp"

#include <utility>

namespace ekiden::router {
namespace {

std::string wait_text(std::uint64_t milliseconds) {
  if (milliseconds < 1000) return std::to_string(milliseconds) + " ms";
  return std::to_string((milliseconds + 999) / 1000) + " s";
}

std::string refused_text(std::uint64_t number) {
  const auto reason = static_cast<Refusal::Reason>(number % 256);
  return "recipient refused: " + std::string(refusal_reason_text(reason)) + ", trying again in " +
         wait_text(number / 256);
}

std::string transmitted_text(std::uint64_t attempt) {
  if (attempt <= 1) return "sent over the link";
  return "sent over the link again (attempt " + std::to_string(attempt) + ")";
}

std::string sentence(const Step& step, const identity::PeerId& peer) {
  switch (step.kind) {
    case StepKind::accepted:
      return step.number == 1 ? "accepted, kept in memory only" : "accepted and stored";
    case StepKind::restored:
      return "restored from disk after a restart; what was tried before is not recorded";
    case StepKind::no_link:
      return "waiting: no link to the recipient";
    case StepKind::behind_others:
      return "waiting: " + std::to_string(step.number) + " earlier messages have no receipt yet";
    case StepKind::sealed:
      return "sealed end to end, " + std::to_string(step.number) + " bytes";
    case StepKind::unsealable:
      return "cannot be sealed now: " + std::string(errc_name(static_cast<Errc>(step.number)));
    case StepKind::transmitted:
      return transmitted_text(step.number);
    case StepKind::not_taken:
      return "the link's queue was full, will be sent again";
    case StepKind::link_lost:
      return "link lost before a receipt came, will be sent again";
    case StepKind::session_lost:
      return "recipient has lost the session, will be sealed again";
    case StepKind::refused:
      return refused_text(step.number);
    case StepKind::delivered:
      return "receipt verified, signed by " + peer.text();
    case StepKind::expired:
      return "expired without a receipt";
    case StepKind::deposited:
      return step.number <= 1 ? "recipient cannot be reached: leaving it with mailboxes"
                              : "leaving it with mailboxes again";
    case StepKind::stored:
      return "kept by " + std::to_string(step.number) + (step.number == 1 ? " mailbox" : " mailboxes");
    case StepKind::forwarded:
      return step.number <= 1 ? "sent through relays"
                              : "sent through relays again (attempt " + std::to_string(step.number) + ")";
    case StepKind::taken:
      return "taken by a relay, which hands it on";
    case StepKind::returned:
      return "the relays cannot hand it on";
  }
  std::unreachable();
}

std::uint64_t zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

}  // namespace

std::string_view refusal_reason_text(Refusal::Reason reason) {
  switch (reason) {
    case Refusal::Reason::inbox_full:
      return "inbox full";
    case Refusal::Reason::storage:
      return "its storage fails";
    case Refusal::Reason::expired:
      return "expired by its clock";
    case Refusal::Reason::window:
      return "it wants the message sealed anew";
    case Refusal::Reason::strangers_full:
      return "its room for strangers is full (it has not named us as a contact)";
    case Refusal::Reason::unwanted:
      return "it takes no messages of this node (we are blocked, or it takes none of strangers)";
  }
  return "unknown reason";
}

void Steps::add(Now now, StepKind kind, std::uint64_t number) {
  if (steps_.empty()) steps_.reserve(4);
  if (steps_.size() == kMaxTraceSteps) steps_.erase(steps_.begin() + 1);
  steps_.push_back({.at = now.wall, .kind = kind, .number = number});
}

std::vector<TraceStep> Steps::describe(const identity::PeerId& peer) const {
  std::vector<TraceStep> sentences;
  sentences.reserve(steps_.size());
  for (const Step& step : steps_) sentences.push_back({.at = step.at, .what = sentence(step, peer)});
  return sentences;
}

std::vector<std::uint64_t> Steps::pack(WallTime from) const {
  std::vector<std::uint64_t> packed;
  packed.reserve(3 * steps_.size());
  for (const Step& step : steps_) {
    packed.push_back(static_cast<std::uint64_t>(step.kind));
    packed.push_back(zigzag((step.at - from).count()));
    packed.push_back(step.number);
  }
  return packed;
}

Result<Steps> Steps::unpack(const std::vector<std::uint64_t>& packed, WallTime from) {
  if (packed.size() % 3 != 0) return fail(Errc::malformed, "the steps of a history entry are cut off");
  Steps steps;
  for (std::size_t i = 0; i + 2 < packed.size(); i += 3) {
    if (packed[i] >= kStepKinds) continue;
    const std::int64_t since = unzigzag(packed[i + 1]);
    const auto limit = static_cast<std::int64_t>(kMaxUnixMs);
    if (since > limit || since < -limit) return fail(Errc::malformed, "a step of a history entry is out of time");
    steps.steps_.push_back(
        {.at = from + milliseconds(since), .kind = static_cast<StepKind>(packed[i]), .number = packed[i + 2]});
  }
  return steps;
}

}  // namespace ekiden::router
