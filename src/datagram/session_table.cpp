#include "datagram/session_table.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ekiden::datagram {
namespace {

constexpr auto kNode = [](const auto& place) -> const crypto::Ed25519PublicKey& { return place->node.public_key; };

}  // namespace

std::vector<SessionTable::Entry>::const_iterator SessionTable::lower_bound(Index index) const {
  return std::ranges::lower_bound(by_index_, index, {}, &Entry::index);
}

std::vector<SessionTable::Place>::const_iterator SessionTable::lower_bound(const crypto::Ed25519PublicKey& node) const {
  return std::ranges::lower_bound(preferred_, node, {}, kNode);
}

Session* SessionTable::use(Place place) {
  order_.splice(order_.begin(), order_, place);
  return &*place;
}

Session* SessionTable::find(Index index) {
  const auto found = lower_bound(index);
  return found != by_index_.end() && found->index == index ? use(found->place) : nullptr;
}

const Session* SessionTable::peek(Index index) const {
  const auto found = lower_bound(index);
  return found != by_index_.end() && found->index == index ? &*found->place : nullptr;
}

Session* SessionTable::to(const crypto::Ed25519PublicKey& node) {
  const auto found = lower_bound(node);
  return found != preferred_.end() && (*found)->node.public_key == node ? use(*found) : nullptr;
}

Session& SessionTable::put(Session session) {
  CHECK(peek(session.local) == nullptr);
  if (order_.size() == max_) erase(order_.back().local);
  const Index index = session.local;
  order_.push_front(std::move(session));
  by_index_.insert(lower_bound(index), Entry{index, order_.begin()});
  return order_.front();
}

void SessionTable::erase(Index index) {
  const auto found = lower_bound(index);
  if (found == by_index_.end() || found->index != index) return;
  const Place place = found->place;
  if (const auto preferred = lower_bound(place->node.public_key);
      preferred != preferred_.end() && *preferred == place) {
    preferred_.erase(preferred);
  }
  by_index_.erase(found);
  order_.erase(place);
}

void SessionTable::prefer(Session& session) {
  const Place place = lower_bound(session.local)->place;
  const auto found = lower_bound(session.node.public_key);
  if (found != preferred_.end() && (*found)->node.public_key == session.node.public_key) {
    preferred_[static_cast<std::size_t>(found - preferred_.begin())] = place;
  } else {
    preferred_.insert(found, place);
  }
}

bool SessionTable::is_preferred(const Session& session) const {
  const auto found = lower_bound(session.node.public_key);
  return found != preferred_.end() && &**found == &session;
}

void SessionTable::check_invariants() const {
  CHECK(order_.size() <= max_ && by_index_.size() == order_.size() && preferred_.size() <= order_.size());
  for (const Entry& entry : by_index_) CHECK(entry.place->local == entry.index);
  for (const Place& place : preferred_) CHECK(peek(place->local) == &*place);
  CHECK(std::ranges::is_sorted(by_index_, {}, &Entry::index) && std::ranges::is_sorted(preferred_, {}, kNode));
}

}  // namespace ekiden::datagram
