#include "sim/spoofer.hpp"

#include <utility>

#include "datagram/datagrams.hpp"
#include "dht/messages.hpp"
#include "sim/machine.hpp"
#include "wire/message_codec.hpp"

namespace ekiden::sim {

Spoofer::Spoofer(Schedule& schedule, Network& network, HostIndex host, const identity::SocketAddress& victim, Rng rng)
    : schedule_(schedule), network_(network), host_(host), victim_(victim), rng_(std::move(rng)) {}

std::uint64_t Spoofer::bytes_to(const identity::SocketAddress& to) const {
  const auto found = bytes_to_.find(to);
  return found == bytes_to_.end() ? 0 : found->second;
}

void Spoofer::shoot(const identity::NodeInfo& at) {
  const Instant mono = schedule_.now();
  const Now now{mono, kEpoch + std::chrono::duration_cast<milliseconds>(mono.time_since_epoch())};
  // An engine for one packet: the next is a fresh handshake too.
  const identity::Identity self(crypto::Ed25519Seed(rng_.bytes<32>()));
  datagram::Datagrams datagrams(self, {}, rng_.split());
  Outbox<datagram::Datagrams::Effect> out;
  dht::Query query;
  query.kind = dht::QueryKind::find_node;
  query.target = dht::Key::of(self.id());
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
  bytes_to_[to] += packet.size();
  network_.send_datagram_as(host_, victim_, to, packet);
}

}  // namespace ekiden::sim
