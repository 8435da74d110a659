// Contacts: the peers that the owner of a node has named.
#pragma once

#include <cstdint>
#include <ekiden/message.hpp>
#include <string>
#include <vector>

namespace ekiden {

struct Contact {
  PeerId id;
  std::string name;  ///< local: other peers never see it
  TrustTier tier = TrustTier::contact;
  std::vector<std::string> endpoints;  ///< where it may be dialled: "tcp://bob.example:7420"
};

/// A stranger whose messages wait until it is accepted or blocked.
struct ContactRequest {
  PeerId id;
  std::size_t messages = 0;
  std::size_t bytes = 0;
  std::chrono::system_clock::time_point first_received;
  std::string first_type;  ///< of the message that came first
  std::string first_body;  ///< any bytes
};

}  // namespace ekiden
