// Contacts: the peers that the owner of a node has named.
#pragma once

#include <cstdint>
#include <ekiden/message.hpp>
#include <string>
#include <vector>

namespace ekiden {

enum class TrustTier : std::uint8_t { stranger, contact, trusted };

struct Contact {
  PeerId id;
  std::string name;  ///< local: other peers never see it
  TrustTier tier = TrustTier::contact;
  std::vector<std::string> endpoints;  ///< where it may be dialled: "tcp://bob.example:7420"
};

}  // namespace ekiden
