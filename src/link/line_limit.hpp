// How many lines a second may be logged that strangers can cause. The next line that is said tells how many were not.
//
// Attack: eleven bytes that make a line of 140 would otherwise fill the log and its disk. Rationale for counting by
// the second: the first lines of a flood tell all that the others would.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/time.hpp"

namespace ekiden::link {

class LineLimit {
 public:
  explicit LineLimit(std::uint64_t max_per_second) : max_per_second_(max_per_second) {}

  /// False if the line must not be said. Else it has gained the number of those that were not said before it.
  bool admit(Instant now, std::string& line) {
    if (now >= since_ + std::chrono::seconds(1)) {
      since_ = now;
      said_ = 0;
    }
    if (said_ >= max_per_second_) {
      ++left_out_;
      return false;
    }
    ++said_;
    if (left_out_ > 0) line += " (" + std::to_string(std::exchange(left_out_, 0)) + " more were not shown)";
    return true;
  }

 private:
  std::uint64_t max_per_second_;
  Instant since_;
  std::uint64_t said_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace ekiden::link
