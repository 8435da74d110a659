// Dotted values: what the multi-value register and the observed-remove set have in common.
//
// Every addition has a dot, the author and a stamp that it never uses again. A state is the values that are there, by
// their dots, and what has been seen. A dot that was seen and has no value was removed. (Bieniusa et al., "An optimized
// conflict-free replicated set", 2012; Almeida et al., "Delta state replicated data types", 2018, section 7.)
//
// merge() keeps a dot if one side has it and the other has it too or has not seen it. It is commutative, associative
// and idempotent, for a dot survives any number of states in any order exactly if one has it and none has removed it.
// So nothing that was removed is back, however late and however often an older state arrives.
//
// Bounds: none of its own. Invariant: what has a value was seen.
#pragma once

#include <algorithm>
#include <compare>
#include <map>
#include <utility>

#include "base/check.hpp"
#include "registry/version_vector.hpp"

namespace ekiden::registry {

template <class Author>
struct Dot {
  Author author{};
  Stamp stamp;

  friend auto operator<=>(const Dot&, const Dot&) = default;
};

template <class Author, class Value>
class Dotted {
 public:
  void add(const Dot<Author>& dot, Value value) {
    seen_.add(dot.author, dot.stamp);
    values_.insert_or_assign(dot, std::move(value));
  }
  /// Of what is there and matches, the dots stay seen.
  template <class Matches>
  void remove_if(Matches&& matches) {
    std::erase_if(values_, [&](const auto& value) { return matches(value.first, value.second); });
  }
  void see(const Author& author, const Stamp& stamp) { seen_.add(author, stamp); }

  /// Two values with one dot are the work of an author that lies; the larger one is taken, everywhere.
  void merge(const Dotted& other) {
    remove_if([&](const Dot<Author>& dot, const Value&) {
      return !other.values_.contains(dot) && other.seen_.covers(dot.author, dot.stamp);
    });
    for (const auto& [dot, value] : other.values_) {
      const auto found = values_.find(dot);
      if (found != values_.end()) {
        found->second = std::max(found->second, value);
      } else if (!seen_.covers(dot.author, dot.stamp)) {
        values_.emplace(dot, value);
      }
    }
    seen_.merge(other.seen_);
  }

  const std::map<Dot<Author>, Value>& values() const { return values_; }

  void check_invariants() const {
    for (const auto& [dot, value] : values_) CHECK(seen_.covers(dot.author, dot.stamp));
  }
  friend bool operator==(const Dotted&, const Dotted&) = default;

 private:
  std::map<Dot<Author>, Value> values_;
  VersionVector<Author> seen_;
};

}  // namespace ekiden::registry
