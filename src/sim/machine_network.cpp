// What the network brings to a machine.
#include <algorithm>
#include <utility>

#include "sim/machine.hpp"

namespace ekiden::sim {

template <class Act>
void Machine::when_awake(Act act) {
  if (!is_stalled()) return act();
  shared_.schedule.at(stalled_until_, [this, boot = boots_, act = std::move(act)] {
    if (boot == boots_ && node_ != nullptr) act();
  });
}

void Machine::stall(Duration time) {
  stalled_until_ = std::max(stalled_until_, shared_.schedule.now() + time);
  processor_.hold(stalled_until_);
}

void Machine::on_accepted(link::ConnId conn, const identity::IpAddress& from, std::uint16_t port) {
  when_awake([this, conn, from, port] { feed(node::ConnAccepted{conn, from, port}); });
}
void Machine::on_connected(link::ConnId conn, const identity::SocketAddress& to) {
  when_awake([this, conn, to] { feed(node::ConnConnected{conn, to}); });
}
void Machine::on_connect_failed(link::ConnId conn, Error why) {
  when_awake([this, conn, why = std::move(why)] { feed(node::ConnFailed{conn, why}); });
}
/// The processor first: the node is asked when there is somebody to read.
bool Machine::may_read(link::ConnId conn) {
  if (node_ == nullptr) return true;
  if (processor_.is_free()) return node_->may_read(now(), conn);
  processor_.queue(conn);
  return false;
}
void Machine::on_bytes(link::ConnId conn, ByteView bytes) { feed(node::ConnBytes{conn, bytes}); }
void Machine::on_closed(link::ConnId conn, Error why) {
  when_awake([this, conn, why = std::move(why)] { feed(node::ConnClosed{conn, why}); });
}
void Machine::on_datagram(const identity::SocketAddress& from, ByteView bytes) {
  if (!is_stalled()) return feed(node::DatagramArrived{from, bytes});
  when_awake([this, from, kept = to_bytes(bytes)] { feed(node::DatagramArrived{from, kept}); });
}
void Machine::on_beacon(const identity::SocketAddress& from, ByteView bytes) {
  if (!is_stalled()) return feed(node::BeaconHeard{from, bytes});
  when_awake([this, from, kept = to_bytes(bytes)] { feed(node::BeaconHeard{from, kept}); });
}
void Machine::on_room(link::ConnId conn) {
  if (node_ == nullptr) return;
  to_flush_.insert(conn);
  run_effects();
  check();
}

}  // namespace ekiden::sim
