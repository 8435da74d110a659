// Which endpoints there are: configured, mapped, observed, and remembered from an earlier run.
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "reachability/reachability.hpp"
#include "reachability/rows.hpp"

namespace ekiden::reachability {
namespace {

/// How far a verification may lie in our future: more than a clock that is being steered goes back.
constexpr milliseconds kMaxAhead = minutes(1);
/// After a restart what is remembered is checked within this many times the first retry.
constexpr int kSpread = 12;

}  // namespace

Status Reachability::load(ByteView row) {
  CHECK(!started_);
  auto read = wire::decode<ReachabilityRow>(row);
  if (!read) {
    return fail(Errc::storage_corrupt, "table meta, row " + std::string(kRowName) + ": " + read.error().message);
  }
  for (VerifiedRow& known : read->verified) {
    remembered_.insert_or_assign(std::move(known.endpoint), std::pair(known.source, known.verified_at));
  }
  return {};
}

void Reachability::remember(Effects& out) const {
  ReachabilityRow row;
  for (const Item* item : in_order()) {
    const Candidate& candidate = item->second;
    if (candidate.state != State::verified || row.verified.size() == kMaxRowEndpoints) continue;
    row.verified.push_back({item->first, candidate.source, *candidate.verified_at});
  }
  store::Batch batch;
  batch.put(store::Table::meta, as_bytes(kRowName), wire::encode(row));
  out.push(Write{std::move(batch)});
}

bool Reachability::is_fresh(Now now, WallTime verified_at) const {
  return verified_at <= now.wall + kMaxAhead && now.wall - verified_at < config_.good_for;
}

void Reachability::recall(Now now, const identity::Endpoint& endpoint, Candidate& candidate) const {
  const auto found = remembered_.find(endpoint);
  if (found == remembered_.end() || !is_fresh(now, found->second.second)) return;
  candidate.state = State::verified;
  candidate.verified_at = found->second.second;
  const Duration age = std::max<Duration>(Duration(0), now.wall - found->second.second);
  candidate.good_until = now.mono + (config_.good_for - age);
}

bool Reachability::is_allowed(const identity::IpAddress& address) const {
  return identity::may_dial(
      address, config_.private_network ? identity::LearnedFrom::configuration : identity::LearnedFrom::remote_record);
}

/// REQUIRES: there is room.
void Reachability::add(Now now, const identity::Endpoint& endpoint, Source source, Effects& out) {
  if (candidates_.contains(endpoint)) return;
  Candidate candidate{.source = source, .order = ++last_order_};
  const auto address = endpoint.address();
  if (!address && endpoint.is_udp()) {
    candidate.state = State::unreachable;
    candidate.may_be_asked = false;
    candidate.last_error = "names are not resolved for datagrams: say the address";
  } else if (address && !is_allowed(*address)) {
    candidate.state = State::unreachable;
    candidate.may_be_asked = false;
    candidate.last_error = "others do not dial " + std::string(identity::class_name(identity::classify(*address))) +
                           " addresses, unless private_network is on";
  } else {
    recall(now, endpoint, candidate);
    const bool is_verified = candidate.state == State::verified;
    checks_.set(endpoint,
                now.mono + (is_verified ? rng_.between(config_.retry_min, config_.retry_min * kSpread) : Duration(0)));
  }
  const bool is_news = candidate.state == State::verified;
  candidates_.emplace(endpoint, std::move(candidate));
  if (is_news) out.push(Changed{});
}

void Reachability::remove(const identity::Endpoint& endpoint, Effects& out) {
  const auto found = candidates_.find(endpoint);
  CHECK(found != candidates_.end());
  const bool was_verified = found->second.state == State::verified;
  if (found->second.asking) end_question(questions_.find(*found->second.asking));
  checks_.cancel(endpoint);
  candidates_.erase(found);
  if (!was_verified) return;
  remember(out);
  out.push(Changed{});
}

bool Reachability::has_room_for_observed() const {
  const auto is_observed = [](const Item& item) { return item.second.source == Source::observed; };
  return candidates_.size() < config_.max_candidates &&
         std::cmp_less(std::ranges::count_if(candidates_, is_observed), config_.max_observed);
}

/// The oldest that is not verified goes. False if there is none.
bool Reachability::make_room_for_observed() {
  const Item* oldest = nullptr;
  for (const Item& item : candidates_) {
    const Candidate& candidate = item.second;
    if (candidate.source != Source::observed || candidate.state == State::verified) continue;
    if (oldest == nullptr || candidate.order < oldest->second.order) oldest = &item;
  }
  if (oldest == nullptr) return false;
  const identity::Endpoint endpoint = oldest->first;
  Effects nothing;  // It is not verified: nothing changes.
  remove(endpoint, nothing);
  return true;
}

Voter Reachability::voter(const identity::PeerId& peer, const std::optional<identity::IpAddress>& address) const {
  if (config_.private_network) return peer;
  return address ? identity::prefix_of(*address) : identity::AddressPrefix{};  // All without an address are one.
}

std::vector<identity::Endpoint> Reachability::endpoints_at(const identity::IpAddress& address) const {
  std::vector<identity::Endpoint> out;
  for (const identity::Endpoint& listen : listening_) {
    const auto bound = listen.address();
    const bool is_plain =
        listen.transport == identity::Endpoint::Transport::tcp || listen.transport == identity::Endpoint::Transport::ws;
    if (!is_plain || !bound || bound->family != address.family) continue;
    const bool is_closed_to_others = identity::classify(*bound) == identity::AddressClass::loopback;
    if (is_closed_to_others && *bound != address) continue;
    out.push_back({listen.transport, address.text(), listen.port});
  }
  return out;
}

std::size_t Reachability::votes_for(const identity::Endpoint& endpoint) const {
  const auto address = endpoint.address();
  if (!address) return 0;
  return endpoint.is_udp() ? datagram_votes_.count({*address, endpoint.port}) : link_votes_.count({*address, 0});
}

void Reachability::observe(Now now, const Observer& by, Votes& votes, const identity::SocketAddress& address,
                           Effects& out) {
  if (!is_allowed(address.ip)) return;
  link_votes_.expire(now.mono - config_.vote_ttl);
  datagram_votes_.expire(now.mono - config_.vote_ttl);
  votes.put(voter(by.peer, by.address), address, now.mono, config_.max_votes);
  drop_outvoted(out);
  if (votes.count(address) >= config_.votes) add_observed(now, address, out);
  pump(now, out);
}

void Reachability::add_observed(Now now, const identity::SocketAddress& address, Effects& out) {
  const bool is_datagram = address.port != 0;
  const auto seen =
      is_datagram ? std::vector{identity::Endpoint{identity::Endpoint::Transport::udp, address.ip.text(), address.port}}
                  : endpoints_at(address.ip);
  for (const identity::Endpoint& endpoint : seen) {
    if (candidates_.contains(endpoint) || (!has_room_for_observed() && !make_room_for_observed())) continue;
    add(now, endpoint, Source::observed, out);
    doubt_outvoted(now);
  }
}

/// Of those that are not verified: nobody sees us there any more.
void Reachability::drop_outvoted(Effects& out) {
  std::vector<identity::Endpoint> gone;
  for (const auto& [endpoint, candidate] : candidates_) {
    const bool is_outvoted = candidate.source == Source::observed && candidate.state != State::verified &&
                             votes_for(endpoint) < config_.votes;
    if (is_outvoted) gone.push_back(endpoint);
  }
  for (const identity::Endpoint& endpoint : gone) remove(endpoint, out);
}

/// Peers agree on another address: perhaps we have moved, and what was verified has to be checked soon.
void Reachability::doubt_outvoted(Now now) {
  for (const auto& [endpoint, candidate] : candidates_) {
    const bool is_outvoted = candidate.source == Source::observed && votes_for(endpoint) < config_.votes;
    if (is_outvoted && checks_.at(endpoint)) checks_.set_no_later_than(endpoint, now.mono + config_.next_peer);
  }
}

}  // namespace ekiden::reachability
