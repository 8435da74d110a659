// What the network brings to a machine.
#include <utility>

#include "sim/machine.hpp"

namespace ekiden::sim {

void Machine::on_accepted(link::ConnId conn, const identity::IpAddress& from, std::uint16_t port) {
  feed(node::ConnAccepted{conn, from, port});
}
void Machine::on_connected(link::ConnId conn, const identity::SocketAddress& to) {
  feed(node::ConnConnected{conn, to});
}
void Machine::on_connect_failed(link::ConnId conn, Error why) { feed(node::ConnFailed{conn, std::move(why)}); }
/// The processor first: the node is asked when there is somebody to read.
bool Machine::may_read(link::ConnId conn) {
  if (node_ == nullptr) return true;
  if (processor_.is_free()) return node_->may_read(now(), conn);
  processor_.queue(conn);
  return false;
}
void Machine::on_bytes(link::ConnId conn, ByteView bytes) { feed(node::ConnBytes{conn, bytes}); }
void Machine::on_closed(link::ConnId conn, Error why) { feed(node::ConnClosed{conn, std::move(why)}); }
void Machine::on_datagram(const identity::SocketAddress& from, ByteView bytes) {
  feed(node::DatagramArrived{from, bytes});
}

void Machine::on_beacon(const identity::SocketAddress& from, ByteView bytes) { feed(node::BeaconHeard{from, bytes}); }
void Machine::on_room(link::ConnId conn) {
  if (node_ == nullptr) return;
  to_flush_.insert(conn);
  run_effects();
  check();
}

}  // namespace ekiden::sim
