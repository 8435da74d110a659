#include "sim/datagram_host.hpp"

#include <algorithm>
#include <utility>

#include "sim/machine.hpp"

namespace ekiden::sim {

DatagramHost::DatagramHost(Schedule& schedule, Network& network, const crypto::Ed25519Seed& seed,
                           const identity::IpAddress& at, Rng rng)
    : schedule_(schedule),
      network_(network),
      rng_(std::move(rng)),
      self_(seed),
      at_{at, Network::kPort},
      host_(network.add_host(*this, at)),
      datagrams_(self_, {}, rng_.split()) {}

Now DatagramHost::now() const {
  const Instant mono = schedule_.now();
  return {mono, kEpoch + std::chrono::duration_cast<milliseconds>(mono.time_since_epoch())};
}

void DatagramHost::on_accepted(link::ConnId conn, const identity::IpAddress& /*from*/, std::uint16_t /*port*/) {
  network_.close(host_, conn);
}

void DatagramHost::on_datagram(const identity::SocketAddress& from, ByteView bytes) {
  datagrams_.on_packet(now(), from, bytes, out_);
  pump();
}

void DatagramHost::ask(const identity::NodeInfo& to, Bytes query, bool first_flight_allowed) {
  datagrams_.ask(now(), datagram::QueryId{++asked_}, to, std::move(query), first_flight_allowed, out_);
  pump();
}

void DatagramHost::pump() {
  out_.drain([this](datagram::Datagrams::Effect&& effect) {
    if (auto* send = std::get_if<datagram::Send>(&effect)) {
      network_.send_datagram(host_, send->to, std::move(send->packet));
    } else if (const auto* query = std::get_if<datagram::Queried>(&effect)) {
      datagrams_.answer(now(), query->token, answer_to(*query), out_);
    } else if (const auto* answer = std::get_if<datagram::Answered>(&effect)) {
      on_answer(*answer);
    }
  });
  arm_timer();
}

void DatagramHost::arm_timer() {
  const auto deadline = datagrams_.deadline();
  if (!deadline || (timer_ && *timer_ <= *deadline)) return;
  timer_ = deadline;
  schedule_.at(std::max(*deadline, schedule_.now()), [this, at = *deadline] {
    if (timer_ != at) return;
    timer_.reset();
    datagrams_.on_deadline(now(), out_);
    pump();
  });
}

}  // namespace ekiden::sim
