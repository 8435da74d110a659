// The messages of the partition detector: heartbeats between neighbours, and statements that all members hear.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "crypto/keys.hpp"
#include "identity/peer_id.hpp"
#include "wire/message.hpp"

namespace ekiden::partition {

/// Bit of the features in a peer record: the node sends heartbeats, and hands statements on.
inline constexpr std::uint64_t kPartitionFeature = 32;

inline constexpr std::size_t kMaxSilent = 32;
inline constexpr std::size_t kMaxStatementSize = 1536;  ///< signed
/// Of a statement. Nobody gets there by counting; larger ones are refused, so that there is always a next one.
inline constexpr std::uint64_t kMaxSequence = std::uint64_t{1} << 53;

/// MessageType::partition_heartbeat. The echo shows the neighbour that it is heard, which silence alone does not.
struct Heartbeat {
  static constexpr std::string_view kName = "partition_heartbeat";
  std::uint64_t sequence = 0;  ///< larger than all that this node has sent before, over any link
  std::uint64_t echo = 0;      ///< the largest sequence heard of the neighbour; 0: none yet

  static constexpr auto kFields =
      wire::fields(wire::field<1>("sequence", &Heartbeat::sequence), wire::field<2>("echo", &Heartbeat::echo));
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

/// Travels signed (partition/statement.hpp): I am here, and these of my neighbours are silent. Takes the place of all
/// that its author has said before.
struct Statement {
  static constexpr std::string_view kName = "partition_statement";
  crypto::Ed25519PublicKey public_key;  ///< of who says it
  std::uint64_t sequence = 0;           ///< 1 to kMaxSequence; the larger one is the newer one, also over restarts
  std::vector<identity::PeerId> silent;
  bool leaving = false;  ///< I am going, and nobody need miss me

  static constexpr auto kFields = wire::fields(
      wire::field<1>("public_key", &Statement::public_key), wire::field<2>("sequence", &Statement::sequence),
      wire::field<3>("silent", &Statement::silent, wire::max_count(kMaxSilent)),
      wire::field<4>("leaving", &Statement::leaving));
  friend bool operator==(const Statement&, const Statement&) = default;

  identity::PeerId author() const { return identity::PeerId::of(public_key); }
};

}  // namespace ekiden::partition
