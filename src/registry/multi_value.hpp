// Multi-value register: a value takes the place of those that its author had seen, and of no other. What was written
// at the same time on two sides of a split is shown side by side, until somebody who sees both writes again.
//
// Merging is that of registry/dotted.hpp.
#pragma once

#include <utility>

#include "registry/dotted.hpp"

namespace ekiden::registry {

template <class Author, class Value>
class MultiValueRegister {
 public:
  /// REQUIRES: the stamp is larger than all that this author has used here.
  void write(const Dot<Author>& dot, Value value) {
    clear();
    state_.add(dot, std::move(value));
  }
  /// Takes away what is there.
  void clear() {
    state_.remove_if([](const auto&, const auto&) { return true; });
  }
  void see(const Author& author, const Stamp& stamp) { state_.see(author, stamp); }
  void merge(const MultiValueRegister& other) { state_.merge(other.state_); }

  /// More than one: they are concurrent.
  const std::map<Dot<Author>, Value>& values() const { return state_.values(); }
  void check_invariants() const { state_.check_invariants(); }
  friend bool operator==(const MultiValueRegister&, const MultiValueRegister&) = default;

 private:
  Dotted<Author, Value> state_;
};

}  // namespace ekiden::registry
