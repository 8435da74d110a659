// A machine of a simulation that makes links like a node and has no node: what it says over them is up to whoever
// derives from it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/outbox.hpp"
#include "base/rng.hpp"
#include "identity/identity.hpp"
#include "link/pool.hpp"
#include "sim/network.hpp"
#include "sim/schedule.hpp"

namespace ekiden::sim {

class LinkHost : public NetworkHost {
 public:
  const identity::Identity& self() const { return self_; }
  HostIndex host() const { return host_; }

  // NetworkHost.
  bool is_up() const override { return true; }
  void on_accepted(link::ConnId conn, const identity::IpAddress& from, std::uint16_t port) override;
  void on_connected(link::ConnId conn, const identity::SocketAddress& to) override;
  void on_connect_failed(link::ConnId conn, Error why) override;
  void on_bytes(link::ConnId conn, ByteView bytes) override;
  void on_room(link::ConnId conn) override;
  void on_closed(link::ConnId conn, Error why) override;
  void on_datagram(const identity::SocketAddress& /*from*/, ByteView /*bytes*/) override {}

 protected:
  /// `features`: of its links, as a node would announce them. `at`: an address that no other host has.
  LinkHost(Schedule& schedule, Network& network, const crypto::Ed25519Seed& seed, std::uint64_t features, Rng rng,
           const std::optional<identity::IpAddress>& at = {});

  /// The signed record that it shows, as of now. Without one nobody gets a link.
  virtual Bytes record() = 0;
  virtual void on_up(const link::Up& /*up*/) {}
  virtual void on_down(const identity::PeerId& /*peer*/) {}
  virtual void on_message(const link::Message& message) = 0;

  Schedule& schedule() { return schedule_; }
  Network& network() { return network_; }
  Now now() const;
  bool has_link(const identity::PeerId& peer) const { return pool_.is_up(peer); }
  /// Bytes for the peer that have not left.
  std::size_t queued(const identity::PeerId& peer) const { return pool_.queued_bytes(peer); }
  /// Nothing happens without a link.
  void send(const identity::PeerId& to, wire::Priority priority, ByteView message);
  void dial(const identity::PeerId& peer, const identity::Endpoint& endpoint);
  /// Ends the links to the peer, and no longer dials it.
  void hang_up(const identity::PeerId& peer);

 private:
  void pump();
  void flush(link::ConnId conn);
  void arm_timer();

  Schedule& schedule_;
  Network& network_;
  identity::Identity self_;
  HostIndex host_;
  link::LinkPool pool_;
  Outbox<link::LinkPool::Effect> out_;
  bool is_pumping_ = false;
  std::optional<Instant> timer_;
};

}  // namespace ekiden::sim
