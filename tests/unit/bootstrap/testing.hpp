// Shared by the bootstrap tests: fixed identities and lists.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bootstrap/list.hpp"
#include "support/identities.hpp"

namespace ekiden::bootstrap {

inline ListedNode listed(Byte number, std::vector<std::string> endpoints) {
  return {.public_key = test::make_identity(number).public_key(), .endpoints = std::move(endpoints), .note = {}};
}

/// A list of two nodes, signed by identity `signer` when it is signed.
inline NodeList sample_list(Byte signer) {
  NodeList list;
  list.public_key = test::make_identity(signer).public_key();
  list.sequence = 7;
  list.issued_at = test::kWall;
  list.ttl_seconds = 30 * 86'400;
  list.nodes = {listed(2, {"tcp://boot.example.org:7420", "udp://8.8.4.4:7420"}),
                listed(3, {"wss://[2606:4700::1]:443"})};
  list.nodes[0].note = "two of three, Example Org";
  return list;
}

}  // namespace ekiden::bootstrap
