#include "unit/runtime/faulty_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace ekiden::runtime {
namespace {

struct Write {
  std::uint64_t offset = 0;
  Bytes bytes;
  bool truncate = false;
};

struct FileImage {
  Bytes synced;
  std::vector<Write> since;
};

struct State {
  std::mutex mutex;
  std::map<std::string, FileImage> files;
  Fault fault = Fault::none;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t calls = 0;
  std::uint64_t reads = 0;
  bool failed = false;
  bool dead = false;
};

State& state() {
  static State instance;
  return instance;
}

/// Our file, followed in memory by the file of the real layer.
struct File {
  sqlite3_file base;
  std::string* name;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File* as_file(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
sqlite3_file* real(sqlite3_file* file) { return as_file(file)->real(); }
const sqlite3_io_methods* real_methods(sqlite3_file* file) { return real(file)->pMethods; }

sqlite3_vfs* real_vfs() {
  static sqlite3_vfs* const found = sqlite3_vfs_find(nullptr);
  return found;
}

enum class Call { write, truncate, sync };

/// What this call is to answer: SQLITE_OK to go ahead.
int next_call(State& s, Call call) {
  const std::uint64_t number = s.calls++;
  if (s.dead) return call == Call::sync ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE;
  if (s.fault == Fault::none || s.fault == Fault::read_error) return SQLITE_OK;
  if (number < s.first || number >= s.last) return SQLITE_OK;
  if (s.fault == Fault::sync_error) {
    if (call == Call::sync) {
      s.failed = true;
      return SQLITE_IOERR_FSYNC;
    }
    ++s.last;
    return SQLITE_OK;
  }
  // A full disk does not refuse to shrink a file or to sync it.
  if (call != Call::write) {
    ++s.last;
    return SQLITE_OK;
  }
  s.failed = true;
  return s.fault == Fault::full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

void apply_write(Bytes& image, const Write& write) {
  if (write.truncate) {
    image.resize(write.offset);
    return;
  }
  image.resize(std::max<std::size_t>(image.size(), write.offset + write.bytes.size()));
  std::copy(write.bytes.begin(), write.bytes.end(), image.begin() + static_cast<std::ptrdiff_t>(write.offset));
}

/// In pieces of a disk's block, each of which a crash may let survive.
void remember(FileImage& image, std::uint64_t offset, ByteView bytes) {
  constexpr std::size_t kBlock = 4096;
  while (!bytes.empty()) {
    const auto size = std::min(bytes.size(), kBlock - static_cast<std::size_t>(offset % kBlock));
    image.since.push_back({offset, to_bytes(bytes.first(size))});
    bytes = bytes.subspan(size);
    offset += size;
  }
}

Bytes read_whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

int x_close(sqlite3_file* file) {
  const int code = real_methods(file)->xClose(real(file));
  delete as_file(file)->name;
  return code;
}

int x_read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  const std::uint64_t number = s.reads++;
  if (s.fault == Fault::read_error && number >= s.first && number < s.last) {
    s.failed = true;
    return SQLITE_IOERR_READ;
  }
  return real_methods(file)->xRead(real(file), to, size, offset);
}

int x_write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  const int answer = next_call(s, Call::write);
  if (s.dead) return answer;
  const int written = answer == SQLITE_OK ? size : size / 2;
  if (written > 0) {
    const int code = real_methods(file)->xWrite(real(file), from, written, offset);
    if (code != SQLITE_OK) return code;
    const auto* bytes = static_cast<const Byte*>(from);
    remember(s.files[*as_file(file)->name], static_cast<std::uint64_t>(offset), {bytes, bytes + written});
  }
  return answer;
}

int x_truncate(sqlite3_file* file, sqlite3_int64 size) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (const int answer = next_call(s, Call::truncate); answer != SQLITE_OK) return answer;
  s.files[*as_file(file)->name].since.push_back({static_cast<std::uint64_t>(size), {}, true});
  return real_methods(file)->xTruncate(real(file), size);
}

int x_sync(sqlite3_file* file, int flags) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (const int answer = next_call(s, Call::sync); answer != SQLITE_OK) return answer;
  FileImage& image = s.files[*as_file(file)->name];
  for (const Write& write : image.since) apply_write(image.synced, write);
  image.since.clear();
  static_cast<void>(flags);
  return SQLITE_OK;  // The real sync would only take time: crash() decides what survives.
}

int x_file_size(sqlite3_file* file, sqlite3_int64* size) { return real_methods(file)->xFileSize(real(file), size); }
int x_lock(sqlite3_file* file, int level) { return real_methods(file)->xLock(real(file), level); }
int x_unlock(sqlite3_file* file, int level) { return real_methods(file)->xUnlock(real(file), level); }
int x_check_lock(sqlite3_file* file, int* out) { return real_methods(file)->xCheckReservedLock(real(file), out); }
int x_control(sqlite3_file* file, int op, void* argument) {
  // What writes behind our back, or maps the file, is refused.
  if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE || op == SQLITE_FCNTL_MMAP_SIZE)
    return SQLITE_NOTFOUND;
  return real_methods(file)->xFileControl(real(file), op, argument);
}
int x_sector_size(sqlite3_file* file) { return real_methods(file)->xSectorSize(real(file)); }
int x_characteristics(sqlite3_file* file) { return real_methods(file)->xDeviceCharacteristics(real(file)); }

/// Version 1: no shared memory, which exclusive locking does not need.
const sqlite3_io_methods kMethods = {
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

int x_open(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  const int code = real_vfs()->xOpen(real_vfs(), name, real(file), flags, out_flags);
  if (code != SQLITE_OK) return code;
  as_file(file)->name = new std::string(name == nullptr ? "" : name);
  file->pMethods = &kMethods;
  State& s = state();
  const std::lock_guard lock(s.mutex);
  // What is there when a file is first seen counts as synced.
  if (name != nullptr && !s.files.contains(name)) s.files[name].synced = read_whole(name);
  return SQLITE_OK;
}

int x_delete(sqlite3_vfs* /*vfs*/, const char* name, int sync_directory) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (s.dead) return SQLITE_IOERR_DELETE;
  s.files.erase(name);
  return real_vfs()->xDelete(real_vfs(), name, sync_directory);
}

constexpr const char* kName = "ekiden-faulty";

void register_once() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs copy = *real_vfs();
    copy.zName = kName;
    copy.szOsFile += static_cast<int>(sizeof(File));
    copy.xOpen = x_open;
    copy.xDelete = x_delete;
    return copy;
  }();
  if (sqlite3_vfs_find(kName) == nullptr) CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}

void reset() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.files.clear();
  s.fault = Fault::none;
  s.calls = s.reads = s.first = s.last = 0;
  s.failed = s.dead = false;
}

}  // namespace

FaultyVfs::FaultyVfs() {
  register_once();
  reset();
}

FaultyVfs::~FaultyVfs() { reset(); }

const char* FaultyVfs::name() const { return kName; }

void FaultyVfs::fail(Fault fault, std::uint64_t after, std::uint64_t times) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.fault = fault;
  s.first = (fault == Fault::read_error ? s.reads : s.calls) + after;
  s.last = s.first + times;
  s.failed = false;
}

std::uint64_t FaultyVfs::calls() const {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  return s.calls;
}

bool FaultyVfs::failed() const {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  return s.failed;
}

void FaultyVfs::die() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.dead = true;
}

void FaultyVfs::crash(Loss loss) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  CHECK(s.dead);
  if (loss == Loss::nothing) return;
  for (auto& [name, image] : s.files) {
    if (name.empty()) continue;
    for (std::size_t i = 0; i < image.since.size(); ++i) {
      if (loss == Loss::every_other && i % 2 == 0) apply_write(image.synced, image.since[i]);
    }
    std::ofstream out(name, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(image.synced.data()), static_cast<std::streamsize>(image.synced.size()));
    CHECK(out.good());
  }
}

}  // namespace ekiden::runtime
