// A machine that makes links like a node, and answers whoever asks for its bootstrap list with a lie. It is told to
// everybody as a node to join through, so its list is the first thing that they hear.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/outbox.hpp"
#include "base/rng.hpp"
#include "bootstrap/list.hpp"
#include "identity/identity.hpp"
#include "link/pool.hpp"
#include "sim/network.hpp"
#include "sim/schedule.hpp"

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

class Liar final : public NetworkHost {
 public:
  Liar(Schedule& schedule, Network& network, Lie lie, Rng rng);

  const identity::Identity& self() const { return self_; }
  HostIndex host() const { return host_; }
  /// Whom a circular list names beside itself and the asker.
  void set_accomplices(std::vector<crypto::Ed25519PublicKey> keys) { accomplices_ = std::move(keys); }
  std::uint64_t told() const { return told_; }

  // NetworkHost.
  bool is_up() const override { return true; }
  void on_accepted(link::ConnId conn, const identity::IpAddress& from, std::uint16_t port) override;
  void on_connected(link::ConnId /*conn*/, const identity::SocketAddress& /*to*/) override {}
  void on_connect_failed(link::ConnId /*conn*/, Error /*why*/) override {}
  void on_bytes(link::ConnId conn, ByteView bytes) override;
  void on_room(link::ConnId conn) override;
  void on_closed(link::ConnId conn, Error why) override;
  void on_datagram(const identity::SocketAddress& /*from*/, ByteView /*bytes*/) override {}

 private:
  Now now() const;
  void pump();
  void flush(link::ConnId conn);
  void arm_timer();
  void answer(const link::Message& message);
  Bytes lie_to(const identity::PeerId& asker);
  std::vector<bootstrap::ListedNode> nodes_for(const identity::PeerId& asker);

  Schedule& schedule_;
  Network& network_;
  const Lie lie_;
  Rng rng_;
  identity::Identity self_;
  HostIndex host_;
  link::LinkPool pool_;
  Outbox<link::LinkPool::Effect> out_;
  std::vector<crypto::Ed25519PublicKey> accomplices_;
  std::map<identity::PeerId, crypto::Ed25519PublicKey> askers_;  ///< keys of those with a link
  std::optional<Instant> timer_;
  std::uint64_t told_ = 0;
};

}  // namespace ekiden::sim
