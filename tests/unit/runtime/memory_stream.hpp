// A stream over memory, for tests and fuzzing: it takes and gives as much as it is told to, and no more.
#pragma once

#include <algorithm>
#include <memory>

#include "runtime/stream.hpp"

namespace ekiden::runtime {

/// One direction of a connection.
struct Channel {
  Bytes bytes;
  std::size_t room = SIZE_MAX;   ///< that may still be written
  std::size_t piece = SIZE_MAX;  ///< read at most at once
  bool ended = false;
};

class MemoryStream final : public Stream {
 public:
  /// Both outlive it.
  MemoryStream(Channel& in, Channel& out) : in_(in), out_(out) {}

  Result<Wait> open(MutableBytes /*buffer*/) override { return Wait::nothing; }
  std::string_view opening() const override { return "nothing"; }

  ReadOutcome read(MutableBytes buffer) override {
    const std::size_t size = std::min({in_.bytes.size(), in_.piece, buffer.size()});
    if (size == 0 && in_.ended) return {.end = Error{Errc::closed, "the other side closed the connection"}};
    std::copy_n(in_.bytes.begin(), size, buffer.begin());
    in_.bytes.erase(in_.bytes.begin(), in_.bytes.begin() + static_cast<std::ptrdiff_t>(size));
    return {.taken = size, .bytes = buffer.first(size)};
  }

  WriteOutcome write(ByteView bytes) override {
    const std::size_t size = std::min(bytes.size(), out_.room);
    append(out_.bytes, bytes.first(size));
    out_.room -= out_.room == SIZE_MAX ? 0 : size;
    return {.bytes = size, .blocked = size == 0 && !bytes.empty()};
  }

 private:
  Channel& in_;
  Channel& out_;
};

}  // namespace ekiden::runtime
