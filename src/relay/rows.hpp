// What relays keep on disk. Never reuse a key for another meaning.
//
//   packets  local number   PacketRow: a packet of somebody else, until the next one has taken it or its time is over
//
// A row that does not decode is corruption and fails the start.
#pragma once

#include "relay/messages.hpp"

namespace ekiden::relay {

struct PacketRow {
  static constexpr std::string_view kName = "packet_row";
  identity::PeerId giver;  ///< the neighbour from which it came: whose share it uses
  WallTime until{};
  ByteView packet;  ///< an encoded Packet, as it came; borrowed

  static constexpr auto kFields =
      wire::fields(wire::field<1>("giver", &PacketRow::giver), wire::field<2>("until", &PacketRow::until),
                   wire::field<3>("packet", &PacketRow::packet, wire::max_size(kMaxMessage)));
};

}  // namespace ekiden::relay
