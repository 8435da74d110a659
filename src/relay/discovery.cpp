// Routes: to whom they are wanted, and the requests and replies that find them.

#include <algorithm>

#include "base/check.hpp"
#include "relay/relay.hpp"
#include "relay/wire_form.hpp"

namespace ekiden::relay {
namespace {

constexpr milliseconds kRequestTtl = seconds(30);

/// By XOR metric, nearest first (Kademlia, section 2.1).
void sort_by_distance(std::vector<identity::PeerId>& peers, const identity::PeerId& to) {
  const auto distance = [&](const identity::PeerId& peer) {
    ByteArray<32> x;
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = peer.bytes[i] ^ to.bytes[i];
    return x;
  };
  std::ranges::sort(peers, {}, distance);
}

}  // namespace

/// nullptr if there are too many.
Relay::Demand* Relay::demand(const identity::PeerId& to) {
  const auto found = demands_.find(to);
  if (found != demands_.end()) return &found->second;
  if (demands_.size() == kMaxDemands) return nullptr;
  Demand& fresh = demands_[to];
  fresh.interval = config_.request_min;
  return &fresh;
}

void Relay::want_route(Now now, const identity::PeerId& to, Effects& out) {
  if (!config_.use) return;
  Demand* wanted = demand(to);
  if (wanted == nullptr) return;
  wanted->by_router = true;
  ask_due_.set_no_later_than(to, now.mono + config_.route_after);
  refresh(now, to, out);
}

void Relay::unwant_route(const identity::PeerId& to, Effects& out) {
  const auto found = demands_.find(to);
  if (found == demands_.end()) return;
  found->second.by_router = false;
  found->second.up = false;
  drop_if_unwanted(to, out);
}

void Relay::hurry(Now now, const identity::PeerId& to) {
  const auto found = demands_.find(to);
  if (found != demands_.end() && found->second.rounds == 0) ask_due_.set(to, now.mono);
}

void Relay::drop_if_unwanted(const identity::PeerId& to, Effects& out) {
  const auto found = demands_.find(to);
  if (found == demands_.end() || found->second.by_router || found->second.by_custody > 0) return;
  for (const identity::PeerId& relay : found->second.dialled) hang_up(relay, out);
  ask_due_.cancel(to);
  demands_.erase(found);
}

/// Tells what has changed, and looks for a route if there is none.
void Relay::refresh(Now now, const identity::PeerId& to, Effects& out) {
  const auto found = demands_.find(to);
  if (found == demands_.end()) return;
  Demand& wanted = found->second;
  const bool usable =
      routes_.best(now.mono, to, [&](const identity::PeerId& relay) { return is_neighbour(relay); }).has_value();
  if (wanted.by_router && wanted.up != usable) {
    wanted.up = usable;
    out.push(RouteChanged{.to = to, .up = usable});
  }
  if (!usable) {
    ask_due_.set_no_later_than(to, now.mono + wanted.interval);
    return;
  }
  if (wanted.by_custody > 0) retry_held(now, to, out);
}

/// Links to relays that its record names, if there is none to any of them.
void Relay::dial_relays(const identity::PeerId& to, Demand& wanted, Effects& out) {
  for (const identity::PeerId& relay : relays_of_(to)) {
    if (wanted.dialled.size() == kBranches) return;
    if (relay == self_.id() || relay == to || !wanted.dialled.insert(relay).second) continue;
    dial(relay, out);
  }
}

void Relay::dial(const identity::PeerId& relay, Effects& out) {
  if (++dialled_[relay] == 1) out.push(Want{.peer = relay, .wanted = true});
}

void Relay::hang_up(const identity::PeerId& relay, Effects& out) {
  const auto count = dialled_.find(relay);
  if (--count->second > 0) return;
  dialled_.erase(count);
  out.push(Want{.peer = relay, .wanted = false});
}

/// The request has found no neighbour: the next one may.
void Relay::scout(Now now, const Request& request, Effects& out) {
  const Packet& packet = request.packet;
  std::size_t fresh = 0;
  for (const identity::PeerId& node : near_of_(packet.to)) {
    const auto is_by = [&](const path::Hop& hop) { return identity::PeerId::of(hop.by) == node; };
    if (node == packet.from || is_neighbour(node) || std::ranges::any_of(packet.path, is_by)) continue;
    if (scouts_.at(node)) continue;
    if (scouts_.size() == kMaxScouts || fresh++ == kBranches) return;
    scouts_.set(node, now.mono + kScoutFor);
    dial(node, out);
  }
}

void Relay::ask(Now now, const identity::PeerId& to, Demand& wanted, Effects& out) {
  const bool usable =
      routes_.best(now.mono, to, [&](const identity::PeerId& relay) { return is_neighbour(relay); }).has_value();
  if (is_neighbour(to) || (usable && !wanted.wants_another)) return;
  ask_due_.set(to, now.mono + wanted.interval + rng_.between(Duration::zero(), wanted.interval / 4));
  wanted.interval = std::min(2 * wanted.interval, config_.request_max);
  if (own_record_.empty()) return;
  dial_relays(to, wanted, out);
  auto record = std::make_shared<const Bytes>(own_record_);
  Request request{.giver = std::nullopt,
                  .bytes = record,
                  .packet = {.id = Uuid::random(rng_),
                             .from = self_.id(),
                             .to = to,
                             .expires = now.wall + kRequestTtl,
                             .priority = wire::Priority::high,
                             .kind = PacketKind::route_request,
                             .payload = *record}};
  if (wanted.wants_another) {
    request.packet.avoid = routes_.relays_to(to);
    if (request.packet.avoid.size() > kMaxAvoided) request.packet.avoid.resize(kMaxAvoided);
  }
  wanted.wants_another = false;
  // Links to its relays are on their way; whoever is near it by id is asked if nothing comes of them.
  const bool waits = wanted.rounds++ == 0 && !wanted.dialled.empty() &&
                     std::ranges::none_of(wanted.dialled, [&](const auto& relay) { return is_neighbour(relay); });
  wanted.is_unasked = waits;
  if (waits) return;
  const crypto::Digest subject = request.packet.subject();
  asked_.put(request.packet.id, to);
  wanted.is_unasked = !send_request(now, request, subject);
  if (wanted.is_unasked || wanted.rounds > 1) scout(now, request, out);
  for (std::size_t i = 1; i < kBranches && send_request(now, request, subject); ++i) {
  }
  requests_.put(subject, std::move(request));
}

/// To whom this request can go, best first.
std::vector<identity::PeerId> Relay::candidates(Now now, const Request& request) const {
  const Packet& packet = request.packet;
  if (is_neighbour(packet.to)) {
    if (request.tried.contains(packet.to)) return {};
    return {packet.to};
  }
  std::set<identity::PeerId> except = request.tried;
  except.insert(packet.from);
  except.insert(packet.avoid.begin(), packet.avoid.end());
  for (const path::Hop& hop : packet.path) except.insert(identity::PeerId::of(hop.by));
  const auto serves = [&](const identity::PeerId& peer) {
    const auto found = neighbours_.find(peer);
    return found != neighbours_.end() && found->second.relays && !except.contains(peer);
  };
  std::vector<identity::PeerId> named;
  for (const identity::PeerId& relay : relays_of_(packet.to)) {
    if (serves(relay)) named.push_back(relay);
  }
  if (!named.empty()) return named;
  std::vector<identity::PeerId> near;
  for (const auto& [peer, neighbour] : neighbours_) {
    if (serves(peer)) near.push_back(peer);
  }
  sort_by_distance(near, packet.to);
  std::ranges::stable_partition(near,
                                [&](const identity::PeerId& peer) { return !routes_.is_suspect(now.mono, peer); });
  return near;
}

/// To the next candidate. False if there is none.
bool Relay::send_request(Now now, Request& request, const crypto::Digest& subject) {
  if (request.tried.size() >= kMaxTries) return false;
  const auto next = candidates(now, request);
  if (next.empty()) return false;
  request.tried.insert(next.front());
  sign(request.packet, request.bytes, subject, next.front());
  return true;
}

Status Relay::hand_on_request(Now now, const identity::PeerId& from, Packet packet, ByteView encoded, Effects& out) {
  const crypto::Digest subject = packet.subject();
  if (!neighbours_.at(from).requests.take(now.mono)) return refuse(from, subject, Refusal::full, out), Status{};
  if (requests_.find(subject) != nullptr) return refuse(from, subject, Refusal::repeated, out), Status{};
  const auto named = relays_of_(packet.to);
  if (std::ranges::find(named, self_.id()) != named.end() && !is_neighbour(packet.to)) {
    return refuse(from, subject, Refusal::absent, out), Status{};
  }
  auto bytes = std::make_shared<const Bytes>(to_bytes(encoded));
  const auto offset = static_cast<std::size_t>(packet.payload.data() - encoded.data());
  Request& request = requests_.put(subject, {.giver = from, .bytes = bytes, .packet = std::move(packet)});
  request.packet.payload = ByteView(*bytes).subspan(offset, request.packet.payload.size());
  if (send_request(now, request, subject)) return {};
  scout(now, request, out);
  return refuse(from, subject, Refusal::no_route, out), Status{};
}

void Relay::on_request_refused(Now now, const crypto::Digest& subject, Request& request, Refusal reason, Effects& out) {
  if (reason != Refusal::absent && send_request(now, request, subject)) return;
  if (reason != Refusal::absent) scout(now, request, out);
  if (!request.giver) return;
  const Refusal told = reason == Refusal::absent ? Refusal::absent : Refusal::no_route;
  if (is_neighbour(*request.giver)) refuse(*request.giver, subject, told, out);
}

void Relay::learn_route(Now now, const identity::PeerId& to, Way way, Effects& out) {
  if (way.empty() || way.size() > kMaxRoute) return;
  routes_.add(now.mono, to, std::move(way));
  const auto found = demands_.find(to);
  if (found == demands_.end()) return;
  found->second.interval = config_.request_min;
  refresh(now, to, out);
}

void Relay::arrive_request(Now now, const Packet& packet, Effects& out) {
  const crypto::Digest subject = packet.subject();
  const std::size_t* answers = answered_.find(subject);
  const std::size_t before = answers == nullptr ? 0 : *answers;
  if (before == kBranches || own_record_.empty() || packet.expires <= now.wall) return;
  if (!verifier_.verify(subject, packet.from, self_.id(), packet.path)) return;
  auto record = identity::verify_signed_record(packet.payload, now.wall);
  if (!record || record->record.id() != packet.from) return;
  answered_.put(subject, before + 1);
  out.push(Met{std::move(*record)});
  const Way way = path::way_back(packet.path);
  learn_route(now, packet.from, way, out);
  auto own = std::make_shared<const Bytes>(own_record_);
  Packet reply{.id = packet.id,
               .from = self_.id(),
               .to = packet.from,
               .expires = packet.expires,
               .priority = wire::Priority::high,
               .kind = PacketKind::route_reply,
               .payload = *own};
  if (!way.empty()) reply.route.assign(way.begin() + 1, way.end());
  const crypto::Digest reply_subject = reply.subject();
  sign(std::move(reply), own, reply_subject, way.empty() ? packet.from : way.front());
}

void Relay::arrive_reply(Now now, const Packet& packet, Effects& out) {
  const identity::PeerId* asked = asked_.find(packet.id);
  if (asked == nullptr || *asked != packet.from) return;
  if (!verifier_.verify(packet.subject(), packet.from, self_.id(), packet.path)) return;
  auto record = identity::verify_signed_record(packet.payload, now.wall);
  if (!record || record->record.id() != packet.from) return;
  out.push(Met{std::move(*record)});
  learn_route(now, packet.from, path::way_back(packet.path), out);
}

}  // namespace ekiden::relay
