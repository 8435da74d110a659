#include "runtime/data_dir_lock.hpp"

namespace ekiden::runtime {

Result<DataDirLock> DataDirLock::acquire(const std::filesystem::path& data_dir) {
  EKIDEN_ASSIGN(auto lock, FileLock::acquire(data_dir / "lock", "another node",
                                             "is running on " + data_dir.string() +
                                                 ": stop it first, or use another data directory"));
  return DataDirLock(std::move(lock));
}

}  // namespace ekiden::runtime
