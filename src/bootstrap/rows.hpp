// What discovery keeps in the store: Table::bootstrap, named by PeerId, one row for each node that was ever reached.
//
// Nodes that were only heard of cost no row. (Attack: lists of invented nodes that fill the disk.) A row that does not
// decode, or whose fields contradict each other, is corruption. Unknown keys are skipped, so that a newer version can
// add fields.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "identity/endpoint.hpp"
#include "identity/peer_id.hpp"
#include "wire/message.hpp"

namespace ekiden::bootstrap {

/// Over any Config::max_endpoints.
inline constexpr std::size_t kMaxRowEndpoints = 64;

struct NodeRow {
  static constexpr std::string_view kName = "bootstrap_row";

  crypto::Ed25519PublicKey public_key;
  std::vector<identity::Endpoint> endpoints;  ///< The one that answered last comes first.
  bool named_by_owner = false;                ///< Its addresses came from the configuration.
  std::uint32_t depth = 0;
  std::optional<identity::PeerId> signer;  ///< Of the list that named it.
  std::uint32_t outcomes = 0;              ///< This and the next four: bootstrap/score.hpp.
  std::uint32_t probes = 0;
  std::uint64_t latency_us = 0;
  WallTime first_reached{};
  WallTime last_reached{};
  std::uint32_t strikes = 0;
  std::uint64_t list_sequence = 0;  ///< Of the newest list that the node has given.

  static constexpr auto kFields = wire::fields(
      wire::field<1>("public_key", &NodeRow::public_key),
      wire::field<2>("endpoints", &NodeRow::endpoints, wire::max_count(kMaxRowEndpoints)),
      wire::field<3>("named_by_owner", &NodeRow::named_by_owner), wire::field<4>("depth", &NodeRow::depth),
      wire::field<5>("signer", &NodeRow::signer), wire::field<6>("outcomes", &NodeRow::outcomes),
      wire::field<7>("probes", &NodeRow::probes), wire::field<8>("latency_us", &NodeRow::latency_us),
      wire::field<9>("first_reached", &NodeRow::first_reached), wire::field<10>("last_reached", &NodeRow::last_reached),
      wire::field<11>("strikes", &NodeRow::strikes), wire::field<12>("list_sequence", &NodeRow::list_sequence));

  friend bool operator==(const NodeRow&, const NodeRow&) = default;
};

}  // namespace ekiden::bootstrap
