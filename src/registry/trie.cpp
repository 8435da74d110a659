#include "registry/trie.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "crypto/hash.hpp"

namespace ekiden::registry {
namespace {

// What is hashed begins with one of these, so that no leaf looks like what is above it.
constexpr Byte kLeafMark = 0;
constexpr Byte kInnerMark = 1;

/// Items are in the order of their ids, so those below a path lie together.
template <class Items>
auto part_below(const Items& items, const Path& path) {
  auto begin = std::ranges::lower_bound(items, path.first(), {}, &Trie::Item::id);
  auto end = std::find_if(begin, items.end(), [&](const Trie::Item& item) { return !path.covers(item.id); });
  return std::pair(begin, end);
}

template <class Iterator>
Digest digest_of_items(Iterator begin, Iterator end) {
  if (begin == end) return {};
  Bytes all;
  all.reserve(1 + Trie::kLeaf * sizeof(Digest));
  all.push_back(kLeafMark);
  for (; begin != end; ++begin) append(all, begin->digest);
  return take_array<16>(crypto::sha256(all).bytes);
}

}  // namespace

void Trie::put(const Item& item) { put(root_, item, 0); }

void Trie::put(Node& node, const Item& item, std::size_t depth) {
  node.digest.reset();
  if (node.children) {
    Node& child = (*node.children)[item.id.nibble(depth)];
    const std::size_t before = child.count;
    put(child, item, depth + 1);
    node.count += child.count - before;
    return;
  }
  const auto at = std::ranges::lower_bound(node.items, item.id, {}, &Item::id);
  if (at != node.items.end() && at->id == item.id) {
    *at = item;
    return;
  }
  node.items.insert(at, item);
  ++node.count;
  if (node.count > kLeaf) split(node, depth);
}

void Trie::split(Node& node, std::size_t depth) {
  CHECK(depth < EntryId::kNibbles);
  node.children = std::make_unique<std::array<Node, kWays>>();
  for (const Item& item : std::exchange(node.items, {})) put((*node.children)[item.id.nibble(depth)], item, depth + 1);
}

void Trie::erase(const EntryId& id) { erase(root_, id, 0); }

void Trie::erase(Node& node, const EntryId& id, std::size_t depth) {
  if (node.children) {
    Node& child = (*node.children)[id.nibble(depth)];
    const std::size_t before = child.count;
    erase(child, id, depth + 1);
    if (child.count == before) return;
    --node.count;
    if (node.count <= kLeaf) join(node);
    node.digest.reset();
    return;
  }
  const auto at = std::ranges::lower_bound(node.items, id, {}, &Item::id);
  if (at == node.items.end() || at->id != id) return;
  node.items.erase(at);
  --node.count;
  node.digest.reset();
}

void Trie::join(Node& node) {
  std::vector<Item> items;
  collect(node, nullptr, kLeaf, items);
  node.items = std::move(items);
  node.children.reset();
}

/// In the order of ids; with `above`, only those with a larger id.
void Trie::collect(const Node& node, const EntryId* above, std::size_t max, std::vector<Item>& out) {
  if (node.children) {
    for (const Node& child : *node.children) {
      if (out.size() >= max) return;
      collect(child, above, max, out);
    }
    return;
  }
  for (const Item& item : node.items) {
    if (out.size() >= max) return;
    if (above == nullptr || *above < item.id) out.push_back(item);
  }
}

const Trie::Item* Trie::find(const EntryId& id) const {
  const Node* node = &root_;
  for (std::size_t depth = 0; node->children; ++depth) node = &(*node->children)[id.nibble(depth)];
  const auto at = std::ranges::lower_bound(node->items, id, {}, &Item::id);
  return at != node->items.end() && at->id == id ? &*at : nullptr;
}

/// Down to where the id belongs; on the way back the next sibling that is not empty has the answer at its front.
const Trie::Item* Trie::after(const EntryId& id) const {
  const Node* node = &root_;
  const Node* next = nullptr;
  for (std::size_t depth = 0; node->children; ++depth) {
    const auto& children = *node->children;
    for (std::size_t way = id.nibble(depth) + std::size_t{1}; way < kWays; ++way) {
      if (children[way].count == 0) continue;
      next = &children[way];
      break;
    }
    node = &children[id.nibble(depth)];
  }
  const auto at = std::ranges::upper_bound(node->items, id, {}, &Item::id);
  if (at != node->items.end()) return &*at;
  while (next != nullptr && next->children) {
    next = &*std::ranges::find_if(*next->children, [](const Node& child) { return child.count > 0; });
  }
  return next == nullptr ? nullptr : &next->items.front();
}

const Trie::Node& Trie::reach(const Path& path) const {
  const Node* node = &root_;
  for (std::size_t depth = 0; depth < path.depth() && node->children; ++depth) {
    node = &(*node->children)[path.first().nibble(depth)];
  }
  return *node;
}

std::size_t Trie::count(const Path& path) const {
  const Node& node = reach(path);
  if (node.children) return node.count;
  const auto [begin, end] = part_below(node.items, path);
  return static_cast<std::size_t>(end - begin);
}

const Digest& Trie::digest_of(const Node& node) {
  if (node.digest) return *node.digest;
  if (node.count == 0) return node.digest.emplace();
  if (!node.children) return node.digest.emplace(digest_of_items(node.items.begin(), node.items.end()));
  Bytes all;
  all.reserve(1 + kWays * sizeof(Digest));
  all.push_back(kInnerMark);
  for (const Node& child : *node.children) append(all, digest_of(child));
  return node.digest.emplace(take_array<16>(crypto::sha256(all).bytes));
}

Digest Trie::digest(const Path& path) const {
  const Node& node = reach(path);
  if (node.children) return digest_of(node);
  const auto [begin, end] = part_below(node.items, path);
  if (static_cast<std::size_t>(end - begin) == node.count) return digest_of(node);
  return digest_of_items(begin, end);
}

std::vector<Trie::Item> Trie::items(const Path& path, std::size_t max) const {
  const Node& node = reach(path);
  std::vector<Item> out;
  if (node.children) {
    collect(node, nullptr, max, out);
    return out;
  }
  const auto [begin, end] = part_below(node.items, path);
  out.assign(begin, begin + std::min(end - begin, static_cast<std::ptrdiff_t>(max)));
  return out;
}

void Trie::check(const Node& node, const Path& path) {
  CHECK(node.children ? node.count > kLeaf && node.items.empty() : node.count == node.items.size());
  CHECK(std::ranges::is_sorted(node.items, {}, &Item::id));
  for (const Item& item : node.items) CHECK(path.covers(item.id));
  if (!node.children) {
    CHECK(node.count <= kLeaf);
    return;
  }
  std::size_t count = 0;
  for (Byte way = 0; way < kWays; ++way) {
    check((*node.children)[way], path.child(way));
    count += (*node.children)[way].count;
  }
  CHECK(count == node.count);
}

void Trie::check_invariants() const { check(root_, {}); }

}  // namespace ekiden::registry
