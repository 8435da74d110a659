// Our own packets, the neighbours, and what leaves.

#include "relay/relay.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "relay/wire_form.hpp"

namespace ekiden::relay {
namespace {

/// A larger payload leaves no room for proofs on a long way: it is signed alone.
constexpr std::size_t kMaxBatchedPayload = 16 * 1024;

flow::Rate request_rate(const Config& config) {
  return {.per_second = config.requests_per_second, .burst = config.request_burst};
}

}  // namespace

Relay::Relay(const identity::Identity& self, const Config& config, Rng rng, Custody::IsContact is_contact,
             RelaysOf relays_of, NearOf near_of)
    : self_(self),
      config_(config),
      rng_(std::move(rng)),
      relays_of_(std::move(relays_of)),
      near_of_(std::move(near_of)),
      custody_(config, std::move(is_contact)),
      routes_(config.max_routed_peers, config.route_lifetime),
      forwards_(config.forward) {}

void Relay::start(Now now, Effects& out) {
  if (!custody_.all().empty()) expiry_at_ = now.mono;
  for (auto& [number, held] : custody_.all()) forward(now, held, out);
}

bool Relay::send(Now now, const Outbound& own, Effects& out) {
  if (!config_.use) return false;
  const Key key{own.to, own.id};
  const bool is_signed = own.durable || own.kind != PacketKind::envelope;
  Way before;
  if (const Way* way = own.durable ? ways_.find(key) : nullptr) {
    before = *way;
    routes_.failed(now.mono, own.to, before);
    if (const auto wanted = demands_.find(own.to); wanted != demands_.end()) {
      wanted->second.wants_another = true;
      ask_due_.set_no_later_than(own.to, now.mono + wanted->second.interval);
    }
  }
  const auto way =
      routes_.best(now.mono, own.to, [&](const identity::PeerId& relay) { return is_neighbour(relay); }, before);
  if (!way) {
    refresh(now, own.to, out);
    return false;
  }
  Packet packet{.id = own.id,
                .from = self_.id(),
                .to = own.to,
                .expires = own.expires,
                .priority = own.priority,
                .kind = own.kind,
                .durable = own.durable,
                .route = {way->begin() + 1, way->end()},
                .payload = own.payload};
  if (own.payload.size() > kMaxPayload || size_with_hop(packet) > kMaxMessage) return false;
  if (!is_signed) {
    transmit(way->front(), packet, out);
    return true;
  }
  const crypto::Digest subject = packet.subject();
  if (own.durable) {
    sent_.put(subject, {.to = own.to, .id = own.id, .way = *way});
    ways_.put(key, *way);
  } else if (own.kind == PacketKind::receipt) {
    answers_.put(own.to, {.at = now.mono, .way = *way});
  }
  sign(std::move(packet), own.buffer, subject, way->front());
  return true;
}

void Relay::on_settled(Now now, const identity::PeerId& to, const Uuid& id, bool delivered) {
  const Key key{to, id};
  const Way* way = ways_.find(key);
  if (way == nullptr) return;
  if (delivered) routes_.succeeded(now.mono, to, *way);
  ways_.erase(key);
}

void Relay::settled(const identity::PeerId& from, const Uuid& id, bool done) {
  const auto found = arriving_.find({from, id});
  if (found == arriving_.end()) return;
  // Otherwise the neighbour keeps it, and brings it again.
  if (done) taken_[found->second.first].push_back(found->second.second);
  arriving_.erase(found);
}

void Relay::on_link_up(Now now, const identity::PeerId& peer, bool relays, Effects& out) {
  const auto [entry, fresh] =
      neighbours_.try_emplace(peer, Neighbour{.relays = relays, .requests = flow::TokenBucket(request_rate(config_))});
  entry->second.relays = relays;
  if (!fresh) return;
  retry_held(now, peer, out);
  std::vector<identity::PeerId> changed;
  for (const auto& [to, demand] : demands_) {
    if (demand.dialled.contains(peer) || (relays && demand.is_unasked)) ask_due_.set(to, now.mono);
    if (!demand.up) changed.push_back(to);
  }
  for (const identity::PeerId& to : changed) refresh(now, to, out);
}

void Relay::on_link_down(Now now, const identity::PeerId& peer, Effects& out) {
  if (neighbours_.erase(peer) == 0) return;
  taken_.erase(peer);
  std::vector<std::uint64_t> stranded;
  for (const auto& [number, held] : custody_.all()) {
    if (held.next == peer) stranded.push_back(number);
  }
  for (const std::uint64_t number : stranded) forward(now, *custody_.find(number), out);
  std::vector<identity::PeerId> changed;
  for (const auto& [to, demand] : demands_) {
    if (demand.up || to == peer) changed.push_back(to);
  }
  for (const identity::PeerId& to : changed) refresh(now, to, out);
}

void Relay::transmit(const identity::PeerId& to, const Packet& packet, Effects& out) {
  auto message = link_message(wire::MessageType::packet, packet, size_with_hop(packet));
  const bool is_search = packet.kind == PacketKind::route_request || packet.kind == PacketKind::route_reply;
  if (is_search) search_bytes_ += message->size();
  out.push(Transmit{to, packet.priority, std::move(message)});
}

void Relay::sign(Packet packet, std::shared_ptr<const Bytes> buffer, const crypto::Digest& subject,
                 const identity::PeerId& next) {
  leaving_.push_back({.packet = std::move(packet), .buffer = std::move(buffer), .subject = subject, .next = next});
}

void Relay::refuse(const identity::PeerId& giver, const crypto::Digest& subject, Refusal reason, Effects& out) {
  ++refused_;
  out.push(Transmit{giver, wire::Priority::high,
                    link_message(wire::MessageType::not_taken, NotTaken{.subject = subject, .reason = reason})});
}

void Relay::flush(Now now, Effects& out) {
  for (const auto& [giver, subjects] : std::exchange(taken_, {})) {
    for (std::size_t first = 0; first < subjects.size(); first += kMaxTaken) {
      const std::size_t last = std::min(subjects.size(), first + kMaxTaken);
      const Taken answer{{subjects.begin() + static_cast<std::ptrdiff_t>(first),
                          subjects.begin() + static_cast<std::ptrdiff_t>(last)}};
      out.push(Transmit{giver, wire::Priority::high,
                        link_message(wire::MessageType::taken, answer, 32 + 34 * answer.subjects.size())});
    }
  }
  std::vector<Leaving> leaving = std::exchange(leaving_, {});
  std::vector<Leaving*> group;
  const auto sign_group = [&] {
    if (group.empty()) return;
    std::vector<crypto::Digest> leaves;
    for (const Leaving* one : group) {
      const crypto::Digest previous = path::last_leaf(one->subject, self_.id(), one->packet.path);
      leaves.push_back(path::leaf_of(one->subject, previous, self_.id(), one->next, now.wall));
    }
    path::Hops hops = path::sign_hops(self_, now.wall, leaves);
    for (std::size_t i = 0; i < group.size(); ++i) {
      group[i]->packet.path.push_back(std::move(hops[i]));
      transmit(group[i]->next, group[i]->packet, out);
    }
    group.clear();
  };
  for (Leaving& one : leaving) {
    const bool is_large = one.packet.payload.size() > kMaxBatchedPayload;
    if (is_large || group.size() == path::kMaxLeaves) sign_group();
    group.push_back(&one);
    if (is_large) sign_group();
  }
  sign_group();
}

std::optional<Instant> Relay::deadline() const {
  return earlier(earlier(expiry_at_, scouts_.earliest()), earlier(ask_due_.earliest(), held_due_.earliest()));
}

void Relay::on_deadline(Now now, Effects& out) {
  if (expiry_at_ && *expiry_at_ <= now.mono) expire(now, out);
  while (const auto relay = scouts_.pop_due(now.mono)) hang_up(*relay, out);
  while (const auto to = ask_due_.pop_due(now.mono)) {
    const auto wanted = demands_.find(*to);
    if (wanted != demands_.end()) ask(now, *to, wanted->second, out);
  }
  while (const auto number = held_due_.pop_due(now.mono)) {
    Held* held = custody_.find(*number);
    if (held == nullptr) continue;
    if (held->next && !held->way.empty()) routes_.failed(now.mono, held->packet.to, held->way);
    forward(now, *held, out);
  }
}

RelayStatus Relay::status() const {
  RelayStatus status{.forwards = forwards_,
                     .packets = custody_.used().packets,
                     .bytes = custody_.used().bytes,
                     .max_packets = config_.max_packets,
                     .max_bytes = config_.max_bytes,
                     .routed_peers = routes_.size(),
                     .wanted_peers = demands_.size(),
                     .taken = taken_count_,
                     .handed_on = handed_on_,
                     .passed = passed_,
                     .refused = refused_,
                     .expired = expired_,
                     .search_bytes = search_bytes_};
  for (const auto& [peer, neighbour] : neighbours_) status.relays += neighbour.relays ? 1 : 0;
  return status;
}

void Relay::check_invariants() const {
  custody_.check_invariants();
  std::map<identity::PeerId, std::size_t> dialled;
  std::map<identity::PeerId, std::size_t> lonely;
  for (const auto& [number, held] : custody_.all()) {
    if (held.lonely) ++lonely[held.packet.to];
    CHECK(!held.lonely || !held.next);
    CHECK(held.persisted != std::ranges::any_of(waiting_, [&](const auto& one) { return one.second == number; }));
    CHECK(!held.persisted || held_due_.at(number).has_value());
  }
  for (const auto& [to, demand] : demands_) {
    CHECK(demand.by_router || demand.by_custody > 0);
    CHECK(demand.by_custody == (lonely.contains(to) ? lonely.at(to) : 0));
    for (const identity::PeerId& relay : demand.dialled) ++dialled[relay];
  }
  for (const auto& [relay, count] : dialled_) {
    if (scouts_.at(relay)) ++dialled[relay];
  }
  CHECK(scouts_.size() <= kMaxScouts);
  CHECK(dialled == dialled_ && demands_.size() <= kMaxDemands && arriving_.size() <= kMaxArriving);
  CHECK(custody_.all().empty() || expiry_at_.has_value());
}

}  // namespace ekiden::relay
