#include "sim/searches.hpp"

#include <algorithm>

namespace ekiden::sim {

void Searches::end(bool found, Duration took, std::uint64_t queries, bool amid_lost_clocks) {
  ++ended_;
  queries_ += queries;
  if (amid_lost_clocks) ++amid_lost_clocks_;
  if (found) times_.push_back(took);
}

Searches::Totals Searches::totals() const {
  Totals totals{.begun = begun_, .found = times_.size(), .median = {}, .p99 = {}, .queries = queries_};
  totals.amid_lost_clocks = amid_lost_clocks_;
  if (times_.empty()) return totals;
  std::vector<Duration> sorted = times_;
  std::sort(sorted.begin(), sorted.end());
  totals.median = sorted[sorted.size() / 2];
  totals.p99 = sorted[sorted.size() * 99 / 100];
  return totals;
}

}  // namespace ekiden::sim
