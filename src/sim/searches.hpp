// What came of the searches of a simulation: how many found what there is, how long they took, how many they asked.
#pragma once

#include <algorithm>
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
    std::uint64_t queries = 0;           ///< of all
    std::uint64_t amid_lost_clocks = 0;  ///< of all: while clocks of others were wrong

    /// A search that never ended has not found anything.
    std::uint64_t found_ppm() const { return begun == 0 ? 0 : found * 1'000'000 / begun; }
    /// So many percent of the median, and never less than `spared`. Without limit for 0 percent.
    Duration p99_bound(std::uint32_t percent, Duration spared) const {
      return percent == 0 ? Duration::max() : std::max(spared, median / 100 * percent);
    }
  };

  void begin() { ++begun_; }
  void end(bool found, Duration took, std::uint64_t queries, bool amid_lost_clocks);
  /// It counts no more: who searched or was sought went down meanwhile.
  void abandon() { --begun_; }
  std::uint64_t under_way() const { return begun_ - ended_; }
  Totals totals() const;

 private:
  std::uint64_t begun_ = 0;
  std::uint64_t ended_ = 0;
  std::uint64_t queries_ = 0;
  std::uint64_t amid_lost_clocks_ = 0;
  std::vector<Duration> times_;
};

}  // namespace ekiden::sim
