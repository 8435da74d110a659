// Trie of entries: finds an entry by its id, and tells by digests where two replicas differ (R. Merkle, 1987).
//
// Sixteen ways at each level. A place with at most kLeaf entries below is a leaf, any other is not: the form follows
// from the entries alone, so that equal replicas have equal digests. A digest covers the digests of the entries, in the
// order of their ids, of a leaf, and those of the children of any other place. Digests are made when they are asked
// for, and kept until something below changes.
//
// Ids are hashes of names that anybody may choose: one who computes many finds some that are alike at the front. That
// makes the trie deeper where they are, by a level for each sixteenfold effort, and no slower elsewhere.
//
// Bounds: depth 32; about 50 bytes for an entry. Cost: O(log n) for each operation. Invariant: see above.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "registry/path.hpp"

namespace ekiden::registry {

/// Where an entry lies in the replica.
using Slot = std::uint32_t;

class Trie {
 public:
  static constexpr std::size_t kLeaf = 32;
  static constexpr Byte kWays = 16;

  struct Item {
    EntryId id;
    Digest digest{};
    Slot slot = 0;
  };

  /// The same id again: takes the place of the other.
  void put(const Item& item);
  /// Nothing if there is none.
  void erase(const EntryId& id);

  const Item* find(const EntryId& id) const;
  /// The first whose id is larger; null if there is none.
  const Item* after(const EntryId& id) const;
  std::size_t size() const { return root_.count; }

  /// Entries below.
  std::size_t count(const Path& path) const;
  bool is_leaf(const Path& path) const { return count(path) <= kLeaf; }
  /// All zeros if nothing is below.
  Digest digest(const Path& path) const;
  /// What is below, by id, at most `max`.
  std::vector<Item> items(const Path& path, std::size_t max) const;

  void check_invariants() const;

 private:
  struct Node {
    std::size_t count = 0;
    std::vector<Item> items;  ///< of a leaf, by id
    std::unique_ptr<std::array<Node, kWays>> children;
    mutable std::optional<Digest> digest{};
  };

  static void put(Node& node, const Item& item, std::size_t depth);
  static void erase(Node& node, const EntryId& id, std::size_t depth);
  static void split(Node& node, std::size_t depth);
  static void join(Node& node);
  static void collect(const Node& node, const EntryId* above, std::size_t max, std::vector<Item>& out);
  static const Digest& digest_of(const Node& node);
  static void check(const Node& node, const Path& path);
  /// The node at the path, or the leaf above it, in which the items below the path are a part.
  const Node& reach(const Path& path) const;

  Node root_;
};

}  // namespace ekiden::registry
