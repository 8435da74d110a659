#include "sim/link_host.hpp"

#include <algorithm>
#include <utility>

#include "sim/machine.hpp"

namespace ekiden::sim {
namespace {

link::Config with_features(std::uint64_t features) {
  link::Config config;
  config.features = features;
  return config;
}

}  // namespace

LinkHost::LinkHost(Schedule& schedule, Network& network, const crypto::Ed25519Seed& seed, std::uint64_t features,
                   Rng rng, const std::optional<identity::IpAddress>& at)
    : schedule_(schedule),
      network_(network),
      self_(seed),
      host_(at ? network.add_host(*this, *at) : network.add_host(*this)),
      pool_(self_, with_features(features), std::move(rng)) {}

Now LinkHost::now() const {
  const Instant mono = schedule_.now();
  return {mono, kEpoch + std::chrono::duration_cast<milliseconds>(mono.time_since_epoch())};
}

void LinkHost::on_accepted(link::ConnId conn, const identity::IpAddress& from, std::uint16_t port) {
  Bytes shown = record();
  if (shown.empty()) return network_.close(host_, conn);
  pool_.set_own_record(std::move(shown));
  pool_.on_accepted(now(), conn, from, port, out_);
  pump();
}

void LinkHost::on_connected(link::ConnId conn, const identity::SocketAddress& to) {
  pool_.on_connected(now(), conn, to, out_);
  pump();
}

void LinkHost::on_connect_failed(link::ConnId conn, Error why) {
  pool_.on_connect_failed(now(), conn, why, out_);
  pump();
}

void LinkHost::on_bytes(link::ConnId conn, ByteView bytes) {
  pool_.on_bytes(now(), conn, bytes, out_);
  pump();
}

void LinkHost::on_room(link::ConnId conn) {
  flush(conn);
  pump();
}

void LinkHost::on_closed(link::ConnId conn, Error why) {
  pool_.on_closed(now(), conn, why, out_);
  pump();
}

void LinkHost::send(const identity::PeerId& to, wire::Priority priority, ByteView message) {
  static_cast<void>(pool_.send(now(), to, priority, message, out_));
  pump();
}

void LinkHost::dial(const identity::PeerId& peer, const identity::Endpoint& endpoint) {
  Bytes shown = record();
  if (shown.empty()) return;
  pool_.set_own_record(std::move(shown));
  pool_.want(now(), peer, {endpoint}, std::nullopt, out_);
  pump();
}

void LinkHost::hang_up(const identity::PeerId& peer) {
  pool_.unwant(now(), peer);
  pool_.cut(now(), peer, {Errc::closed, "hung up"}, out_);
  pump();
}

/// What is done about an effect may push others: those follow in the loop that runs already.
void LinkHost::pump() {
  if (std::exchange(is_pumping_, true)) return;
  out_.drain([this](link::LinkPool::Effect&& effect) {
    std::visit(Overloaded{
                   [&](const link::Dial& dial) { network_.dial(host_, dial.conn, dial.endpoint); },
                   [&](const link::Hangup& hangup) { network_.close(host_, hangup.conn); },
                   [&](const link::WantWrite& want) { flush(want.conn); },
                   [](const link::Resume&) {},
                   [&](const link::Up& up) { on_up(up); },
                   [&](const link::Down& down) { on_down(down.peer); },
                   [&](const link::Message& message) { on_message(message); },
                   [](const link::DialFailed&) {},
                   [](const link::Probed&) {},
                   [](const link::Notice&) {},
               },
               effect);
  });
  is_pumping_ = false;
  arm_timer();
}

void LinkHost::flush(link::ConnId conn) {
  for (;;) {
    const std::size_t room = network_.room(host_, conn);
    if (room == 0) return;
    ByteView bytes = pool_.to_send(now(), conn);
    if (bytes.empty()) return;
    bytes = bytes.first(std::min(room, bytes.size()));
    network_.write(host_, conn, bytes);
    pool_.mark_sent(now(), conn, bytes.size(), out_);
  }
}

void LinkHost::arm_timer() {
  const auto deadline = pool_.deadline();
  if (!deadline || (timer_ && *timer_ <= *deadline)) return;
  timer_ = deadline;
  schedule_.at(std::max(*deadline, schedule_.now()), [this, at = *deadline] {
    if (timer_ != at) return;
    timer_.reset();
    pool_.on_deadline(now(), out_);
    pump();
  });
}

}  // namespace ekiden::sim
