#include "runtime/gathering_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <type_traits>

#include "base/bytes.hpp"

namespace ekiden::runtime {
namespace {

/// SQLite's layer for Unix takes no more in one system call, and fails at multiples of 128 KiB.
constexpr std::size_t kMaxWrite = std::size_t{124} * 1024;

/// More than a frame of the log.
constexpr std::size_t kLarge = std::size_t{64} * 1024;
static_assert(kLarge <= kMaxWrite && kMaxWrite <= kMaxGathered);

/// SQLite knows the first member; the file of the layer below follows in the same memory.
struct Log {
  sqlite3_file base;
  Bytes gathered;
  sqlite3_int64 at = 0;  ///< where `gathered` belongs
};

static_assert(std::is_standard_layout_v<Log>);

Log& log_of(sqlite3_file* file) { return *reinterpret_cast<Log*>(file); }
sqlite3_file* below(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(&log_of(file) + 1); }
const sqlite3_io_methods& methods(sqlite3_file* file) { return *below(file)->pMethods; }

/// After an error all of it stays, to be written first at the next call: SQLite may count on a part of it.
int write_gathered(sqlite3_file* file) {
  Log& log = log_of(file);
  sqlite3_int64 at = log.at;
  for (ByteView left = log.gathered; !left.empty();) {
    const auto size = std::min(left.size(), kMaxWrite);
    const int code = methods(file).xWrite(below(file), left.data(), static_cast<int>(size), at);
    if (code != SQLITE_OK) return code;
    at += static_cast<sqlite3_int64>(size);
    left = left.subspan(size);
  }
  log.gathered.clear();
  return SQLITE_OK;
}

int x_write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  Log& log = log_of(file);
  const auto bytes = static_cast<std::size_t>(size);
  const auto gathered = static_cast<sqlite3_int64>(log.gathered.size());
  if (gathered > 0 && (offset != log.at + gathered || log.gathered.size() + bytes > kMaxGathered)) {
    if (const int code = write_gathered(file); code != SQLITE_OK) return code;
  }
  if (log.gathered.empty()) {
    if (bytes >= kLarge && bytes <= kMaxWrite) return methods(file).xWrite(below(file), from, size, offset);
    log.at = offset;
  }
  try {
    append(log.gathered, {static_cast<const Byte*>(from), bytes});
  } catch (const std::bad_alloc&) {  // SQLite's own frames cannot carry it.
    return SQLITE_IOERR_NOMEM;
  }
  return SQLITE_OK;
}

int x_read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  if (const int code = write_gathered(file); code != SQLITE_OK) return code;
  return methods(file).xRead(below(file), to, size, offset);
}

int x_truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (const int code = write_gathered(file); code != SQLITE_OK) return code;
  return methods(file).xTruncate(below(file), size);
}

int x_sync(sqlite3_file* file, int flags) {
  if (const int code = write_gathered(file); code != SQLITE_OK) return code;
  return methods(file).xSync(below(file), flags);
}

int x_file_size(sqlite3_file* file, sqlite3_int64* size) {
  if (const int code = write_gathered(file); code != SQLITE_OK) return code;
  return methods(file).xFileSize(below(file), size);
}

int x_close(sqlite3_file* file) {
  const int written = write_gathered(file);
  const int closed = methods(file).xClose(below(file));
  std::destroy_at(&log_of(file));
  return written == SQLITE_OK ? closed : written;
}

int x_lock(sqlite3_file* file, int level) { return methods(file).xLock(below(file), level); }
int x_unlock(sqlite3_file* file, int level) { return methods(file).xUnlock(below(file), level); }
int x_check_lock(sqlite3_file* file, int* out) { return methods(file).xCheckReservedLock(below(file), out); }
int x_control(sqlite3_file* file, int op, void* argument) {
  return methods(file).xFileControl(below(file), op, argument);
}
int x_sector_size(sqlite3_file* file) { return methods(file).xSectorSize(below(file)); }
int x_characteristics(sqlite3_file* file) { return methods(file).xDeviceCharacteristics(below(file)); }

/// Version 1: a log is neither mapped nor shared.
constexpr sqlite3_io_methods kMethods = {
    .iVersion = 1,
    .xClose = x_close,
    .xRead = x_read,
    .xWrite = x_write,
    .xTruncate = x_truncate,
    .xSync = x_sync,
    .xFileSize = x_file_size,
    .xLock = x_lock,
    .xUnlock = x_unlock,
    .xCheckReservedLock = x_check_lock,
    .xFileControl = x_control,
    .xSectorSize = x_sector_size,
    .xDeviceCharacteristics = x_characteristics,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

/// SQLite knows the first member, a copy of the layer below in all but its name and what deals with files.
struct Layer {
  sqlite3_vfs base{};
  sqlite3_vfs* below = nullptr;
  std::string name;
};
static_assert(std::is_standard_layout_v<Layer>);

sqlite3_vfs* layer_below(sqlite3_vfs* vfs) { return reinterpret_cast<Layer*>(vfs)->below; }

int x_open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  sqlite3_vfs* const under = layer_below(vfs);
  if ((flags & SQLITE_OPEN_WAL) == 0) return under->xOpen(under, name, file, flags, out_flags);
  file->pMethods = nullptr;  // Until the file is open there is nothing to close.
  sqlite3_file* const real = below(file);
  real->pMethods = nullptr;
  const int code = under->xOpen(under, name, real, flags, out_flags);
  if (code != SQLITE_OK) {
    if (real->pMethods != nullptr) real->pMethods->xClose(real);
    return code;
  }
  std::construct_at(&log_of(file));
  file->pMethods = &kMethods;
  return SQLITE_OK;
}

int x_delete(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  sqlite3_vfs* const under = layer_below(vfs);
  return under->xDelete(under, name, sync_directory);
}

int x_access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
  sqlite3_vfs* const under = layer_below(vfs);
  return under->xAccess(under, name, flags, out);
}

int x_full_pathname(sqlite3_vfs* vfs, const char* name, int size, char* out) {
  sqlite3_vfs* const under = layer_below(vfs);
  return under->xFullPathname(under, name, size, out);
}

std::unique_ptr<Layer> make_layer(sqlite3_vfs* under) {
  auto layer = std::make_unique<Layer>();
  layer->base = *under;
  layer->below = under;
  layer->name = "ekiden-gathering-" + std::string(under->zName);
  layer->base.zName = layer->name.c_str();
  layer->base.szOsFile += static_cast<int>(sizeof(Log));
  layer->base.xOpen = x_open;
  layer->base.xDelete = x_delete;
  layer->base.xAccess = x_access;
  layer->base.xFullPathname = x_full_pathname;
  return layer;
}

}  // namespace

const char* gathering_vfs(const char* below) {
  // Never destroyed: a store may be closed by the destructor of a global.
  using Layers = std::map<sqlite3_vfs*, std::unique_ptr<Layer>>;
  static std::mutex mutex;
  static Layers& layers = *std::make_unique<Layers>().release();
  const std::lock_guard lock(mutex);
  sqlite3_vfs* const under = sqlite3_vfs_find(below);
  if (under == nullptr) return nullptr;
  auto& layer = layers[under];
  if (layer == nullptr) {
    layer = make_layer(under);
    if (sqlite3_vfs_register(&layer->base, 0) != SQLITE_OK) {
      layers.erase(under);
      return nullptr;
    }
  }
  return layer->name.c_str();
}

}  // namespace ekiden::runtime
