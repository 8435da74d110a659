// Path: a place in the trie of entries, which is the half bytes that all ids below it begin with.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>

#include "base/bytes.hpp"
#include "registry/entry.hpp"

namespace ekiden::registry {

class Path {
 public:
  Path() = default;

  /// From the wire: one half byte in each. Nothing if there are too many, or one is over 15.
  static std::optional<Path> from_bytes(ByteView nibbles) {
    if (nibbles.size() > EntryId::kNibbles) return std::nullopt;
    Path path;
    for (const Byte nibble : nibbles) {
      if (nibble > 15) return std::nullopt;
      path = path.child(nibble);
    }
    return path;
  }
  Bytes bytes() const {
    Bytes out(depth_);
    for (std::size_t i = 0; i < depth_; ++i) out[i] = prefix_.nibble(i);
    return out;
  }

  /// REQUIRES: depth() < EntryId::kNibbles, nibble < 16.
  Path child(Byte nibble) const {
    Path path = *this;
    Byte& both = path.prefix_.bytes[depth_ / 2];
    both = static_cast<Byte>(both | (depth_ % 2 == 0 ? nibble << 4 : nibble));
    ++path.depth_;
    return path;
  }
  bool covers(const EntryId& id) const {
    for (std::size_t i = 0; i < depth_; ++i) {
      if (id.nibble(i) != prefix_.nibble(i)) return false;
    }
    return true;
  }

  std::size_t depth() const { return depth_; }
  /// The smallest id below.
  const EntryId& first() const { return prefix_; }
  friend auto operator<=>(const Path&, const Path&) = default;

 private:
  EntryId prefix_;
  std::size_t depth_ = 0;
};

}  // namespace ekiden::registry
