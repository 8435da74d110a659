// Sybils: many identities of one attacker in a few networks, who take part in the DHT to spoil it (Douceur, "The Sybil
// Attack"). They answer every search with each other, hide what they keep, or lie about it, and push themselves into
// the tables of others. Each publishes a record of its own that names addresses which nobody may dial.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/bytes.hpp"
#include "dht/key.hpp"
#include "dht/messages.hpp"
#include "identity/node_info.hpp"
#include "sim/datagram_host.hpp"

namespace ekiden::sim {

/// What the identities of one attacker know together.
struct Gang {
  std::vector<identity::NodeInfo> members;
  std::vector<identity::PeerId> ids;  ///< of the members
  std::vector<identity::NodeInfo> honest;
  std::vector<identity::NodeInfo> preferred;       ///< among the honest: pushed at in every round
  std::vector<identity::SocketAddress> forbidden;  ///< told in every answer, so that somebody asks there
  /// What somebody wanted kept under a key.
  struct Kept {
    Bytes oldest;  ///< the first one
    std::uint64_t oldest_sequence = 0;
    std::uint64_t newest_sequence = 0;
  };
  std::map<dht::Key, Kept> kept;
  std::uint64_t forgeries = 0;  ///< records told whose signature does not hold
  std::uint64_t misplaced = 0;  ///< told under the key of others
  std::uint64_t replays = 0;    ///< told though a newer one of the same owner had come

  /// Up to twenty members, closest to the target first.
  std::vector<identity::NodeInfo> closest(const dht::Key& target) const;
};

class Sybil final : public DatagramHost {
 public:
  enum class Kind : std::uint8_t {
    hides,    ///< keeps nothing
    forges,   ///< tells records whose signature does not hold, and its own under the key of others
    replays,  ///< tells the oldest record that it has ever seen
  };
  static constexpr std::uint32_t kKinds = 3;

  /// `gang` outlives it.
  Sybil(Schedule& schedule, Network& network, Gang& gang, Kind kind, const crypto::Ed25519Seed& seed,
        const identity::IpAddress& at, Rng rng);

  /// Pushes itself into tables again and again from now on, and stores its record.
  void start();
  Bytes record() const;

 private:
  Bytes answer_to(const datagram::Queried& query) override;
  void keep(const dht::Query& store);
  std::vector<Bytes> values_under(const dht::Key& key);
  void push();
  void store_record();

  Gang& gang_;
  Kind kind_;
};

}  // namespace ekiden::sim
