// Durable packets of others: taken, kept, handed on.

#include <algorithm>

#include "base/check.hpp"
#include "relay/relay.hpp"
#include "relay/wire_form.hpp"

namespace ekiden::relay {
namespace {

constexpr milliseconds kExpiryCheck = minutes(1);
constexpr std::uint32_t kMaxDoublings = 16;

}  // namespace

Status Relay::take(Now now, const identity::PeerId& from, const Packet& packet, ByteView encoded, Effects& out) {
  const crypto::Digest subject = packet.subject();
  if (const Held* known = custody_.find(subject)) {
    if (known->persisted) taken_[from].push_back(subject);
    return {};
  }
  auto verified = verifier_.verify(subject, packet.from, self_.id(), packet.path);
  if (!verified) return std::unexpected(verified.error());
  if (!storage_works_) return refuse(from, subject, Refusal::storage, out), Status{};
  if (!custody_.has_room(from, encoded.size())) return refuse(from, subject, Refusal::full, out), Status{};
  if (size_with_hop(packet) > kMaxMessage) return refuse(from, subject, Refusal::too_far, out), Status{};
  const identity::PeerId& next = packet.route.empty() ? packet.to : packet.route.front();
  const auto is_up = [&](const identity::PeerId& relay) { return is_neighbour(relay); };
  if (!is_up(next) && !is_up(packet.to) && !routes_.best(now.mono, packet.to, is_up)) {
    return refuse(from, subject, Refusal::no_route, out), Status{};
  }
  ++taken_count_;
  store::Batch batch;
  Held& held = custody_.take(now.wall, from, packet, subject, encoded, batch);
  if (!expiry_at_) expiry_at_ = now.mono + kExpiryCheck;
  write(std::move(batch), out);
  waiting_.emplace_back(store::PersistToken{last_token_}, held.number);
  // While the disk works: until it is done the giver keeps the packet.
  forward(now, held, out);
  return {};
}

void Relay::write(store::Batch batch, Effects& out) {
  out.push(Persist{std::move(batch), store::PersistToken{++last_token_}});
}

void Relay::on_persisted(store::PersistToken token) {
  while (!waiting_.empty() && waiting_.front().first <= token) {
    Held* held = custody_.find(waiting_.front().second);
    waiting_.pop_front();
    if (held == nullptr) continue;  // Expired meanwhile, or somebody else has it.
    held->persisted = true;
    answer_giver(*held);
  }
}

void Relay::answer_giver(const Held& held) {
  if (is_neighbour(held.giver)) taken_[held.giver].push_back(held.subject);
}

/// The relays by which this packet can go on, none if its recipient is a neighbour; nullopt if nobody is left to try.
std::optional<Way> Relay::way_of(Now now, const Held& held) {
  const Packet& packet = held.packet;
  std::set<identity::PeerId> passed = held.tried;
  for (const path::Hop& hop : packet.path) passed.insert(identity::PeerId::of(hop.by));
  const auto may_go = [&](const identity::PeerId& next) { return is_neighbour(next) && !passed.contains(next); };
  if (may_go(packet.route.empty() ? packet.to : packet.route.front())) return packet.route;
  if (may_go(packet.to)) return Way{};
  auto way = routes_.best(now.mono, packet.to, may_go);
  const auto has_passed = [&](const identity::PeerId& relay) { return passed.contains(relay) || relay == self_.id(); };
  if (way && (std::ranges::any_of(*way, has_passed) || packet.path.size() + way->size() >= path::kMaxHops)) return {};
  return way;
}

void Relay::forward(Now now, Held& held, Effects& out) {
  const auto way = way_of(now, held);
  if (held.lonely && way) {
    held.lonely = false;
    --demands_.at(held.packet.to).by_custody;
    drop_if_unwanted(held.packet.to, out);
  }
  if (!way) return hold(now, held);
  const identity::PeerId next = way->empty() ? held.packet.to : way->front();
  held.next = next;
  held.way = *way;
  held.tried.insert(next);
  Duration wait = config_.answer_timeout;
  for (std::uint32_t i = 0; i < std::min(held.attempts, kMaxDoublings) && wait < config_.retry_max; ++i) wait *= 2;
  ++held.attempts;
  held_due_.set(held.number, now.mono + std::min(wait, config_.retry_max));
  Packet packet = held.packet;
  packet.route.clear();
  if (!way->empty()) packet.route.assign(way->begin() + 1, way->end());
  sign(std::move(packet), held.bytes, held.subject, next);
}

/// Until there is a route, or from the beginning after a while.
void Relay::hold(Now now, Held& held) {
  held.next.reset();
  held.way.clear();
  held.tried.clear();
  Duration wait = config_.answer_timeout;
  for (std::uint32_t i = 0; i < std::min(held.attempts, kMaxDoublings) && wait < config_.retry_max; ++i) wait *= 2;
  ++held.attempts;
  held_due_.set(held.number, now.mono + std::min(wait, config_.retry_max));
  if (held.lonely) return;
  Demand* wanted = demand(held.packet.to);
  if (wanted == nullptr) return;
  held.lonely = true;
  ++wanted->by_custody;
  ask_due_.set_no_later_than(held.packet.to, now.mono + (wanted->rounds == 0 ? Duration::zero() : wanted->interval));
}

/// Those that have nobody to go to: there is somebody now.
void Relay::retry_held(Now now, const identity::PeerId& to, Effects& out) {
  const auto found = demands_.find(to);
  if (found == demands_.end() || found->second.by_custody == 0) return;
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, held] : custody_.all()) {
    if (held.lonely && held.packet.to == to) numbers.push_back(number);
  }
  for (const std::uint64_t number : numbers) forward(now, *custody_.find(number), out);
}

/// It is going to be dropped.
void Relay::release(Held& held, Effects& out) {
  held_due_.cancel(held.number);
  if (!held.lonely) return;
  held.lonely = false;
  --demands_.at(held.packet.to).by_custody;
  drop_if_unwanted(held.packet.to, out);
}

Status Relay::on_taken(Now now, const identity::PeerId& from, ByteView body, Effects& out) {
  EKIDEN_ASSIGN(const Taken taken, wire::decode<Taken>(body));
  store::Batch batch;
  for (const crypto::Digest& subject : taken.subjects) {
    if (Held* held = custody_.find(subject)) {
      if (!held->tried.contains(from) && held->next != from) continue;
      if (held->next == from && !held->way.empty()) routes_.succeeded(now.mono, held->packet.to, held->way);
      if (!held->persisted) answer_giver(*held);
      release(*held, out);
      custody_.drop(*held, batch);
      ++handed_on_;
      continue;
    }
    const Sent* sent = sent_.find(subject);
    if (sent == nullptr || sent->way.front() != from) continue;
    out.push(HandedOn{.to = sent->to, .id = sent->id, .by = from});
    sent_.erase(subject);
  }
  if (!batch.empty()) write(std::move(batch), out);
  return {};
}

Status Relay::on_not_taken(Now now, const identity::PeerId& from, ByteView body, Effects& out) {
  EKIDEN_ASSIGN(const NotTaken answer, wire::decode<NotTaken>(body));
  const bool is_gone = answer.reason == Refusal::no_route || answer.reason == Refusal::absent ||
                       answer.reason == Refusal::off || answer.reason == Refusal::too_far;
  if (Held* held = custody_.find(answer.subject)) {
    if (held->next != from) return {};
    if (is_gone) routes_.remove(held->packet.to, held->way);
    forward(now, *held, out);
    return {};
  }
  if (Request* request = requests_.find(answer.subject)) {
    if (request->tried.contains(from)) on_request_refused(now, answer.subject, *request, answer.reason, out);
    return {};
  }
  const Sent* sent = sent_.find(answer.subject);
  if (sent == nullptr || sent->way.front() != from) return {};
  const Sent lost = *sent;
  sent_.erase(answer.subject);
  if (is_gone) {
    routes_.remove(lost.to, lost.way);
  } else {
    routes_.failed(now.mono, lost.to, lost.way);
  }
  ways_.erase({lost.to, lost.id});
  refresh(now, lost.to, out);
  out.push(Returned{.to = lost.to, .id = lost.id});
  return {};
}

void Relay::expire(Now now, Effects& out) {
  expiry_at_.reset();
  store::Batch batch;
  while (Held* held = custody_.first_to_expire()) {
    if (held->until > now.wall) break;
    ++expired_;
    release(*held, out);
    std::erase_if(waiting_, [&](const auto& one) { return one.second == held->number; });
    custody_.drop(*held, batch);
  }
  if (!batch.empty()) write(std::move(batch), out);
  if (!custody_.all().empty()) expiry_at_ = now.mono + kExpiryCheck;
}

}  // namespace ekiden::relay
