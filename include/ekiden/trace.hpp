// The story of one message: where it is, how it got there, and the proof that it arrived.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ekiden/message.hpp>
#include <optional>
#include <string>
#include <vector>

namespace ekiden {

struct TraceStep {
  std::chrono::system_clock::time_point at;
  std::string what;  ///< one sentence, for people
};

struct Trace {
  std::string id;
  PeerId peer;           ///< to whom it goes, or who sent it
  bool outgoing = true;  ///< false: it came in
  MessageState state = MessageState::queued;
  Priority priority = Priority::normal;
  Delivery delivery = Delivery::durable;
  std::chrono::system_clock::time_point accepted;
  std::optional<std::chrono::system_clock::time_point> delivered;
  std::chrono::system_clock::time_point expires;
  std::uint32_t attempts = 0;    ///< transmissions over a link
  std::size_t size = 0;          ///< of the body, in bytes
  std::vector<TraceStep> steps;  ///< in the order of time: how it began, and what happened lately
  std::string receipt;           ///< signed by the recipient (COSE_Sign1); empty until it has verified
};

}  // namespace ekiden
