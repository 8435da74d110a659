// One node per data directory.
//
// Two nodes on one directory would have one identity and one set of counters, and use every key twice. What holds the
// directory is a lock on the file `lock` in it (runtime/file_lock.hpp).
#pragma once

#include <filesystem>
#include <utility>

#include "base/result.hpp"
#include "runtime/file_lock.hpp"

namespace ekiden::runtime {

class DataDirLock {
 public:
  /// Errors: busy ("another node (process 123) is running on /path"), not_found (no such directory).
  static Result<DataDirLock> acquire(const std::filesystem::path& data_dir);

 private:
  explicit DataDirLock(FileLock lock) : lock_(std::move(lock)) {}
  FileLock lock_;
};

}  // namespace ekiden::runtime
