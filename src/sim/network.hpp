// A simulated network of byte streams.
//
// Streams behave like TCP over a bad network: bytes travel in segments that are delayed, lost, duplicated and
// reordered; lost ones are sent again after a timeout, the receiving end puts them in order, and a stream whose
// segments do not get through for `give_up` is aborted on the side that waits. Datagrams are delayed, lost, duplicated
// and reordered in the same way, and nobody sends them again. A cut drops everything from one host to another, one way.
//
// Hosts are numbered from 0; the driver of a host is told what happens through `NetworkHost`. Each has a /24 of its
// own, unless it is put somewhere, so that limits per prefix see hosts as they would see networks. The addresses are
// public: engines judge them as they do in the world.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "identity/address.hpp"
#include "identity/endpoint.hpp"
#include "identity/node_info.hpp"
#include "link/pool.hpp"
#include "sim/schedule.hpp"

namespace ekiden::sim {

using HostIndex = std::uint32_t;

/// Probabilities are in parts per million.
struct NetworkModel {
  Duration latency_min = milliseconds(1);  ///< one way; the same for a pair of hosts always
  Duration latency_max = milliseconds(50);
  Duration jitter = milliseconds(2);  ///< added to each segment, uniform
  std::uint32_t loss = 0;
  std::uint32_t duplicate = 0;
  std::uint32_t reorder = 0;  ///< segments held back by up to four latencies
  Duration give_up = seconds(30);
  std::size_t window = 256 * 1024;  ///< bytes under way in one direction of a stream
  bool line = false;                ///< each host reaches the one before it and the one behind it, and nobody else
  bool lan = false;                 ///< one local network: private addresses, and what a host says to all reaches all
};

/// What a host's driver hears of its connections.
class NetworkHost {
 public:
  virtual ~NetworkHost() = default;
  virtual bool is_up() const = 0;
  virtual void on_accepted(link::ConnId conn, const identity::IpAddress& from, std::uint16_t port) = 0;
  virtual void on_connected(link::ConnId conn, const identity::SocketAddress& to) = 0;
  virtual void on_connect_failed(link::ConnId conn, Error why) = 0;
  /// Whether it takes what has come on this connection. False: it waits until resume(), and fills the window.
  virtual bool may_read(link::ConnId /*conn*/) { return true; }
  virtual void on_bytes(link::ConnId conn, ByteView bytes) = 0;
  virtual void on_room(link::ConnId conn) = 0;  ///< there is room in the window again
  virtual void on_closed(link::ConnId conn, Error why) = 0;
  virtual void on_datagram(const identity::SocketAddress& from, ByteView bytes) = 0;
  /// Said to all of the local network.
  virtual void on_beacon(const identity::SocketAddress& /*from*/, ByteView /*bytes*/) {}
};

class Network {
 public:
  Network(Schedule& schedule, NetworkModel model, Rng rng);
  ~Network();

  HostIndex add_host(NetworkHost& host);
  /// At an address that no other host has.
  HostIndex add_host(NetworkHost& host, const identity::IpAddress& at);
  /// Of a host that was not put somewhere.
  static identity::IpAddress address_of(HostIndex host);
  static identity::Endpoint endpoint_of(HostIndex host);
  static identity::Endpoint udp_endpoint_of(HostIndex host);
  static constexpr std::uint16_t kPort = 7420;

  /// Fails, as every driver has to, if whoever named the endpoint may not name its address.
  void dial(HostIndex from, link::ConnId conn, const identity::Endpoint& to,
            identity::LearnedFrom learned_from = identity::LearnedFrom::configuration);
  /// Bytes that fit into the window now.
  std::size_t room(HostIndex host, link::ConnId conn) const;
  void write(HostIndex host, link::ConnId conn, ByteView bytes);
  /// What waits to be taken is offered again, now or a moment later.
  void offer(HostIndex host, link::ConnId conn);
  void resume(HostIndex host, link::ConnId conn) {
    schedule_.after(Duration(0), [this, host, conn] { offer(host, conn); });
  }
  /// Closes in order: what was written arrives first.
  void close(HostIndex host, link::ConnId conn);

  void send_datagram(HostIndex from, const identity::SocketAddress& to, Bytes bytes) {
    send_datagram_as(from, {addresses_[from], kPort}, to, std::move(bytes));
  }
  /// To all of the local network; nobody hears it where there is none.
  void say(HostIndex from, Bytes bytes);
  /// With a source address that may be forged.
  void send_datagram_as(HostIndex from, const identity::SocketAddress& source, const identity::SocketAddress& to,
                        Bytes bytes);

  /// The host's connections vanish. With `reset` the other ends learn it after a latency (the process died, its kernel
  /// answers); without, they learn nothing until they send (the power went).
  void crash(HostIndex host, bool reset);

  /// Cuts or restores the way from one host to another.
  void set_cut(HostIndex from, HostIndex to, bool cut);
  /// Behind a router that forwards nothing: connections to the host are lost, and datagrams of those to whom it has
  /// sent none.
  void set_closed(HostIndex host) { closed_.insert(host); }
  bool is_closed(HostIndex host) const { return closed_.contains(host); }
  bool is_cut(HostIndex from, HostIndex to) const {
    return cuts_.contains({from, to}) || (model_.line && std::max(from, to) - std::min(from, to) > 1);
  }
  void heal_all() { cuts_.clear(); }
  /// No more loss, duplication and reordering from now on.
  void calm();

  std::uint64_t bytes_sent() const { return bytes_sent_; }
  std::uint64_t segments_sent() const { return segments_sent_; }
  std::uint64_t segments_lost() const { return segments_lost_; }
  /// To addresses that no host has, or that may not be dialled.
  std::uint64_t dials_lost() const { return dials_lost_; }
  /// Counts dials of this address from now on, also those that are refused.
  void watch(const identity::IpAddress& address) { tries_.emplace(address, 0); }
  std::uint64_t tries(const identity::IpAddress& watched) const { return tries_.at(watched); }
  std::uint64_t datagrams_sent() const { return datagrams_sent_; }

 private:
  struct End;
  struct Stream;
  using StreamPtr = std::shared_ptr<Stream>;

  StreamPtr find(HostIndex host, link::ConnId conn) const;
  void attach(const StreamPtr& stream, int side, HostIndex host, link::ConnId conn);
  void detach(Stream& stream, int side);
  void syn(const StreamPtr& stream, unsigned attempt);
  void send_segment(const StreamPtr& stream, int side, std::uint64_t offset, unsigned attempt);
  void arrive(const StreamPtr& stream, int side, std::uint64_t offset);
  void deliver(const StreamPtr& stream, int side);
  void abort(const StreamPtr& stream, int side, Error why);
  void send_reset(const StreamPtr& stream, int to_side);
  Duration delay(HostIndex from, HostIndex to);
  /// Which host has this address, if any.
  std::optional<HostIndex> host_at(const identity::SocketAddress& at) const;
  Duration latency(HostIndex a, HostIndex b) const;
  bool chance(std::uint32_t per_million) { return per_million != 0 && rng_.chance(per_million, 1'000'000); }

  Schedule& schedule_;
  NetworkModel model_;
  Rng rng_;
  std::uint64_t latency_salt_;
  std::vector<NetworkHost*> hosts_;
  std::vector<identity::IpAddress> addresses_;  ///< by host
  std::map<identity::IpAddress, HostIndex> at_;
  std::vector<std::uint64_t> accepted_;                     ///< connections accepted so far, by host
  std::vector<std::map<link::ConnId, StreamPtr>> streams_;  ///< by host
  std::set<std::pair<HostIndex, HostIndex>> cuts_;
  std::set<HostIndex> closed_;
  std::set<std::pair<HostIndex, HostIndex>> let_in_;  ///< to whom a closed host has sent datagrams
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t segments_sent_ = 0;
  std::uint64_t segments_lost_ = 0;
  std::uint64_t dials_lost_ = 0;
  std::map<identity::IpAddress, std::uint64_t> tries_;  ///< by watched address
  std::uint64_t datagrams_sent_ = 0;
};

}  // namespace ekiden::sim
