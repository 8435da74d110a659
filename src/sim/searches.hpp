// What came of the searches of a simulation: how many found what there is, how long they took, how many they asked.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.hpp"

namespace ekiden::sim {

class Searches {
 public:
  struct Totals {
    std::uint64_t begun = 0;
    std::uint64_t found = 0;
    Duration median{};  ///< of those that found
    Duration p99{};
    std::uint64_t queries = 0;  ///< of all

    /// A search that never ended has not found anything.
    std::uint64_t found_ppm() const { return begun == 0 ? 0 : found * 1'000'000 / begun; }
  };

  void begin() { ++begun_; }
  void end(bool found, Duration took, std::uint64_t queries);
  /// It counts no more: who searched or was sought went down meanwhile.
  void abandon() { --begun_; }
  std::uint64_t under_way() const { return begun_ - ended_; }
  Totals totals() const;

 private:
  std::uint64_t begun_ = 0;
  std::uint64_t ended_ = 0;
  std::uint64_t queries_ = 0;
  std::vector<Duration> times_;
};

}  // namespace ekiden::sim
