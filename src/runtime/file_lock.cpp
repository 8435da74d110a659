#include "runtime/file_lock.hpp"

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

/// Digits, or nothing: the file may be of any age and content.
std::string holder_of(int fd) {
  char text[16] = {};
  const ::ssize_t got = ::pread(fd, text, sizeof text - 1, 0);
  std::string digits;
  for (::ssize_t i = 0; i < got && std::isdigit(static_cast<unsigned char>(text[i])) != 0; ++i) digits += text[i];
  return digits;
}

}  // namespace

Result<FileLock> FileLock::acquire(const std::filesystem::path& file, std::string_view who, std::string_view does) {
  const std::string path = file.string();
  FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (lock.fd_ < 0) return std::unexpected(system_error("open " + path, errno));
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return std::unexpected(system_error("lock " + path, errno));
    const std::string holder = holder_of(lock.fd_);
    return fail(Errc::busy,
                std::string(who) + (holder.empty() ? "" : " (process " + holder + ")") + " " + std::string(does));
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  // Best effort: without it (a full disk) only the message to a second process gets poorer.
  [[maybe_unused]] const bool noted =
      ::ftruncate(lock.fd_, 0) == 0 && ::pwrite(lock.fd_, pid.data(), pid.size(), 0) >= 0;
  return lock;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

}  // namespace ekiden::runtime
