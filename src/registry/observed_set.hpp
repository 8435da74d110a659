// Observed-remove set: removing an element undoes the additions that the remover has seen. An addition that it has not
// seen stays, so that of an addition and a removal at the same time the addition wins.
//
// Merging is that of registry/dotted.hpp.
#pragma once

#include <set>
#include <utility>

#include "registry/dotted.hpp"

namespace ekiden::registry {

template <class Author, class Element>
class ObservedSet {
 public:
  /// REQUIRES: the stamp is larger than all that this author has used here.
  void add(const Dot<Author>& dot, const Element& element) {
    remove(element);
    state_.add(dot, element);
  }
  void remove(const Element& element) {
    state_.remove_if([&](const auto&, const Element& value) { return value == element; });
  }
  /// An addition as it was made elsewhere.
  void restore(const Dot<Author>& dot, Element element) { state_.add(dot, std::move(element)); }
  /// Additions before this are over.
  void expire(const Stamp& before) {
    state_.remove_if([&](const Dot<Author>& dot, const Element&) { return dot.stamp < before; });
  }
  void see(const Author& author, const Stamp& stamp) { state_.see(author, stamp); }
  void merge(const ObservedSet& other) { state_.merge(other.state_); }

  bool contains(const Element& element) const { return elements().contains(element); }
  std::set<Element> elements() const {
    std::set<Element> all;
    for (const auto& [dot, element] : state_.values()) all.insert(element);
    return all;
  }
  /// By their dots; an element that was added on two sides is there twice.
  const std::map<Dot<Author>, Element>& additions() const { return state_.values(); }
  void check_invariants() const { state_.check_invariants(); }
  friend bool operator==(const ObservedSet&, const ObservedSet&) = default;

 private:
  Dotted<Author, Element> state_;
};

}  // namespace ekiden::registry
