// One node per data directory.
//
// Two nodes on one directory would have one identity and one set of counters, and use every key twice. The lock is the
// kernel's (flock on the file `lock`): it ends with the process, however that ends, so there is never a stale one to
// remove. The number in the file is for the message to a person, nothing else.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.hpp"

namespace ekiden::runtime {

class DataDirLock {
 public:
  /// Errors: busy ("another node (process 123) is running on /path"), not_found (no such directory).
  static Result<DataDirLock> acquire(const std::filesystem::path& data_dir);
  ~DataDirLock();
  DataDirLock(DataDirLock&& other) noexcept;
  DataDirLock& operator=(DataDirLock&& other) noexcept;

 private:
  explicit DataDirLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace ekiden::runtime
