#include "router/conversations.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace ekiden::router {
namespace {

std::uint64_t duration_ms(WallTime from, WallTime until) {
  const std::uint64_t begin = to_unix_ms(from);
  const std::uint64_t end = to_unix_ms(until);
  return end > begin ? end - begin : 0;
}

}  // namespace

Status Conversations::check(const identity::PeerId& peer, const std::string& name) const {
  const auto found = peers_.find(peer);
  if (found == peers_.end() || found->second.busy < max_per_peer_) return {};
  const auto chain = found->second.chains.find(name);
  if (chain != found->second.chains.end() && chain->second.unsettled > 0) return {};
  return fail(Errc::limit_exceeded, "messages of " + std::to_string(max_per_peer_) +
                                        " conversations with this recipient are under way, as many as may be; try "
                                        "again when those of one are delivered or have expired, or send it unordered");
}

Conversations::Chain& Conversations::chain_of(const identity::PeerId& peer, const std::string& name) {
  Peer& known = peers_[peer];
  const auto [entry, fresh] = known.chains.try_emplace(name);
  Chain& chain = entry->second;
  if (fresh) {
    chain.peer = peer;
    chain.name = name;
    chain.listed = idle_.insert(idle_.end(), &chain);
  }
  return chain;
}

/// One more message of it is under way.
void Conversations::add(Chain& chain) {
  if (chain.unsettled++ > 0) return;
  ++peers_.at(chain.peer).busy;
  busy_.splice(busy_.end(), idle_, chain.listed);
}

Conversations::Chain& Conversations::append(const identity::PeerId& peer, std::uint64_t sequence, WallTime accepted,
                                            WallTime expires, Order& order) {
  Chain& chain = chain_of(peer, order.conversation);
  ASSUME(chain.sequence < sequence);
  const bool is_idle = chain.unsettled == 0;
  if (chain.sequence == 0) {
    chain.place = sequence;
    chain.delivered = sequence - 1;
  } else {
    ++chain.place;
  }
  order.place = chain.place;
  order.previous = chain.sequence;
  order.delivered = chain.delivered;
  order.wait_ms = is_idle ? 0 : duration_ms(accepted, chain.expires);
  order.earlier_ms = is_idle ? 0 : duration_ms(accepted, chain.earlier);
  chain.earlier = is_idle ? WallTime{} : std::max(chain.earlier, chain.expires);
  chain.sequence = sequence;
  chain.expires = expires;
  add(chain);
  trim();
  return chain;
}

void Conversations::settle(Chain& chain, std::uint64_t place, bool delivered) {
  CHECK(chain.unsettled > 0);
  if (delivered) chain.delivered = std::max(chain.delivered, place);
  if (--chain.unsettled > 0) return;
  --peers_.at(chain.peer).busy;
  idle_.splice(idle_.end(), busy_, chain.listed);
  trim();
}

Conversations::Chain& Conversations::restore(const identity::PeerId& peer, std::uint64_t sequence, WallTime expires,
                                             const Order& order) {
  Chain& chain = chain_of(peer, order.conversation);
  chain.earlier = std::max(chain.earlier, chain.expires);
  chain.sequence = sequence;
  chain.place = order.place;
  chain.delivered = std::max(chain.delivered, order.delivered);
  chain.expires = expires;
  add(chain);
  return chain;
}

void Conversations::recall(const identity::PeerId& peer, const KeptPlace& placed, bool delivered) {
  Chain& chain = chain_of(peer, placed.conversation);
  if (placed.sequence > chain.sequence) {
    chain.earlier = std::max(chain.earlier, std::exchange(chain.expires, WallTime{}));
    chain.sequence = placed.sequence;
    chain.place = placed.place;
  }
  const std::uint64_t known = delivered ? placed.place : placed.delivered;
  chain.delivered = std::max(chain.delivered, std::min(known, chain.place));
  if (chain.unsettled == 0) idle_.splice(idle_.end(), idle_, chain.listed);
  trim();
}

void Conversations::trim() {
  while (idle_.size() > kMaxIdle) {
    const auto peer = peers_.find(idle_.front()->peer);
    peer->second.chains.erase(peer->second.chains.find(idle_.front()->name));
    idle_.pop_front();
    if (peer->second.chains.empty()) peers_.erase(peer);
  }
}

void Conversations::check_invariants() const {
  std::size_t chains = 0;
  std::size_t all_busy = 0;
  for (const auto& [id, peer] : peers_) {
    std::size_t busy = 0;
    for (const auto& [name, chain] : peer.chains) {
      CHECK(chain.peer == id && chain.name == name && *chain.listed == &chain);
      CHECK(chain.sequence > 0 && chain.place <= chain.sequence && chain.delivered <= chain.place);
      busy += chain.unsettled > 0 ? 1 : 0;
    }
    CHECK(busy == peer.busy && !peer.chains.empty());
    chains += peer.chains.size();
    all_busy += busy;
  }
  CHECK(all_busy == busy_.size() && chains == busy_.size() + idle_.size() && idle_.size() <= kMaxIdle);
}

}  // namespace ekiden::router
