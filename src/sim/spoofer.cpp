#include "sim/spoofer.hpp"

#include <utility>

#include "datagram/datagrams.hpp"
#include "dht/messages.hpp"
#include "sim/machine.hpp"
#include "wire/message_codec.hpp"

namespace ekiden::sim {

Spoofer::Spoofer(Schedule& schedule, Network& network, HostIndex host, const identity::SocketAddress& victim, Rng rng)
    : schedule_(schedule),
      network_(network),
      host_(host),
      victim_(victim),
      rng_(std::move(rng)),
      self_(crypto::Ed25519Seed(rng_.bytes<32>())) {}

void Spoofer::shoot(const identity::NodeInfo& at) {
  const Instant mono = schedule_.now();
  const Now now{mono, kEpoch + std::chrono::duration_cast<milliseconds>(mono.time_since_epoch())};
  // An engine for one packet: the next is a fresh handshake too.
  datagram::Datagrams datagrams(self_, {}, rng_.split());
  Outbox<datagram::Datagrams::Effect> out;
  dht::Query query;
  query.kind = dht::QueryKind::find_node;
  query.target = dht::Key::of(self_.id());
  datagrams.ask(now, datagram::QueryId{1}, at, wire::encode(query), /*first_flight_allowed=*/true, out);
  for (auto& effect : out.take()) {
    auto* first = std::get_if<datagram::Send>(&effect);
    if (first == nullptr) continue;
    send(first->to, first->packet);
    for (const Duration later : {Duration(milliseconds(300)), Duration(seconds(5)), Duration(seconds(60))}) {
      schedule_.after(later, [this, to = first->to, packet = first->packet] { send(to, packet); });
    }
  }
}

void Spoofer::send(const identity::SocketAddress& to, const Bytes& packet) {
  bytes_ += packet.size();
  network_.send_datagram_as(host_, victim_, to, packet);
}

}  // namespace ekiden::sim
