#include "sim/liar.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "bootstrap/list.hpp"
#include "sim/machine.hpp"
#include "wire/message_type.hpp"

namespace ekiden::sim {
namespace {

Bytes record_of(const identity::Identity& self, HostIndex host) {
  identity::PeerRecord record;
  record.public_key = self.public_key();
  record.sequence = 1;
  record.issued_at = kEpoch;
  record.ttl_seconds = static_cast<std::uint32_t>(std::chrono::seconds(days(7)).count());
  record.endpoints = {Network::endpoint_of(host).text()};
  auto signed_record = identity::sign_record(self, record);
  CHECK(signed_record.has_value());
  return std::move(*signed_record);
}

}  // namespace

Liar::Liar(Schedule& schedule, Network& network, Lie lie, Rng rng)
    : schedule_(schedule),
      network_(network),
      lie_(lie),
      rng_(std::move(rng)),
      self_(crypto::Ed25519Seed(rng_.bytes<32>())),
      host_(network.add_host(*this)),
      pool_(self_, {}, rng_.split()) {
  pool_.set_own_record(record_of(self_, host_));
}

Now Liar::now() const {
  const Instant mono = schedule_.now();
  return {mono, kEpoch + std::chrono::duration_cast<milliseconds>(mono.time_since_epoch())};
}

void Liar::on_accepted(link::ConnId conn, const identity::IpAddress& from, std::uint16_t port) {
  pool_.on_accepted(now(), conn, from, port, out_);
  pump();
}

void Liar::on_bytes(link::ConnId conn, ByteView bytes) {
  pool_.on_bytes(now(), conn, bytes, out_);
  pump();
}

void Liar::on_room(link::ConnId conn) {
  flush(conn);
  pump();
}

void Liar::on_closed(link::ConnId conn, Error why) {
  pool_.on_closed(now(), conn, why, out_);
  pump();
}

void Liar::pump() {
  out_.drain([this](link::LinkPool::Effect&& effect) {
    std::visit(
        Overloaded{
            [](const link::Dial&) { CHECK(false); },  // It wants nobody.
            [&](const link::Hangup& hangup) { network_.close(host_, hangup.conn); },
            [&](const link::WantWrite& want) { flush(want.conn); },
            [&](const link::Up& up) { askers_.insert_or_assign(up.record.record.id(), up.record.record.public_key); },
            [&](const link::Down& down) { askers_.erase(down.peer); },
            [&](const link::Message& message) { answer(message); },
            [](const link::DialFailed&) {},
            [](const link::Probed&) {},
            [](const link::Notice&) {},
        },
        effect);
  });
  arm_timer();
}

void Liar::flush(link::ConnId conn) {
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

void Liar::arm_timer() {
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

void Liar::answer(const link::Message& message) {
  if (message.bytes.empty() || message.bytes[0] != static_cast<Byte>(wire::MessageType::list_request)) return;
  ++told_;
  Bytes bytes{static_cast<Byte>(wire::MessageType::list)};
  append(bytes, lie_to(message.from));
  static_cast<void>(pool_.send(now(), message.from, wire::Priority::low, bytes, out_));
}

Bytes Liar::lie_to(const identity::PeerId& asker) {
  constexpr std::size_t kOversized = bootstrap::kMaxListSize + 4096;
  constexpr std::size_t kGarbage = 512;
  if (lie_ == Lie::oversized || lie_ == Lie::garbage) {
    Bytes bytes;
    const std::size_t size = lie_ == Lie::oversized ? kOversized : kGarbage;
    while (bytes.size() < size) append(bytes, rng_.bytes<32>());
    return bytes;
  }
  const identity::Identity other(crypto::Ed25519Seed(rng_.bytes<32>()));
  const identity::Identity& signer = lie_ == Lie::forged ? other : self_;
  auto bytes = bootstrap::sign_list(signer, {.public_key = signer.public_key(),
                                             .sequence = told_,
                                             .issued_at = now().wall,
                                             .ttl_seconds = 86'400,
                                             .nodes = nodes_for(asker)});
  CHECK(bytes.has_value());
  return std::move(*bytes);
}

std::vector<bootstrap::ListedNode> Liar::nodes_for(const identity::PeerId& asker) {
  std::vector<bootstrap::ListedNode> nodes;
  const auto add = [&](const crypto::Ed25519PublicKey& key, const identity::Endpoint& endpoint) {
    nodes.push_back({.public_key = key, .endpoints = {endpoint.text()}, .note = {}});
  };
  if (lie_ == Lie::circular) {
    add(self_.public_key(), Network::endpoint_of(host_));
    if (const auto found = askers_.find(asker); found != askers_.end()) add(found->second, Network::endpoint_of(host_));
    for (const auto& key : accomplices_) add(key, Network::endpoint_of(host_));
    return nodes;
  }
  constexpr HostIndex kNowhere = 40'000;
  while (nodes.size() < bootstrap::kMaxListNodes) {
    const identity::Identity invented(crypto::Ed25519Seed(rng_.bytes<32>()));
    const HostIndex at = lie_ == Lie::crowded ? 0 : kNowhere + static_cast<HostIndex>(rng_.below(20'000));
    add(invented.public_key(), Network::endpoint_of(at));
  }
  return nodes;
}

}  // namespace ekiden::sim
