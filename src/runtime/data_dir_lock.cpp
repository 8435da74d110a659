#include "runtime/data_dir_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <string>
#include <utility>

#include "runtime/files.hpp"

namespace ekiden::runtime {
namespace {

constexpr const char* kLockFile = "lock";

/// Digits, or nothing: the file may be of any age and content.
std::string holder_of(int fd) {
  char text[16] = {};
  const ::ssize_t got = ::pread(fd, text, sizeof text - 1, 0);
  std::string digits;
  for (::ssize_t i = 0; i < got && std::isdigit(static_cast<unsigned char>(text[i])) != 0; ++i) digits += text[i];
  return digits;
}

}  // namespace

Result<DataDirLock> DataDirLock::acquire(const std::filesystem::path& data_dir) {
  const std::string path = (data_dir / kLockFile).string();
  DataDirLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (lock.fd_ < 0) return std::unexpected(system_error("open " + path, errno));
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return std::unexpected(system_error("lock " + path, errno));
    const std::string holder = holder_of(lock.fd_);
    return fail(Errc::busy, "another node" + (holder.empty() ? "" : " (process " + holder + ")") + " is running on " +
                                data_dir.string() + ": stop it first, or use another data directory");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  // Best effort: without it (a full disk) only the message to a second node gets poorer.
  [[maybe_unused]] const bool noted =
      ::ftruncate(lock.fd_, 0) == 0 && ::pwrite(lock.fd_, pid.data(), pid.size(), 0) >= 0;
  return lock;
}

DataDirLock::~DataDirLock() {
  if (fd_ >= 0) ::close(fd_);
}

DataDirLock::DataDirLock(DataDirLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

DataDirLock& DataDirLock::operator=(DataDirLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

}  // namespace ekiden::runtime
