// Topics as an application sees them.
#pragma once

#include <chrono>
#include <cstdint>
#include <ekiden/message.hpp>
#include <string>

namespace ekiden {

/// Something that was published in a topic; signed by its publisher, whom anybody may be.
struct TopicMessage {
  std::string topic;
  PeerId from;
  std::string body;
  std::uint64_t run = 0;                     ///< grows with each start of the publisher's node
  std::uint64_t sequence = 0;                ///< from 1 in each run and topic: a number that is left out was missed
  std::chrono::system_clock::time_point at;  ///< by the clock of the publisher
  std::uint32_t hops = 0;                    ///< nodes on its way, as these say
  std::string realm{};                       ///< among whose members; empty: among all
};

struct Publication {
  std::uint64_t sequence = 0;
  std::size_t neighbours = 0;  ///< through whom it goes; 0: whoever comes within a minute has it
};

}  // namespace ekiden
