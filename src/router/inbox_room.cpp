// Room for one more: who counts as what, and what Receiver forgets when there is none.

#include <utility>

#include "base/check.hpp"
#include "router/inbox.hpp"

namespace ekiden::router {
namespace {

constexpr std::size_t kCandidates = 64;  // senders looked at when one that has expired is to be forgotten

}  // namespace

Receiver::Window& Receiver::insert(const identity::PeerId& from, Window window) {
  const auto [sender, is_new] = senders_.emplace(from, std::move(window));
  CHECK(is_new);
  pools_.add(sender->second.tier, sender->second.use);
  index(from, sender->second);
  return sender->second;
}

void Receiver::index(const identity::PeerId& from, Window& window) {
  by_expiry_[index_of(window.tier)].emplace(std::pair{window.expires, from}, &window);
}

void Receiver::unindex(const identity::PeerId& from, const Window& window) {
  by_expiry_[index_of(window.tier)].erase({window.expires, from});
}

void Receiver::add_use(Window& window, const Use& use) {
  window.use += use;
  pools_.add(window.tier, use);
}

void Receiver::remove_use(Window& window, const Use& use) {
  window.use -= use;
  pools_.remove(window.tier, use);
}

/// False if its sequence or its id is there already.
bool Receiver::remember(Window& window, const Entry& entry, std::uint64_t number) {
  if (window.received.contains(entry.sequence) || !window.ids.emplace(entry.id, number).second) return false;
  window.received.emplace(entry.sequence, number);
  window.last = number;
  add_use(window, {.remembered = 1});
  return true;
}

/// For one more sequence in this window, of a sender that is perhaps new. Forgets what may be forgotten, if that is
/// what it takes. The sequence at the floor is taken into a full window: the floor cannot rise before it, and with it
/// refused nothing would be received any more.
Pools::Refused Receiver::make_room(Now now, const identity::PeerId& from, const Window& window, std::uint64_t sequence,
                                   store::Batch& batch) {
  if (window.received.size() >= config_.max_window && sequence != window.floor) return Refusal::Reason::window;
  if (!senders_.contains(from)) {
    while (const auto scarce = pools_.check_sender(window.tier)) {
      if (!forget_expired(now, *scarce, from, batch) && !forget_blocked(batch)) return scarce;
    }
  }
  while (const auto scarce = pools_.check_sequence(window.tier, window.use)) {
    if (!forget_expired(now, *scarce, from, batch) && !forget_silent_stranger(from, window.use.remembered, batch)) {
      return scarce;
    }
  }
  return std::nullopt;
}

bool Receiver::forget_expired(Now now, Refusal::Reason scarce, const identity::PeerId& except, store::Batch& batch) {
  if (forget_expired_of(Tier::stranger, now, except, batch)) return true;
  return scarce != Refusal::Reason::strangers_full && forget_expired_of(Tier::contact, now, except, batch);
}

bool Receiver::forget_expired_of(Tier tier, Now now, const identity::PeerId& except, store::Batch& batch) {
  std::size_t looked_at = 0;
  for (const auto& [name, window] : by_expiry_[index_of(tier)]) {
    const auto& [expires, id] = name;
    if (!is_over(now, expires) || ++looked_at > kCandidates) return false;
    if (id == except || window->use.messages > 0) continue;
    const identity::PeerId forgotten = id;
    drop_all(*window, batch);
    batch.erase(store::Table::windows, ByteView(forgotten.bytes));
    pools_.remove(tier, window->use);
    unindex(forgotten, *window);
    senders_.erase(forgotten);
    return true;
  }
  return false;
}

/// Looks at every stranger: as many as the pool has places, and only for a message that was opened. What is found
/// holds more than the one who asks, so what is looked for is found seldom in proportion.
bool Receiver::forget_silent_stranger(const identity::PeerId& except, std::size_t more_than, store::Batch& batch) {
  const ByExpiry& strangers = by_expiry_[index_of(Tier::stranger)];
  auto silent = strangers.end();
  for (auto each = strangers.begin(); each != strangers.end(); ++each) {
    const Window& window = *each->second;
    if (window.use.remembered <= more_than || each->first.second == except) continue;
    if (window.received.begin()->first == UINT64_MAX) continue;  // no floor is above it
    if (silent == strangers.end() || window.last < silent->second->last) silent = each;
  }
  if (silent == strangers.end()) return false;
  drop_received(silent->first.second, *silent->second, batch);
  return true;
}

}  // namespace ekiden::router
