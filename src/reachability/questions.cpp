// Whom to ask about which endpoint, and what the answers mean.
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "reachability/reachability.hpp"

namespace ekiden::reachability {
namespace {

constexpr Duration kMinute = minutes(1);
/// So many peers in a row may refuse or be silent before the next one is asked later and later.
constexpr std::uint32_t kEager = 8;

}  // namespace

Reachability::Item* Reachability::item_of(const identity::Endpoint& endpoint) {
  const auto found = candidates_.find(endpoint);
  return found == candidates_.end() ? nullptr : &*found;
}

void Reachability::pump(Now now, Effects& out) {
  while (const auto endpoint = checks_.pop_due(now.mono)) ask(now, *item_of(*endpoint), out);
}

void Reachability::ask(Now now, Item& item, Effects& out) {
  const identity::Endpoint& endpoint = item.first;
  Candidate& candidate = item.second;
  if (candidate.state == State::verified && candidate.good_until <= now.mono) {
    lose(item, State::candidate, "nobody has checked it for long", out);
  }
  const bool is_observed = candidate.source == Source::observed && candidate.state != State::verified;
  if (is_observed && votes_for(endpoint) < config_.votes) return remove(identity::Endpoint(endpoint), out);
  const auto peer = choose(now, item);
  if (!peer) {
    ++candidate.starved;
    checks_.set(endpoint, now.mono + back_off(candidate.starved));
    out.push(NeedPeer{});
    return;
  }
  if (!spend_question(now.mono)) return checks_.set(endpoint, *minute_ + kMinute);
  candidate.starved = 0;
  const QuestionId id{++last_question_};
  candidate.asking = id;
  questions_.emplace(id, Asked{endpoint, *peer});
  timeouts_.set(id, now.mono + config_.answer_timeout);
  out.push(Question{id, *peer, endpoint});
}

bool Reachability::spend_question(Instant now) {
  if (!minute_ || now - *minute_ >= kMinute) {
    minute_ = now;
    asked_in_minute_ = 0;
  }
  if (asked_in_minute_ >= config_.questions_per_minute) return false;
  ++asked_in_minute_;
  return true;
}

/// The smaller, the better; none if its answer would say nothing.
std::optional<unsigned> Reachability::rank(Now now, const Item& item, const identity::PeerId& id,
                                           const Peer& peer) const {
  const auto& [endpoint, candidate] = item;
  const auto address = endpoint.address();  // None of a name: what it leads to is seen by who resolves it.
  const auto rest = candidate.resting.find(id);
  if (rest != candidate.resting.end() && rest->second > now.mono) return std::nullopt;
  // It dials only the address at which it sees us.
  if (address && peer.sees && *peer.sees != *address) return std::nullopt;
  if (address && peer.address && peer.address->family != address->family) return std::nullopt;
  const Voter its_voter = voter(id, peer.address);
  if (candidate.state != State::verified && candidate.reached_by.contains(its_voter)) return std::nullopt;
  const auto has_failed = [&](const auto& failed) { return failed.second == its_voter; };
  unsigned points = 0;
  if (candidate.failed_by.contains(id)) points += 8;
  if (peer.address && !is_allowed(*peer.address)) points += 4;
  const bool is_udp = endpoint.transport == identity::Endpoint::Transport::udp;
  if (is_udp && peer.address && has_sent_to_ && has_sent_to_(*peer.address)) points += 2;
  if (std::ranges::any_of(candidate.failed_by, has_failed)) points += 1;
  return points;
}

std::optional<identity::PeerId> Reachability::choose(Now now, const Item& item) {
  std::vector<const identity::PeerId*> best;
  unsigned least = 0;
  for (const auto& [id, peer] : peers_) {
    const auto points = rank(now, item, id, peer);
    if (!points) continue;
    if (best.empty() || *points < least) {
      best.clear();
      least = *points;
    }
    if (*points == least) best.push_back(&id);
  }
  if (best.empty()) return std::nullopt;
  return *best[rng_.below(best.size())];
}

void Reachability::end_question(std::map<QuestionId, Asked>::iterator asked) {
  Item* item = item_of(asked->second.endpoint);
  CHECK(item != nullptr && item->second.asking == asked->first);
  item->second.asking.reset();
  timeouts_.cancel(asked->first);
  questions_.erase(asked);
}

bool Reachability::on_answer(Now now, QuestionId question, const identity::PeerId& from, Verdict verdict,
                             std::string detail, Effects& out) {
  const auto asked = questions_.find(question);
  if (asked == questions_.end() || asked->second.peer != from) return false;
  Item& item = *item_of(asked->second.endpoint);
  end_question(asked);
  switch (verdict) {
    case Verdict::reached:
      reached(now, item, from, out);
      break;
    case Verdict::not_reached:
      not_reached(now, item, from, std::move(detail), out);
      break;
    case Verdict::refused:
      not_answered(now, item, from, std::move(detail));
      break;
  }
  pump(now, out);
  return true;
}

void Reachability::reached(Now now, Item& item, const identity::PeerId& by, Effects& out) {
  auto& [endpoint, candidate] = item;
  candidate.failed_by.clear();
  candidate.failures = 0;
  candidate.unanswered = 0;
  candidate.last_error.clear();
  candidate.refused_by.reset();
  if (candidate.state != State::verified) {
    candidate.reached_by.insert(voter(by, peers_.at(by).address));
    const std::size_t needed = candidate.source == Source::observed ? config_.votes : 1;
    if (candidate.reached_by.size() < needed) {
      candidate.state = State::candidate;
      return checks_.set(endpoint, now.mono + config_.next_peer);
    }
  }
  const bool is_news = candidate.state != State::verified;
  candidate.state = State::verified;
  candidate.verified_at = now.wall;
  candidate.good_until = now.mono + config_.good_for;
  checks_.set(endpoint, now.mono + rng_.between(config_.verify_interval / 2, config_.verify_interval));
  remember(out);
  if (!is_news) return;
  out.push(Changed{});
  out.push(Notice{Notice::Kind::verified, endpoint.text() + " is reachable, as " + by.short_text() + " found (" +
                                              std::string(source_name(candidate.source)) + ")"});
}

void Reachability::not_reached(Now now, Item& item, const identity::PeerId& by, std::string detail, Effects& out) {
  auto& [endpoint, candidate] = item;
  if (candidate.failed_by.size() >= config_.failures) candidate.failed_by.erase(candidate.failed_by.begin());
  candidate.failed_by.insert_or_assign(by, voter(by, peers_.at(by).address));
  ++candidate.failures;
  candidate.unanswered = 0;
  candidate.last_error = std::move(detail);
  candidate.refused_by = by;
  if (candidate.state != State::verified) {
    candidate.state = State::unreachable;
  } else if (candidate.failed_by.size() >= config_.failures) {
    lose(item, State::unreachable, candidate.last_error, out);
  }
  checks_.set(endpoint, now.mono + back_off(candidate.failures));
}

/// It did not try: nothing is known, and somebody else is asked.
void Reachability::not_answered(Now now, Item& item, const identity::PeerId& by, std::string detail) {
  auto& [endpoint, candidate] = item;
  ++candidate.unanswered;
  Duration rest = config_.peer_rest;
  for (std::uint32_t i = 1; i < candidate.unanswered && rest < config_.retry_max; ++i) rest *= 2;
  if (peers_.contains(by)) candidate.resting.insert_or_assign(by, now.mono + std::min(rest, config_.retry_max));
  if (candidate.state == State::candidate) {
    candidate.last_error = std::move(detail);
    candidate.refused_by = by;
  }
  const bool is_hopeless = candidate.unanswered > kEager;
  checks_.set(endpoint, now.mono + (is_hopeless ? back_off(candidate.unanswered - kEager) : config_.next_peer));
}

void Reachability::lose(Item& item, State state, const std::string& why, Effects& out) {
  auto& [endpoint, candidate] = item;
  candidate.state = state;
  candidate.reached_by.clear();
  candidate.failed_by.clear();
  out.push(Notice{Notice::Kind::lost, endpoint.text() + " is not reachable any more: " + why});
  remember(out);
  out.push(Changed{});
}

/// Jitter of half: nodes that lost their network together do not ask together.
Duration Reachability::back_off(std::uint32_t failures) {
  Duration delay = config_.retry_min;
  for (std::uint32_t i = 1; i < failures && delay < config_.retry_max; ++i) delay *= 2;
  delay = std::min(delay, config_.retry_max);
  return rng_.between(delay / 2, delay);
}

}  // namespace ekiden::reachability
