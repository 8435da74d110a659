// Where an engine puts its effects.
//
// A handler pushes and returns; whoever drives the engine drains afterwards, first in, first out, and may call the
// engine again while it does: what that pushes comes after. Effects lie in chunks that do not move, so a burst costs a
// few blocks of moderate size and no copies. Only the first and smallest chunk is kept between drains, and none in a
// box that is used seldom, for there are nodes with many engines and processes with many nodes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ekiden {

enum class OutboxUse : std::uint8_t {
  often,
  seldom,  ///< An allocation more for each use, nothing while it is empty.
};

template <class Effect>
class Outbox {
 public:
  explicit Outbox(OutboxUse use = OutboxUse::often) : use_(use) {}

  template <class E>
  void push(E&& effect) {
    if (chunks_.empty() || chunks_.back().size() == chunks_.back().capacity()) add_chunk();
    chunks_.back().emplace_back(std::forward<E>(effect));
    ++size_;
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  /// Calls `visit(Effect&&)` for every effect, those included that are pushed meanwhile. An effect stays where it is
  /// until `visit` returns, which may push but neither drain nor take.
  template <class Visit>
  void drain(Visit&& visit) {
    if (size_ == 0) return;
    for (std::size_t chunk = 0; chunk < chunks_.size(); ++chunk) {
      for (std::size_t i = 0; i < chunks_[chunk].size(); ++i) visit(std::move(chunks_[chunk][i]));
    }
    size_ = 0;
    if (use_ == OutboxUse::seldom) {
      chunks_ = std::vector<std::vector<Effect>>();
      return;
    }
    chunks_.resize(1);
    chunks_.front().clear();
  }

  /// Takes all effects; for tests, which look at them at leisure.
  std::vector<Effect> take() {
    std::vector<Effect> all;
    drain([&](Effect&& effect) { all.push_back(std::move(effect)); });
    return all;
  }

 private:
  static constexpr std::size_t kFirstChunk = std::max<std::size_t>(1, 1024 / sizeof(Effect));
  static constexpr std::size_t kChunk = std::max<std::size_t>(8, 8192 / sizeof(Effect));

  void add_chunk() {
    const std::size_t capacity = chunks_.empty() ? kFirstChunk : kChunk;
    chunks_.emplace_back().reserve(capacity);
  }

  std::vector<std::vector<Effect>> chunks_;  ///< all but the last are full
  std::size_t size_ = 0;
  OutboxUse use_;
};

/// A visitor made of lambdas. No catch-all among them: a new effect must not compile until it is handled.
template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace ekiden
