#include "registry/conflicts.hpp"

#include <algorithm>
#include <tuple>

namespace ekiden::registry {
namespace {

Claim claim_of(const Entry& entry) { return {.author = entry.author_id(), .stamp = entry.stamp, .value = entry.value}; }

}  // namespace

void Conflicts::on_values(WallTime wall, const identity::PeerId& owner, const std::string& name,
                          const std::vector<Entry>& values) {
  const Key key{owner, name};
  const auto found = conflicts_.find(key);
  const bool is_open = found != conflicts_.end() && !found->second.settled;
  if (values.size() > 1) {
    Conflict conflict{.kind = ConflictKind::concurrent,
                      .owner = owner,
                      .name = name,
                      .since = wall,
                      .claims = {},
                      .settled = {},
                      .changed = wall};
    if (is_open) conflict.since = found->second.since;
    for (const Entry& value : values) conflict.claims.push_back(claim_of(value));
    put(key, std::move(conflict));
  } else if (is_open) {
    found->second.settled = values.empty() ? owner : values.front().author_id();
    found->second.changed = wall;
  }
}

void Conflicts::on_equivocation(WallTime wall, const Entry& taken, const Entry& dropped) {
  put({taken.owner_id(), taken.name}, {.kind = ConflictKind::equivocal,
                                       .owner = taken.owner_id(),
                                       .name = taken.name,
                                       .since = wall,
                                       .claims = {claim_of(taken), claim_of(dropped)},
                                       .settled = taken.author_id(),
                                       .changed = wall});
}

void Conflicts::put(const Key& key, Conflict conflict) {
  conflicts_.insert_or_assign(key, std::move(conflict));
  if (conflicts_.size() <= max_) return;
  const auto age = [](const auto& a, const auto& b) {
    return std::tuple(!a.second.settled, a.second.changed) < std::tuple(!b.second.settled, b.second.changed);
  };
  conflicts_.erase(std::min_element(conflicts_.begin(), conflicts_.end(), age));
}

std::vector<Conflict> Conflicts::all() const {
  std::vector<const Conflict*> order;
  for (const auto& [key, conflict] : conflicts_) order.push_back(&conflict);
  std::ranges::sort(order, [](const Conflict* a, const Conflict* b) {
    return std::tie(b->changed, a->owner, a->name) < std::tie(a->changed, b->owner, b->name);
  });
  std::vector<Conflict> list;
  for (const Conflict* conflict : order) list.push_back(*conflict);
  return list;
}

std::size_t Conflicts::open() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(conflicts_, [](const auto& of) { return !of.second.settled.has_value(); }));
}

}  // namespace ekiden::registry
