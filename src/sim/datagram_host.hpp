// A machine that speaks secure datagrams and nothing else: what attackers of the DHT are made of. They keep to the
// transport, for what does not authenticate reaches no engine; what they say is their own.
#pragma once

#include <cstdint>
#include <optional>

#include "base/outbox.hpp"
#include "base/rng.hpp"
#include "datagram/datagrams.hpp"
#include "identity/identity.hpp"
#include "sim/network.hpp"
#include "sim/schedule.hpp"

namespace ekiden::sim {

class DatagramHost : public NetworkHost {
 public:
  DatagramHost(Schedule& schedule, Network& network, const crypto::Ed25519Seed& seed, const identity::IpAddress& at,
               Rng rng);

  const identity::Identity& self() const { return self_; }
  identity::NodeInfo info() const { return {self_.public_key(), at_}; }

  // NetworkHost.
  bool is_up() const override { return true; }
  void on_accepted(link::ConnId conn, const identity::IpAddress& from, std::uint16_t port) override;
  void on_connected(link::ConnId /*conn*/, const identity::SocketAddress& /*to*/) override {}
  void on_connect_failed(link::ConnId /*conn*/, Error /*why*/) override {}
  void on_bytes(link::ConnId /*conn*/, ByteView /*bytes*/) override {}
  void on_room(link::ConnId /*conn*/) override {}
  void on_closed(link::ConnId /*conn*/, Error /*why*/) override {}
  void on_datagram(const identity::SocketAddress& from, ByteView bytes) override;

 protected:
  /// What to answer.
  virtual Bytes answer_to(const datagram::Queried& query) = 0;
  /// To what was asked.
  virtual void on_answer(const datagram::Answered& /*answer*/) {}

  void ask(const identity::NodeInfo& to, Bytes query, bool first_flight_allowed);
  Now now() const;

  Schedule& schedule_;
  Network& network_;
  Rng rng_;

 private:
  void pump();
  void arm_timer();

  identity::Identity self_;
  identity::SocketAddress at_;
  HostIndex host_;
  datagram::Datagrams datagrams_;
  Outbox<datagram::Datagrams::Effect> out_;
  std::optional<Instant> timer_;
  std::uint64_t asked_ = 0;
};

}  // namespace ekiden::sim
