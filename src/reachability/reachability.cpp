// The door of reachability, and what it shows.
#include "reachability/reachability.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace ekiden::reachability {

std::string_view source_name(Source source) {
  switch (source) {
    case Source::configured:
      return "configured";
    case Source::mapped:
      return "mapped";
    case Source::observed:
      return "observed";
  }
  return "";
}

std::string_view state_name(State state) {
  switch (state) {
    case State::candidate:
      return "candidate";
    case State::verified:
      return "verified";
    case State::unreachable:
      return "unreachable";
    case State::declared:
      return "declared";
  }
  return "";
}

Reachability::Reachability(Config config, Rng rng, HasSentTo has_sent_to)
    : config_(config), rng_(std::move(rng)), has_sent_to_(std::move(has_sent_to)) {
  CHECK(config_.votes > 0 && config_.failures > 0 && config_.max_peers > 0 && config_.questions_per_minute > 0);
}

void Reachability::set_configured(std::vector<identity::Endpoint> endpoints) {
  CHECK(!started_);
  endpoints.resize(std::min(endpoints.size(), config_.max_candidates));
  configured_ = std::move(endpoints);
}

void Reachability::set_listening(std::vector<identity::Endpoint> endpoints) {
  CHECK(!started_);
  listening_ = std::move(endpoints);
}

void Reachability::start(Now now, Effects& out) {
  CHECK(!started_);
  started_ = true;
  for (const identity::Endpoint& endpoint : configured_) add(now, endpoint, Source::configured, out);
  for (const auto& [endpoint, known] : remembered_) {
    const bool is_observed = known.first == Source::observed && endpoint.address() && is_fresh(now, known.second);
    if (is_observed && has_room_for_observed()) add(now, endpoint, Source::observed, out);
  }
}

void Reachability::on_peer_up(Now now, const Observer& peer, Effects& out) {
  if (!started_) return;
  if (peers_.size() >= config_.max_peers && !peers_.contains(peer.peer)) {
    // Whoever it is: of those who come in numbers, most go.
    const auto index = static_cast<std::ptrdiff_t>(rng_.below(peers_.size()));
    const identity::PeerId gone = std::next(peers_.begin(), index)->first;
    on_peer_down(now, gone, out);
  }
  peers_[peer.peer].address = peer.address;
  for (auto& [endpoint, candidate] : candidates_) {
    if (candidate.starved > 0 && checks_.at(endpoint)) checks_.set(endpoint, now.mono);
  }
  pump(now, out);
}

void Reachability::on_peer_down(Now now, const identity::PeerId& peer, Effects& out) {
  if (peers_.erase(peer) == 0) return;
  for (auto& [endpoint, candidate] : candidates_) candidate.resting.erase(peer);
  for (auto asked = questions_.begin(); asked != questions_.end();) {
    const auto next = std::next(asked);
    if (asked->second.peer == peer) {
      Item& item = *item_of(asked->second.endpoint);
      end_question(asked);
      not_answered(now, item, peer, "the link to " + peer.short_text() + " ended before it answered");
    }
    asked = next;
  }
  pump(now, out);
}

void Reachability::on_observed_link(Now now, const Observer& by, const identity::IpAddress& address, Effects& out) {
  if (!started_) return;
  if (const auto peer = peers_.find(by.peer); peer != peers_.end()) peer->second.sees = address;
  observe(now, by, link_votes_, {address, 0}, out);
}

void Reachability::on_observed_datagram(Now now, const Observer& by, const identity::SocketAddress& address,
                                        Effects& out) {
  if (!started_ || address.port == 0) return;
  observe(now, by, datagram_votes_, address, out);
}

void Reachability::on_mapped(Now now, const identity::Endpoint& endpoint, Effects& out) {
  if (!started_) return;
  if (Item* known = item_of(endpoint)) {
    known->second.source = std::min(known->second.source, Source::mapped);
    return;
  }
  const bool has_room = candidates_.size() < config_.max_candidates || make_room_for_observed();
  if (has_room) add(now, endpoint, Source::mapped, out);
  pump(now, out);
}

void Reachability::on_mapping_lost(Now now, const identity::Endpoint& endpoint, Effects& out) {
  const Item* known = item_of(endpoint);
  if (known == nullptr || known->second.source != Source::mapped) return;
  remove(endpoint, out);
  pump(now, out);
}

std::optional<Instant> Reachability::deadline() const {
  return started_ ? earlier(timeouts_.earliest(), checks_.earliest()) : std::nullopt;
}

void Reachability::on_deadline(Now now, Effects& out) {
  if (!started_) return;
  while (const auto question = timeouts_.pop_due(now.mono)) {
    const auto asked = questions_.find(*question);
    CHECK(asked != questions_.end());
    const identity::PeerId peer = asked->second.peer;
    Item& item = *item_of(asked->second.endpoint);
    end_question(asked);
    not_answered(now, item, peer, peer.short_text() + " did not answer in time");
  }
  pump(now, out);
}

std::vector<const Reachability::Item*> Reachability::in_order() const {
  std::vector<const Item*> items;
  for (const Item& item : candidates_) items.push_back(&item);
  std::ranges::sort(items, [](const Item* a, const Item* b) {
    return std::pair(a->second.source, a->second.order) < std::pair(b->second.source, b->second.order);
  });
  return items;
}

std::vector<identity::Endpoint> Reachability::endpoints() const {
  std::vector<identity::Endpoint> out;
  for (const Item* item : in_order()) {
    if (item->second.state == State::verified) out.push_back(item->first);
  }
  return out;
}

std::vector<EndpointStatus> Reachability::status() const {
  std::vector<EndpointStatus> out;
  for (const Item* item : in_order()) {
    const Candidate& candidate = item->second;
    out.push_back({.endpoint = item->first,
                   .source = candidate.source,
                   .state = candidate.state,
                   .verified_at = candidate.verified_at,
                   .last_error = candidate.last_error,
                   .refused_by = candidate.refused_by,
                   .next_check = checks_.at(item->first)});
  }
  return out;
}

void Reachability::check_invariants() const {
  CHECK(candidates_.size() <= config_.max_candidates && peers_.size() <= config_.max_peers);
  CHECK(link_votes_.size() <= config_.max_votes && datagram_votes_.size() <= config_.max_votes);
  CHECK(questions_.size() == timeouts_.size() && questions_.size() <= candidates_.size());
  std::size_t observed = 0;
  std::size_t asking = 0;
  for (const auto& [endpoint, candidate] : candidates_) {
    if (candidate.source == Source::observed) ++observed;
    if (candidate.asking) ++asking;
    CHECK((checks_.at(endpoint).has_value() || candidate.asking.has_value()) == candidate.may_be_asked);
    CHECK(!checks_.at(endpoint) || !candidate.asking);
    CHECK(candidate.may_be_asked || candidate.state == State::unreachable);
    CHECK(candidate.state != State::declared);
    CHECK(candidate.state != State::verified || (candidate.verified_at && candidate.may_be_asked));
    CHECK(candidate.reached_by.size() <= config_.votes && candidate.failed_by.size() <= config_.failures);
    for (const auto& [peer, until] : candidate.resting) CHECK(peers_.contains(peer));
  }
  CHECK(observed <= config_.max_observed && asking == questions_.size());
  for (const auto& [id, asked] : questions_) {
    const auto found = candidates_.find(asked.endpoint);
    CHECK(found != candidates_.end() && found->second.asking == id && peers_.contains(asked.peer));
  }
}

}  // namespace ekiden::reachability
