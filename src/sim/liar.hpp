// A machine that makes links like a node, and answers whoever asks for its bootstrap list with a lie. It is told to
// everybody as a node to join through, so its list is the first thing that they hear.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/rng.hpp"
#include "bootstrap/list.hpp"
#include "sim/link_host.hpp"

namespace ekiden::sim {

enum class Lie : std::uint8_t {
  dead,       ///< 64 nodes that are nowhere, each in another network
  crowded,    ///< 64 nodes that do not exist, all at the address of one honest machine
  oversized,  ///< more bytes than a list may have
  circular,   ///< itself, whoever asks, and the other liars
  forged,     ///< a list that somebody else has signed
  garbage,    ///< bytes that are no list
};
inline constexpr std::uint32_t kLies = 6;

class Liar final : public LinkHost {
 public:
  Liar(Schedule& schedule, Network& network, Lie lie, Rng rng);

  /// Whom a circular list names beside itself and the asker.
  void set_accomplices(std::vector<crypto::Ed25519PublicKey> keys) { accomplices_ = std::move(keys); }
  std::uint64_t told() const { return told_; }

 private:
  Liar(Schedule& schedule, Network& network, Lie lie, const crypto::Ed25519Seed& seed, Rng& rng);

  Bytes record() override { return record_; }
  void on_up(const link::Up& up) override;
  void on_down(const identity::PeerId& peer) override { askers_.erase(peer); }
  void on_message(const link::Message& message) override;
  Bytes lie_to(const identity::PeerId& asker);
  std::vector<bootstrap::ListedNode> nodes_for(const identity::PeerId& asker);

  const Lie lie_;
  Rng rng_;
  Bytes record_;
  std::vector<crypto::Ed25519PublicKey> accomplices_;
  std::map<identity::PeerId, crypto::Ed25519PublicKey> askers_;  ///< keys of those with a link
  std::uint64_t told_ = 0;
};

}  // namespace ekiden::sim
