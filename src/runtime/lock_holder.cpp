#include "runtime/lock_holder.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>

namespace ekiden::runtime {
namespace {

/// As /proc/locks names the file; empty if there is none.
std::string inode_of(const std::string& file) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) return {};
  char inode[64];
  std::snprintf(inode, sizeof inode, "%02x:%02x:%llu", major(info.st_dev), minor(info.st_dev),
                static_cast<unsigned long long>(info.st_ino));
  return inode;
}

}  // namespace

std::optional<int> find_lock_holder(std::string_view proc_locks, std::string_view inode, int self) {
  std::istringstream lines{std::string(proc_locks)};
  std::string line;
  while (std::getline(lines, line)) {
    // "3: POSIX  ADVISORY  WRITE 4711 fe:00:131 0 EOF"; a waiting process has "->" after the number and is skipped.
    std::istringstream words(line);
    std::string number, kind, mode, access, pid, file;
    if (!(words >> number >> kind >> mode >> access >> pid >> file) || file != inode) continue;
    int value = 0;
    const auto [end, error] = std::from_chars(pid.data(), pid.data() + pid.size(), value);
    if (error == std::errc{} && value > 0 && value != self) return value;
  }
  return std::nullopt;
}

std::string lock_holder_note(const std::filesystem::path& database) {
  std::ifstream locks("/proc/locks");
  const std::string text{std::istreambuf_iterator<char>(locks), {}};
  for (const char* suffix : {"", "-shm"}) {
    const std::string inode = inode_of(database.string() + suffix);
    const auto holder = inode.empty() ? std::nullopt : find_lock_holder(text, inode, ::getpid());
    if (holder) return ", held by process " + std::to_string(*holder);
  }
  return {};
}

}  // namespace ekiden::runtime
