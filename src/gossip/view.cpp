#include "gossip/view.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "wire/link_message.hpp"

namespace ekiden::gossip {
namespace {

/// Of so many members with complete views one looks for a neighbour elsewhere, each time: it may cost both sides
/// another one, and between two overlays that came to be apart a few links are enough.
constexpr std::uint32_t kRefreshers = 4;

}  // namespace

View::View(const identity::PeerId& self, const TopicId& topic, const Config& config, const Surroundings& around,
           Rng rng)
    : self_(self),
      topic_(topic),
      config_(config),
      around_(around),
      rng_(std::move(rng)),
      joins_({config.joins_per_second, config.join_burst}),
      contact_wait_(config.contact_min),
      refresh_wait_(config.refresh_min) {}

void View::start(Now now) {
  shuffle_at_ = now.mono + jittered(config_.shuffle_interval);
  contact_at_ = now.mono;
  refresh_at_ = now.mono + jittered(refresh_wait_);
}

void View::leave(ViewEffects& out) {
  for (const auto& [peer, attempt] : attempts_) out.push(Want{peer, false});
  for (const auto& [peer, bucket] : active_) {
    send(peer, wire::MessageType::topic_disconnect, Disconnect{topic_, /*leaving=*/true}, out);
    out.push(Want{peer, false});
  }
}

/// A quarter more or less, so that members do not act at once.
Duration View::jittered(Duration interval) { return rng_.between(interval * 3 / 4, interval * 5 / 4); }

template <wire::Described T>
void View::send(const identity::PeerId& to, wire::MessageType type, const T& message, ViewEffects& out) {
  out.push(Transmit{to, wire::Priority::high, link_message(type, message)});
}

// The active view. ----------------------------------------------------------------------------------------------------

std::vector<identity::PeerId> View::active() const {
  std::vector<identity::PeerId> all;
  for (const auto& [peer, entry] : active_) all.push_back(peer);
  return all;
}

std::optional<identity::PeerId> View::any_active() { return any_active_but(self_); }

std::optional<identity::PeerId> View::any_active_but(const identity::PeerId& other) {
  const std::size_t count = active_.size() - (active_.contains(other) ? 1 : 0);
  if (count == 0) return std::nullopt;
  auto left = rng_.below(count);
  for (const auto& [peer, entry] : active_) {
    if (peer == other) continue;
    if (left-- == 0) return peer;
  }
  return std::nullopt;
}

/// Section 4.3: whoever is added to a full view takes the place of a random neighbour. The spare places let those that
/// lack a neighbour find one where most have enough.
void View::add_active(Now now, const identity::PeerId& peer, ViewEffects& out) {
  if (attempts_.erase(peer) != 0) {
    attempt_due_.cancel(peer);  // The link stays wanted.
  } else if (!active_.contains(peer)) {
    out.push(Want{peer, true});
  }
  if (active_.contains(peer)) return;
  if (active_.size() >= most_active()) evict(now, out);
  passive_.erase(peer);
  active_.emplace(peer, flow::TokenBucket({config_.controls_per_second, config_.control_burst}));
  std::erase(contacts_, peer);
  contact_wait_ = config_.contact_min;
  out.push(NeighbourUp{peer});
}

void View::evict(Now now, ViewEffects& out) {
  const auto victim = any_active();
  CHECK(victim.has_value());
  send(*victim, wire::MessageType::topic_disconnect, Disconnect{topic_, /*leaving=*/false}, out);
  remove_active(*victim, out);
  keep_passive(*victim);
  full_.put(*victim, now.mono);
}

void View::remove_active(const identity::PeerId& peer, ViewEffects& out) {
  active_.erase(peer);
  out.push(NeighbourDown{peer});
  out.push(Want{peer, false});
}

void View::expel(Now now, const identity::PeerId& peer, ViewEffects& out) {
  if (!active_.contains(peer)) return;
  send(peer, wire::MessageType::topic_disconnect, Disconnect{topic_, /*leaving=*/false}, out);
  remove_active(peer, out);
  not_before_.put(peer, now.mono + config_.attempt_pause);
  fill(now, out);
}

// Attempts. -----------------------------------------------------------------------------------------------------------

bool View::may_ask(Now now, const identity::PeerId& peer) const {
  if (peer == self_ || active_.contains(peer) || attempts_.contains(peer)) return false;
  const Instant* at = not_before_.peek(peer);
  if (at != nullptr && *at > now.mono) return false;
  if (active_.size() < config_.min_active) return true;  // There is always room for one that asks urgently.
  const Instant* full = full_.peek(peer);
  return full == nullptr || *full < lost_at_ || *full + config_.attempt_pause <= now.mono;
}

/// Contacts first, for they are there by what was heard last; then anybody of the passive view.
std::optional<identity::PeerId> View::next_candidate(Now now) {
  while (!contacts_.empty()) {
    const identity::PeerId peer = contacts_.front();
    contacts_.erase(contacts_.begin());
    if (may_ask(now, peer)) return peer;
  }
  std::vector<identity::PeerId> ready;
  for (const auto& [peer, entry] : passive_) {
    if (may_ask(now, peer)) ready.push_back(peer);
  }
  if (ready.empty()) return std::nullopt;
  return ready[rng_.below(ready.size())];
}

/// Section 4.3: a missing neighbour is replaced from the passive view; with priority where there is no other left.
void View::fill(Now now, ViewEffects& out) {
  while (attempts_.size() < kMaxAttempts && active_.size() + attempts_.size() < config_.max_active) {
    const auto peer = next_candidate(now);
    if (!peer) break;
    const bool is_known = passive_.contains(*peer);
    if (active_.empty()) {
      begin(now, *peer, is_known ? Purpose::urgent_neighbour : Purpose::join, out);
    } else {
      begin(now, *peer, Purpose::neighbour, out);
    }
  }
  const bool is_short = active_.size() < config_.max_active;
  if (is_short && !fill_at_) fill_at_ = now.mono + jittered(config_.attempt_pause);
  if (active_.empty() && attempts_.empty()) {
    const Instant soon = now.mono + jittered(config_.contact_min);
    if (!contact_at_ || *contact_at_ > soon) contact_at_ = soon;
  } else if (is_short && !contact_at_) {
    contact_at_ = now.mono + jittered(contact_wait_);
  }
}

void View::begin(Now now, const identity::PeerId& peer, Purpose purpose, ViewEffects& out) {
  const auto [attempt, fresh] = attempts_.try_emplace(peer, Attempt{purpose});
  if (!fresh) return;
  attempt_due_.set(peer, now.mono + config_.attempt_timeout);
  if (const auto known = passive_.find(peer); known != passive_.end()) {
    if (auto record = identity::verify_signed_record(known->second.record, now.wall)) out.push(Met{std::move(*record)});
  }
  out.push(Want{peer, true});
  if (around_.is_linked(peer)) ask(peer, attempt->second, out);
}

void View::ask(const identity::PeerId& peer, Attempt& attempt, ViewEffects& out) {
  attempt.sent = true;
  if (attempt.purpose == Purpose::join) {
    send(peer, wire::MessageType::topic_join, Join{topic_}, out);
  } else {
    const bool urgent = attempt.purpose == Purpose::urgent_neighbour || active_.size() < config_.min_active;
    send(peer, wire::MessageType::topic_neighbour, Neighbour{topic_, urgent}, out);
  }
}

void View::end_attempt(const identity::PeerId& peer, ViewEffects& out) {
  if (attempts_.erase(peer) == 0) return;
  attempt_due_.cancel(peer);
  out.push(Want{peer, false});
}

void View::fail_attempt(Now now, const identity::PeerId& peer, bool forget, ViewEffects& out) {
  if (!attempts_.contains(peer)) return;
  end_attempt(peer, out);
  if (forget) {
    not_before_.put(peer, now.mono + config_.attempt_pause);
    passive_.erase(peer);
  } else {
    full_.put(peer, now.mono);
  }
  fill(now, out);
}

// Inputs of the node. -------------------------------------------------------------------------------------------------

void View::on_contacts(Now now, const std::vector<identity::PeerId>& peers, ViewEffects& out) {
  for (const identity::PeerId& peer : peers) {
    if (contacts_.size() >= kMaxContacts || !may_ask(now, peer)) continue;
    if (std::ranges::find(contacts_, peer) == contacts_.end()) contacts_.push_back(peer);
  }
  fill(now, out);
  if (!refreshing_) return;
  // Overlays that came to be apart, each complete in itself, meet by this alone.
  const auto stranger = stranger_among_contacts(now);
  if (stranger && attempts_.size() < kMaxAttempts) {
    refreshing_ = false;
    // One link is enough. A join would give us a view of new neighbours, and cost as many others theirs.
    begin(now, *stranger, Purpose::urgent_neighbour, out);
  }
  contacts_.clear();
}

/// Best of the other side of a split; otherwise of whom nobody here has told.
std::optional<identity::PeerId> View::stranger_among_contacts(Now now) const {
  std::optional<identity::PeerId> stranger;
  for (const identity::PeerId& peer : contacts_) {
    if (!may_ask(now, peer)) continue;
    if (around_.is_of_other_side(peer)) return peer;
    if (!stranger && !passive_.contains(peer)) stranger = peer;
  }
  return stranger;
}

void View::reunite(Now now, ViewEffects& out) {
  // Whoever could not be reached can be, and whoever has given up searching finds somebody.
  not_before_.for_each([&](Instant& pause) { pause = now.mono; });
  contact_wait_ = config_.contact_min;
  contact_at_.reset();
  // Where members are few, it may be that none but this one does it.
  if (passive_.size() < config_.max_passive || rng_.chance(1, kRefreshers)) refreshing_ = true;
  std::vector<identity::PeerId> remembered;
  for (const auto& [peer, entry] : passive_) {
    if (around_.is_of_other_side(peer)) remembered.push_back(peer);
  }
  rng_.shuffle(remembered);
  on_contacts(now, remembered, out);
  if (refreshing_) out.push(NeedContacts{});
}

void View::on_link_up(Now now, const identity::PeerId& peer, ViewEffects& out) {
  const auto attempt = attempts_.find(peer);
  if (attempt == attempts_.end() || attempt->second.sent) return;
  attempt_due_.set(peer, now.mono + config_.attempt_timeout);
  ask(peer, attempt->second, out);
}

void View::on_link_down(Now now, const identity::PeerId& peer, ViewEffects& out) {
  if (active_.contains(peer)) {
    // It may come back, as after a restart: it stays known until a dial fails.
    lost_at_ = now.mono;
    remove_active(peer, out);
    keep_passive(peer);
    return fill(now, out);
  }
  if (const auto attempt = attempts_.find(peer); attempt != attempts_.end() && attempt->second.sent) {
    fail_attempt(now, peer, /*forget=*/false, out);
  }
}

void View::on_unreachable(Now now, const identity::PeerId& peer, ViewEffects& out) {
  if (!around_.is_linked(peer)) fail_attempt(now, peer, /*forget=*/true, out);
}

// Timers. -------------------------------------------------------------------------------------------------------------

std::optional<Instant> View::deadline() const {
  auto at = earlier(attempt_due_.earliest(), shuffle_at_);
  at = earlier(at, earlier(contact_at_, fill_at_));
  return earlier(at, refresh_at_);
}

void View::on_deadline(Now now, ViewEffects& out) {
  while (const auto peer = attempt_due_.pop_due(now.mono)) fail_attempt(now, *peer, /*forget=*/true, out);
  if (fill_at_ && *fill_at_ <= now.mono) {
    fill_at_.reset();
    fill(now, out);
  }
  if (shuffle_at_ && *shuffle_at_ <= now.mono) {
    shuffle_at_ = now.mono + jittered(config_.shuffle_interval);
    shuffle(now, out);
  }
  seek_contacts(now, out);
}

void View::seek_contacts(Now now, ViewEffects& out) {
  bool seeks = false;
  if (contact_at_ && *contact_at_ <= now.mono) {
    contact_at_.reset();
    if (active_.size() < config_.max_active) {
      seeks = true;
      contact_at_ = now.mono + jittered(contact_wait_);
      contact_wait_ = std::min(contact_wait_ * 2, config_.contact_max);
    }
  }
  if (refresh_at_ && *refresh_at_ <= now.mono) {
    refresh_at_ = now.mono + jittered(refresh_wait_);
    refresh_wait_ = std::min(refresh_wait_ * 2, config_.refresh_max);
    if (rng_.chance(1, kRefreshers)) refreshing_ = seeks = true;
  }
  if (seeks) out.push(NeedContacts{});
}

void View::check_invariants() const {
  CHECK(active_.size() <= most_active() && passive_.size() <= config_.max_passive);
  CHECK(attempts_.size() <= kMaxAttempts && attempts_.size() == attempt_due_.size());
  CHECK(contacts_.size() <= kMaxContacts && walks_.size() <= kMaxWalks);
  CHECK(!active_.contains(self_) && !passive_.contains(self_) && !attempts_.contains(self_));
  for (const auto& [peer, entry] : active_) {
    CHECK(!passive_.contains(peer) && !attempts_.contains(peer) && around_.is_linked(peer));
  }
  for (const auto& [peer, entry] : passive_) CHECK(!entry.record.empty());
  for (const auto& [peer, attempt] : attempts_) CHECK(!attempt.sent || around_.is_linked(peer));
}

}  // namespace ekiden::gossip
