// Puts pieces of a byte stream together until a unit is complete; a unit that lies complete in the input is not copied.
//
// Grows with the bytes that have come, never with a length that a peer announces. Bounds: the size that the caller
// asks for, which it has checked. Between units nothing is kept.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.hpp"

namespace ekiden::link {

class Gatherer {
 public:
  /// The first `size` bytes of the unit, which stay where they are; nothing if there are not that many yet, and then
  /// the whole input was taken.
  std::optional<ByteView> peek(ByteView& input, std::size_t size) {
    if (gathered_.empty() && input.size() >= size) return input.first(size);
    if (!gather(input, size)) return std::nullopt;
    return ByteView(gathered_).first(size);
  }

  /// The whole unit of `size` bytes, taken off the front; nothing if it is not complete, and then the whole input was
  /// taken. Valid as long as the input, and until the next call or release().
  std::optional<ByteView> take(ByteView& input, std::size_t size) {
    if (gathered_.empty() && input.size() >= size) return std::exchange(input, input.subspan(size)).first(size);
    if (!gather(input, size)) return std::nullopt;
    unit_ = std::exchange(gathered_, {});
    return ByteView(unit_);
  }

  /// Frees the memory of the last unit.
  void release() { unit_ = {}; }

  /// What has come of an incomplete unit.
  ByteView gathered() const { return gathered_; }

 private:
  bool gather(ByteView& input, std::size_t size) {
    if (gathered_.size() >= size) return true;
    const auto taken = std::min(size - gathered_.size(), input.size());
    append(gathered_, input.first(taken));
    input = input.subspan(taken);
    return gathered_.size() == size;
  }

  Bytes gathered_;
  Bytes unit_;
};

}  // namespace ekiden::link
