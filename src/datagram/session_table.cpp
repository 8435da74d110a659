#include "datagram/session_table.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ekiden::datagram {

std::vector<SessionTable::Entry>::const_iterator SessionTable::lower_bound(Index index) const {
  return std::ranges::lower_bound(by_index_, index, {}, &Entry::index);
}

std::vector<SessionTable::Preferred>::const_iterator SessionTable::lower_bound(
    const crypto::Ed25519PublicKey& node) const {
  return std::lower_bound(preferred_.begin(), preferred_.end(), node, is_before);
}

bool SessionTable::is_before(const Preferred& entry, const crypto::Ed25519PublicKey& node) {
  const std::uint64_t start = start_of(node);
  return entry.start != start ? entry.start < start : entry.place->node.public_key < node;
}

bool SessionTable::leads_to(std::vector<Preferred>::const_iterator entry, const crypto::Ed25519PublicKey& node) const {
  return entry != preferred_.end() && entry->place->node.public_key == node;
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
  return leads_to(found, node) ? use(found->place) : nullptr;
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
  const auto preferred = lower_bound(place->node.public_key);
  if (preferred != preferred_.end() && preferred->place == place) preferred_.erase(preferred);
  by_index_.erase(found);
  order_.erase(place);
}

void SessionTable::prefer(Session& session) {
  const Place place = lower_bound(session.local)->place;
  const auto found = lower_bound(session.node.public_key);
  if (leads_to(found, session.node.public_key)) {
    preferred_[static_cast<std::size_t>(found - preferred_.begin())].place = place;
  } else {
    preferred_.insert(found, {.start = start_of(session.node.public_key), .place = place});
  }
}

bool SessionTable::is_preferred(const Session& session) const {
  const auto found = lower_bound(session.node.public_key);
  return found != preferred_.end() && &*found->place == &session;
}

void SessionTable::check_invariants() const {
  CHECK(order_.size() <= max_ && by_index_.size() == order_.size() && preferred_.size() <= order_.size());
  for (const Entry& entry : by_index_) CHECK(entry.place->local == entry.index);
  for (const Preferred& entry : preferred_) {
    CHECK(peek(entry.place->local) == &*entry.place && entry.start == start_of(entry.place->node.public_key));
  }
  CHECK(std::ranges::is_sorted(by_index_, {}, &Entry::index));
  CHECK(std::ranges::is_sorted(preferred_, {}, [](const Preferred& entry) { return entry.place->node.public_key; }));
}

}  // namespace ekiden::datagram
