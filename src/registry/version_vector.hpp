// Version vector: of each author, up to which of its stamps everything has been seen.
//
// Merging takes the larger stamp of each author; it is commutative, associative and idempotent.
//
// Bounds: none of its own; who fills it bounds the authors. Invariant: no author is listed with the stamp zero.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>

#include "registry/stamp.hpp"

namespace ekiden::registry {

template <class Author>
class VersionVector {
 public:
  bool covers(const Author& author, const Stamp& stamp) const {
    const auto found = seen_.find(author);
    return found != seen_.end() && stamp <= found->second;
  }

  void add(const Author& author, const Stamp& stamp) {
    if (stamp == Stamp{}) return;
    Stamp& seen = seen_[author];
    seen = std::max(seen, stamp);
  }

  void merge(const VersionVector& other) {
    for (const auto& [author, stamp] : other.seen_) add(author, stamp);
  }

  /// Forgets the authors of whom nothing since `before` has been seen. Safe only if nothing that was stamped earlier
  /// can come back from anywhere: what was removed would be new again.
  void prune(const Stamp& before) {
    std::erase_if(seen_, [&](const auto& of) { return of.second < before; });
  }

  const std::map<Author, Stamp>& all() const { return seen_; }
  std::size_t size() const { return seen_.size(); }
  friend bool operator==(const VersionVector&, const VersionVector&) = default;

 private:
  std::map<Author, Stamp> seen_;
};

}  // namespace ekiden::registry
