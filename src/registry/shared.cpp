#include "registry/shared.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::registry {
namespace {

using identity::PeerId;
using ElementSet = ObservedSet<PeerId, Bytes>;
using ValueRegister = MultiValueRegister<PeerId, std::size_t>;

std::optional<Entry> held_entry(const Replica& replica, const PeerId& owner, const PeerId& author,
                                std::string_view name) {
  const Held* held = replica.find(EntryId::of(owner, author, name));
  if (held == nullptr) return std::nullopt;
  return held->entry();
}

/// The owner's entry and, where it shares the name, those of its writers that have the same shape.
std::vector<Entry> authors_of(const Replica& replica, const PeerId& owner, Entry first, std::string_view name) {
  std::vector<Entry> entries;
  entries.push_back(std::move(first));
  const Shape shape = entries.front().shape;
  const std::vector<Writer> writers = entries.front().writers;
  for (const Writer& writer : writers) {
    auto entry = held_entry(replica, owner, writer.id, name);
    if (entry && entry->shape == shape) entries.push_back(std::move(*entry));
  }
  return entries;
}

bool is_over(const Entry& entry, WallTime wall) { return entry.removed || entry.expires <= wall; }

bool has_value(const Entry& entry) {
  return !entry.value.empty() || !entry.capability.empty() || !entry.metadata.empty();
}

ValueRegister register_of(const Entry& entry, std::size_t which, WallTime wall) {
  ValueRegister state;
  for (const Seen& seen : entry.seen) state.see(seen.author, seen.stamp);
  const PeerId author = entry.author_id();
  if (is_over(entry, wall) || !has_value(entry)) {
    state.see(author, entry.stamp);
  } else {
    state.write({author, entry.stamp}, which);
  }
  return state;
}

/// Of an entry that expired, what its author added itself is gone; what it had seen of others is theirs.
ElementSet set_of(const Entry& entry, WallTime wall) {
  ElementSet state;
  const PeerId author = entry.author_id();
  state.see(author, entry.stamp);
  for (const Seen& seen : entry.seen) state.see(seen.author, seen.stamp);
  for (const Element& element : entry.elements) {
    if (element.by == 0 && is_over(entry, wall)) continue;
    const PeerId& by = element.by == 0 ? author : entry.seen[element.by - 1U].author;
    state.restore({by, element.stamp}, element.value);
  }
  state.expire(forget_before(wall));
  return state;
}

ElementSet merged_set(const std::vector<Entry>& entries, WallTime wall) {
  ElementSet all;
  for (const Entry& entry : entries) all.merge(set_of(entry, wall));
  return all;
}

std::vector<Entry> concurrent_values(const std::vector<Entry>& entries, WallTime wall) {
  ValueRegister all;
  for (std::size_t i = 0; i < entries.size(); ++i) all.merge(register_of(entries[i], i, wall));
  std::vector<const Entry*> order;
  for (const auto& [dot, which] : all.values()) order.push_back(&entries[which]);
  std::ranges::sort(order, [](const Entry* a, const Entry* b) {
    return a->stamp != b->stamp ? b->stamp < a->stamp : a->author_key() < b->author_key();
  });
  std::vector<Entry> values;
  for (const Entry* entry : order) values.push_back(*entry);
  return values;
}

/// Of the other authors of a name, what they have seen of this one.
template <class Is>
bool any_other(const Replica& replica, const Entry& entry, Is is) {
  const PeerId owner = entry.owner_id();
  const PeerId author = entry.author_id();
  auto first = held_entry(replica, owner, owner, entry.name);
  if (!first) return false;
  const std::vector<Entry> entries = authors_of(replica, owner, std::move(*first), entry.name);
  return std::ranges::any_of(entries, [&](const Entry& other) {
    const auto seen = std::ranges::find(other.seen, author, &Seen::author);
    return seen != other.seen.end() && is(other, *seen);
  });
}

}  // namespace

Stamp forget_before(WallTime wall) {
  const std::uint64_t horizon = static_cast<std::uint64_t>((kMaxLifetime + kMaxAhead).count());
  const std::uint64_t now = to_unix_ms(wall);
  return {now > horizon ? now - horizon : 0, 0};
}

std::optional<View> view_of(const Replica& replica, const PeerId& owner, std::string_view name, WallTime wall) {
  auto first = held_entry(replica, owner, owner, name);
  if (!first || is_over(*first, wall)) return std::nullopt;
  View view{.shape = first->shape, .values = {}, .elements = {}, .expires = first->expires};
  if (view.shape == Shape::own) {
    view.values.push_back(std::move(*first));
    return view;
  }
  const std::vector<Entry> entries = authors_of(replica, owner, std::move(*first), name);
  for (const Entry& entry : entries) view.expires = std::max(view.expires, entry.expires);
  if (view.shape == Shape::set) {
    for (const Bytes& element : merged_set(entries, wall).elements()) view.elements.push_back(element);
  } else {
    view.values = concurrent_values(entries, wall);
  }
  return view;
}

bool is_overwritten(const Replica& replica, const Entry& entry) {
  return any_other(replica, entry, [&](const Entry&, const Seen& seen) { return entry.stamp <= seen.stamp; });
}

bool is_taken(const Replica& replica, const Entry& entry, const Element& element) {
  return any_other(replica, entry, [&](const Entry& other, const Seen& seen) {
    const auto by = static_cast<std::uint8_t>(&seen - other.seen.data() + 1);
    return element.stamp <= seen.stamp && std::ranges::none_of(other.elements, [&](const Element& left) {
             return left.by == by && left.stamp == element.stamp;
           });
  });
}

Context context_of(const Replica& replica, const PeerId& owner, const PeerId& author, std::string_view name,
                   WallTime wall) {
  Context context;
  context.owner = held_entry(replica, owner, owner, name);
  context.own = author == owner ? context.owner : held_entry(replica, owner, author, name);
  std::vector<Entry> entries;
  if (context.owner) entries = authors_of(replica, owner, *context.owner, name);
  // Its author may have lost the right to write, and has it again now: what it has removed stays removed.
  if (context.own && std::ranges::find(entries, *context.own) == entries.end()) entries.push_back(*context.own);
  for (const Entry& entry : entries) {
    context.seen.add(entry.author_id(), entry.stamp);
    for (const Seen& seen : entry.seen) context.seen.add(seen.author, seen.stamp);
    context.kept = std::max(context.kept, entry.kept);
    context.last = std::max(context.last, entry.stamp);
  }
  context.set = merged_set(entries, wall);
  context.seen.prune(forget_before(wall));
  return context;
}

}  // namespace ekiden::registry
