// Packets that neighbours bring: for us, or to be handed on.

#include <algorithm>

#include "relay/relay.hpp"
#include "relay/wire_form.hpp"

namespace ekiden::relay {
namespace {

bool is_signed(const Packet& packet) { return packet.durable || packet.kind != PacketKind::envelope; }

}  // namespace

/// What can be told without a signature.
Status Relay::check_form(const identity::PeerId& from, const Packet& packet) const {
  const bool is_request = packet.kind == PacketKind::route_request;
  if (!is_neighbour(from)) return fail(Errc::refused, "a packet from somebody without a link");
  if (packet.from == packet.to) return fail(Errc::malformed, "a packet to its origin");
  if (packet.durable && packet.kind != PacketKind::envelope)
    return fail(Errc::malformed, "a durable packet of its kind");
  if (is_request ? !packet.route.empty() : !packet.avoid.empty()) {
    return fail(Errc::malformed, "a packet with fields that its kind does not have");
  }
  if (is_signed(packet) == packet.path.empty()) return fail(Errc::malformed, "a packet with a path where none belongs");
  if (is_signed(packet) && identity::PeerId::of(packet.path.back().by) != from) {
    return fail(Errc::refused, "a packet whose last hop is not the neighbour that brings it");
  }
  std::vector<identity::PeerId> route = packet.route;
  route.push_back(packet.from);
  route.push_back(packet.to);
  route.push_back(self_.id());
  std::ranges::sort(route);
  const auto twice = std::ranges::adjacent_find(route);
  const bool ends = packet.from == self_.id() || packet.to == self_.id();
  if (twice != route.end() && !(ends && *twice == self_.id())) return fail(Errc::malformed, "a route that is a loop");
  if (packet.to == self_.id() && !packet.route.empty()) return fail(Errc::malformed, "a route behind its end");
  return {};
}

Status Relay::on_packet(Now now, const identity::PeerId& from, const std::shared_ptr<const Bytes>& buffer,
                        ByteView body, Effects& out) {
  EKIDEN_ASSIGN(Packet packet, wire::decode<Packet>(body));
  EKIDEN_TRY(check_form(from, packet));
  if (packet.kind == PacketKind::envelope) ++envelopes_;
  if (packet.from == self_.id()) {
    if (packet.durable || packet.kind == PacketKind::route_request) {
      refuse(from, packet.subject(), Refusal::repeated, out);
    }
    return {};
  }
  if (packet.to == self_.id()) return arrive(now, from, buffer, std::move(packet), out);
  return hand_on(now, from, buffer, std::move(packet), body, out);
}

Status Relay::arrive(Now now, const identity::PeerId& from, const std::shared_ptr<const Bytes>& buffer, Packet packet,
                     Effects& out) {
  if (packet.kind == PacketKind::route_request) return arrive_request(now, packet, out), Status{};
  if (packet.kind == PacketKind::route_reply) return arrive_reply(now, packet, out), Status{};
  crypto::Digest subject{};
  if (is_signed(packet)) {
    subject = packet.subject();
    auto verified = verifier_.verify(subject, packet.from, self_.id(), packet.path);
    if (!verified) return std::unexpected(verified.error());
    learn_route(now, packet.from, path::way_back(packet.path), out);
  }
  if (packet.durable) {
    judge_ways(now, packet);
    const Key key{packet.from, packet.id};
    if (arriving_.contains(key)) return {};
    if (arriving_.size() == kMaxArriving) return refuse(from, subject, Refusal::full, out), Status{};
    arriving_.emplace(key, std::pair{from, subject});
  }
  out.push(Arrived{.from = packet.from,
                   .id = packet.id,
                   .kind = packet.kind,
                   .durable = packet.durable,
                   .buffer = buffer,
                   .payload = packet.payload,
                   .subject = subject,
                   .path = std::move(packet.path)});
  return {};
}

/// What a message that has come, for the first time or once more, says of the ways to its origin.
void Relay::judge_ways(Now now, const Packet& packet) {
  routes_.carried(packet.from, path::way_back(packet.path));
  const Key key{packet.from, packet.id};
  const WallTime sent = packet.path.front().at;
  Came* before = came_.find(key);
  if (before == nullptr) {
    came_.put(key, {.at = now.mono, .sent = sent});
    return;
  }
  if (sent <= before->sent) return;
  const Answer* answer = answers_.find(packet.from);
  if (answer != nullptr && answer->at >= before->at) routes_.failed(now.mono, packet.from, Way(answer->way));
  *before = {.at = now.mono, .sent = sent};
}

Status Relay::hand_on(Now now, const identity::PeerId& from, const std::shared_ptr<const Bytes>& buffer, Packet packet,
                      ByteView encoded, Effects& out) {
  const bool is_answered = packet.durable || packet.kind == PacketKind::route_request;
  const auto give_up = [&](Refusal reason) {
    if (is_answered) {
      refuse(from, packet.subject(), reason, out);
    } else {
      ++refused_;
    }
    return Status{};
  };
  const auto is_self = [&](const path::Hop& hop) { return hop.by == self_.public_key(); };
  if (!forwards_) return give_up(Refusal::off);
  if (packet.expires <= now.wall) return give_up(Refusal::expired);
  if (packet.path.size() >= path::kMaxHops) return give_up(Refusal::too_far);
  if (std::ranges::any_of(packet.path, is_self)) return give_up(Refusal::repeated);
  if (packet.kind == PacketKind::route_request) return hand_on_request(now, from, std::move(packet), encoded, out);
  if (packet.durable) return take(now, from, packet, encoded, out);
  pass(now, buffer, std::move(packet), out);
  return {};
}

void Relay::pass(Now now, const std::shared_ptr<const Bytes>& buffer, Packet packet, Effects& out) {
  identity::PeerId next = packet.route.empty() ? packet.to : packet.route.front();
  if (is_neighbour(next)) {
    if (!packet.route.empty()) packet.route.erase(packet.route.begin());
  } else if (is_neighbour(packet.to)) {
    next = packet.to;
    packet.route.clear();
  } else {
    const auto way =
        routes_.best(now.mono, packet.to, [&](const identity::PeerId& relay) { return is_neighbour(relay); });
    if (!way || is_on(*way, packet.from)) {
      ++refused_;
      return;
    }
    next = way->front();
    packet.route.assign(way->begin() + 1, way->end());
  }
  if (size_with_hop(packet) > kMaxMessage) {
    ++refused_;
    return;
  }
  ++passed_;
  if (!is_signed(packet)) return transmit(next, packet, out);
  const crypto::Digest subject = packet.subject();
  sign(std::move(packet), buffer, subject, next);
}

}  // namespace ekiden::relay
