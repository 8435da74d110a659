// The knobs of the registry, with the defaults of a node. The simulator varies them within reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"
#include "flow/token_bucket.hpp"

namespace ekiden::registry {

struct Config {
  std::size_t max_entries = 131'072;
  std::size_t max_bytes = 96 << 20;  ///< of signed entries
  std::size_t max_entries_per_author = 4096;
  std::size_t max_bytes_per_author = 4 << 20;
  std::size_t max_conflicts = 256;  ///< that are remembered

  // Comparing replicas with neighbours (registry/comparison.hpp, registry/answers.hpp).
  Duration compare_every = seconds(5);    ///< with one neighbour after the other …
  Duration compare_most = minutes(2);     ///< … less often with one with whom it came to nothing, doubling up to this
  Duration compare_within = seconds(5);   ///< an answer, before the comparison is given up
  milliseconds late_after = seconds(10);  ///< since it was written, an entry should have been told
  std::size_t max_asked = 8192;           ///< places that are looked at in one comparison
  std::size_t max_moved = 4096;           ///< entries in each direction in one comparison
  flow::Rate answers{.per_second = 10'000, .burst = 40'000};  ///< places and entries that a neighbour may ask about

  // Telling neighbours at once.
  Duration tell_after = milliseconds(20);  ///< what comes meanwhile goes along
  std::size_t max_told = 6;                ///< neighbours, chosen anew each time; others learn it when they compare
  std::size_t max_news = 4096;             ///< entries that wait to be told

  // Members to which the link was lost (registry/rejoin.hpp).
  Duration rejoin_every = seconds(4);  ///< one of them is tried
  std::size_t max_lost = 64;           ///< that are remembered …
  Duration lost_for = days(2);         ///< … for this long
  std::size_t max_bridges = 4;         ///< that have come back, to which links are kept

  flow::Rate updates{.per_second = 32, .burst = 4096};  ///< entries that are taken of an author
  Duration shun = minutes(10);                          ///< a neighbour that broke a rule is heard no more
};

}  // namespace ekiden::registry
