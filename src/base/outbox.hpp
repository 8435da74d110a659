// Where an engine puts its effects.
//
// A handler pushes and returns; whoever drives the engine drains afterwards, first in, first out, and may call the
// engine again while it does: what that pushes comes after. Storage for some effects is kept between drains, so that
// the hot path does not allocate; what a burst needed is given back, for there are nodes with many engines and
// processes with many nodes.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace ekiden {

template <class Effect>
class Outbox {
 public:
  template <class E>
  void push(E&& effect) {
    effects_.emplace_back(std::forward<E>(effect));
  }

  bool empty() const { return effects_.empty(); }
  std::size_t size() const { return effects_.size(); }

  /// Calls `visit(Effect&&)` for every effect, those included that are pushed meanwhile.
  template <class Visit>
  void drain(Visit&& visit) {
    for (std::size_t i = 0; i < effects_.size(); ++i) {
      Effect effect = std::move(effects_[i]);
      visit(std::move(effect));
    }
    if (effects_.capacity() * sizeof(Effect) > kKeptBytes) {
      effects_ = std::vector<Effect>();  // Of {}, it would keep its storage.
    } else {
      effects_.clear();
    }
  }

  /// Takes all effects; for tests, which look at them at leisure.
  std::vector<Effect> take() { return std::exchange(effects_, {}); }

 private:
  static constexpr std::size_t kKeptBytes = 4096;

  std::vector<Effect> effects_;
};

/// A visitor made of lambdas. No catch-all among them: a new effect must not compile until it is handled.
template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace ekiden
