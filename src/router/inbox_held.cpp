// First contact: messages of strangers, which wait in the inbox until the owner says who these are.

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "router/inbox.hpp"

namespace ekiden::router {
namespace {

constexpr std::size_t kForgottenAtOnce = 16;  // strangers, so that no message makes a large batch

}  // namespace

bool Receiver::is_held(const identity::PeerId& peer) const {
  return config_.strangers == Strangers::queue && !standings_.is_known(peer);
}

bool Receiver::is_held(const Entry& entry) const {
  if (waiting_.empty() || entry.message == nullptr || is_request(entry.message->exchange)) return false;
  return waiting_.contains(entry.from);
}

void Receiver::announce(Entry& entry, Effects& out) {
  if (std::exchange(entry.announced, true)) return;
  out.push(Arrival{entry.message});
}

/// Into the sender's use, and the pools.
void Receiver::count_message(const identity::PeerId& from, Window& window, const Arrived& message) {
  add_use(window, use_of(message));
  if (is_request(message.exchange)) return;
  window.first += use_of(message);
  if (window.held) waiting_.insert(from);
}

void Receiver::uncount_message(const identity::PeerId& from, Window& window, const Arrived& message) {
  remove_use(window, use_of(message));
  if (is_request(message.exchange)) return;
  window.first -= use_of(message);
  if (window.first.messages == 0) waiting_.erase(from);
}

void Receiver::on_standing(const identity::PeerId& peer, Effects& out) {
  const auto sender = senders_.find(peer);
  if (sender == senders_.end()) return;
  Window& window = sender->second;
  if (const Tier tier = standings_.tier_of(peer); tier != window.tier) {
    unindex(peer, window);
    pools_.remove(window.tier, window.use);
    window.tier = tier;
    pools_.add(window.tier, window.use);
    index(peer, window);
  }
  if (window.held == is_held(peer)) return;
  window.held = !window.held;
  if (window.held && window.first.messages > 0) waiting_.insert(peer);
  if (window.held || waiting_.erase(peer) == 0 || !started_ || standings_.is_blocked(peer)) return;
  for (auto& [number, entry] : rows_) {
    if (entry.from == peer && is_shown(entry)) announce(entry, out);
  }
}

/// Of one that is not taken: a tombstone stays as long as the sequence is in the window.
void Receiver::forget_message(std::uint64_t number, Entry& entry, store::Batch& batch) {
  Window& window = senders_.at(entry.from);
  uncount_message(entry.from, window, *entry.message);
  forget_early(entry, window);
  const ArrivedPtr message = std::exchange(entry.message, nullptr);
  if (is_in_window(entry, window)) {
    std::optional<KeptPlace> placed;
    if (message->order && !entry.early) {
      placed = KeptPlace{.conversation = message->order->conversation,
                         .sequence = entry.sequence,
                         .place = message->order->place,
                         .delivered = message->order->delivered};
    }
    write_entry(number, entry, batch, std::move(placed));
    entry.early = false;
  } else {
    batch.erase(store::Table::inbox, number);
    rows_.erase(number);
  }
}

std::vector<std::uint64_t> Receiver::drop_messages(const identity::PeerId& peer, store::Batch& batch) {
  std::vector<std::uint64_t> dropped;
  for (auto& [number, entry] : rows_) {
    if (entry.from == peer && entry.message != nullptr && entry.persisted) dropped.push_back(number);
  }
  for (const std::uint64_t number : dropped) forget_message(number, rows_.at(number), batch);
  return dropped;
}

/// For one more message of `size` bytes that would wait.
Pools::Refused Receiver::check_first(const identity::PeerId& from, const Window& window, std::size_t size) const {
  const bool is_full = window.first.messages >= config_.max_first_messages ||
                       window.first.bytes + size > config_.max_first_bytes ||
                       (!waiting_.contains(from) && waiting_.size() >= config_.max_waiting_strangers);
  return is_full ? Pools::Refused(Refusal::Reason::strangers_full) : std::nullopt;
}

/// Drops what has waited longer than it was to live, of some strangers. True if there was such a thing. Only the last
/// message counts: who keeps writing keeps its place, inside its own bound.
bool Receiver::forget_unanswered(Now now, store::Batch& batch) {
  std::vector<identity::PeerId> over;
  for (const auto& [name, window] : by_expiry_[index_of(Tier::stranger)]) {
    if (!is_over(now, name.first) || over.size() == kForgottenAtOnce) break;
    if (waiting_.contains(name.second)) over.push_back(name.second);
  }
  bool any = false;
  for (const identity::PeerId& peer : over) any = !drop_messages(peer, batch).empty() || any;
  return any;
}

/// A stranger that is refused anyhow has no use for its place.
bool Receiver::forget_blocked(store::Batch& batch) {
  ByExpiry& strangers = by_expiry_[index_of(Tier::stranger)];
  const auto found = std::ranges::find_if(strangers, [this](const auto& each) {
    return each.second->use.messages == 0 && standings_.is_blocked(each.first.second);
  });
  if (found == strangers.end()) return false;
  const identity::PeerId peer = found->first.second;
  Window& window = *found->second;
  drop_all(window, batch);
  batch.erase(store::Table::windows, peer.view());
  pools_.remove(window.tier, window.use);
  strangers.erase(found);
  senders_.erase(peer);
  return true;
}

std::vector<Waiting> Receiver::waiting() const {
  std::vector<Waiting> all;
  all.reserve(waiting_.size());
  for (const identity::PeerId& peer : waiting_) {
    const Use& first = senders_.at(peer).first;
    all.push_back({.peer = peer, .messages = first.messages, .bytes = first.bytes, .first = nullptr});
  }
  for (const auto& [number, entry] : rows_) {
    if (!entry.persisted || !is_held(entry)) continue;
    const auto found = std::ranges::lower_bound(all, entry.from, {}, &Waiting::peer);
    if (found->first == nullptr) found->first = entry.message;
  }
  std::erase_if(all, [](const Waiting& stranger) { return stranger.first == nullptr; });
  return all;
}

}  // namespace ekiden::router
