// A file that one process holds at a time.
//
// The lock is the kernel's (flock): it ends with the process, however that ends, so there is never a stale one to
// remove. The number in the file is for the message to a person, nothing else.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace ekiden::runtime {

class FileLock {
 public:
  /// Makes the file if it is not there. `who` and `does` are for the message about another holder: "another node",
  /// "is running on /path". Errors: busy ("another node (process 123) is running on /path"), not_found (no such
  /// directory).
  static Result<FileLock> acquire(const std::filesystem::path& file, std::string_view who, std::string_view does);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace ekiden::runtime
