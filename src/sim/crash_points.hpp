// A crash at every write point: one script between two machines, run again for each commit of each machine and for each
// way in which it can go wrong.
//
// A commit writes one or more batches. When its machine stops just then, any prefix of them may have reached the disk,
// from nothing to all (which nobody was told of); and either the power goes, so that the peer hears nothing, or only
// the process dies, so that its kernel resets the connections. All of these are points.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/world.hpp"

namespace ekiden::sim {

struct CrashScript {
  std::uint64_t seed = 1;
  std::uint64_t messages = 200;
};

struct CrashPoint {
  HostIndex host = 0;
  std::uint64_t commit = 1;  ///< of this host, from 1
  std::size_t reached = 0;   ///< batches of the commit that reached the disk
  bool process = false;      ///< only the process dies; otherwise the power goes

  friend bool operator==(const CrashPoint&, const CrashPoint&) = default;
};

/// The options of ekiden-sim that name this point: "--host 1 --commit 37 --reached 0 --process".
std::string options_of(const CrashPoint& point);

/// Runs the script without a crash and lists all its points.
std::vector<CrashPoint> crash_points_of(const CrashScript& script, Outcome& calm);

/// A point that the script does not have is a breach.
Outcome run_crash_point(const CrashScript& script, const CrashPoint& point, bool print_log = false);

}  // namespace ekiden::sim
