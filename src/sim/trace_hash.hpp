// A running hash over everything that happens in a simulation (see sim/trace.hpp). Equal hashes mean that two runs did
// the same, whatever compiler or optimisation built them.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"

namespace ekiden::sim {

class TraceHash {
 public:
  void add(std::uint64_t word) {
    state_ = (state_ ^ word) * 0x9fb21c651e98df25;
    state_ ^= state_ >> 32;
  }

  void add(ByteView bytes) {
    add(bytes.size());
    while (bytes.size() >= 8) {
      add(get_be<std::uint64_t>(bytes));
      bytes = bytes.subspan(8);
    }
    std::uint64_t tail = 0;
    for (const Byte byte : bytes) tail = tail << 8 | byte;
    add(tail);
  }

  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0x243f6a8885a308d3;
};

}  // namespace ekiden::sim
