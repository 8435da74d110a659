// A file layer under SQLite that fails on demand, and that can lose what was not synced, as a crash of the machine
// does.
//
// It counts the calls that change a file (write, truncate, sync) and those that read, over all files, and fails the one
// with a given number.
// Every write goes to the real file; beside it, each file has its image as of the last sync and the writes since.
// crash() puts back on disk the image and those of the later writes that the chosen loss lets survive.
#pragma once

#include <cstdint>
#include <string>

namespace ekiden::runtime {

enum class Fault {
  none,
  full,         ///< SQLITE_FULL; a write stops half way
  write_error,  ///< SQLITE_IOERR_WRITE; a write stops half way
  sync_error,   ///< SQLITE_IOERR_FSYNC at the next sync
  read_error,   ///< SQLITE_IOERR_READ; counts reads, and all other faults changing calls
};

enum class Loss {
  nothing,      ///< the process died, the machine did not
  everything,   ///< no unsynced write survived
  every_other,  ///< the disk had written some of them, out of order
};

class FaultyVfs {
 public:
  /// Registers the layer with SQLite (once) and forgets everything about earlier files.
  FaultyVfs();
  ~FaultyVfs();

  const char* name() const;

  /// From now on: the call `after` calls from now fails, and `times - 1` calls that follow it.
  void fail(Fault fault, std::uint64_t after, std::uint64_t times = 1);
  /// Changing calls so far.
  std::uint64_t calls() const;
  /// True if a fault has happened since fail().
  bool failed() const;

  /// From now on every changing call fails: what closing the file would write does not reach it either.
  void die();
  /// Leaves on disk what a crash leaves. REQUIRES: die() and every handle closed.
  void crash(Loss loss);
};

}  // namespace ekiden::runtime
