// First flights in the name of somebody else, and copies of those that were sent before: an attacker who wants others
// to send a victim more than he sends himself, or to keep state for nobody.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "base/rng.hpp"
#include "identity/identity.hpp"
#include "identity/node_info.hpp"
#include "sim/network.hpp"
#include "sim/schedule.hpp"

namespace ekiden::sim {

/// A host that asks nothing, answers nothing and counts.
class Bystander final : public NetworkHost {
 public:
  Bystander(Network& network, const identity::IpAddress& at)
      : network_(network), at_{at, Network::kPort}, host_(network.add_host(*this, at)) {}

  const identity::SocketAddress& at() const { return at_; }
  HostIndex host() const { return host_; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t dials() const { return dials_; }
  std::uint64_t datagrams() const { return datagrams_; }
  /// Called with each datagram, when it has been counted: its sender, and the bytes that came from there so far.
  using Heard = std::function<void(const identity::SocketAddress& from, std::uint64_t bytes)>;
  void tell(Heard heard) { heard_ = std::move(heard); }

  // NetworkHost.
  bool is_up() const override { return true; }
  void on_accepted(link::ConnId conn, const identity::IpAddress& /*from*/, std::uint16_t /*port*/) override {
    ++dials_;
    network_.close(host_, conn);
  }
  void on_connected(link::ConnId /*conn*/, const identity::SocketAddress& /*to*/) override {}
  void on_connect_failed(link::ConnId /*conn*/, Error /*why*/) override {}
  void on_bytes(link::ConnId /*conn*/, ByteView /*bytes*/) override {}
  void on_room(link::ConnId /*conn*/) override {}
  void on_closed(link::ConnId /*conn*/, Error /*why*/) override {}
  void on_datagram(const identity::SocketAddress& from, ByteView bytes) override {
    ++datagrams_;
    bytes_ += bytes.size();
    if (heard_) heard_(from, bytes_from_[from] += bytes.size());
  }

 private:
  Network& network_;
  identity::SocketAddress at_;
  HostIndex host_;
  std::uint64_t bytes_ = 0;
  std::uint64_t dials_ = 0;
  std::uint64_t datagrams_ = 0;
  std::map<identity::SocketAddress, std::uint64_t> bytes_from_;
  Heard heard_;
};

class Spoofer {
 public:
  /// Sends from `host`, in the name of `victim`.
  Spoofer(Schedule& schedule, Network& network, HostIndex host, const identity::SocketAddress& victim, Rng rng);

  /// One first flight in the name of the victim and of an identity that nobody has seen, and copies of it later.
  void shoot(const identity::NodeInfo& at);
  std::uint64_t bytes() const { return bytes_; }
  /// That went to this node so far.
  std::uint64_t bytes_to(const identity::SocketAddress& to) const;

 private:
  void send(const identity::SocketAddress& to, const Bytes& packet);

  Schedule& schedule_;
  Network& network_;
  HostIndex host_;
  identity::SocketAddress victim_;
  Rng rng_;
  std::uint64_t bytes_ = 0;
  std::map<identity::SocketAddress, std::uint64_t> bytes_to_;
};

}  // namespace ekiden::sim
