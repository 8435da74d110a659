#include "runtime/log_file.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "runtime/schema.hpp"

namespace ekiden::runtime {
namespace {

constexpr sqlite3_int64 kHeader = 32;
constexpr sqlite3_int64 kFrame = kPageSize + 24;

constexpr std::array<char, std::size_t{64} * 1024> kZeros = {};

/// Null where there is no log, which is no error: then there is nothing to do.
sqlite3_file* log_of(Database& database) {
  sqlite3_file* log = nullptr;
  sqlite3_file_control(database.handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&log));
  return log == nullptr || log->pMethods == nullptr ? nullptr : log;
}

int sync(sqlite3_file* log) { return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL); }

int write_zeros(sqlite3_file* log, sqlite3_int64 from, sqlite3_int64 to) {
  int code = SQLITE_OK;
  while (code == SQLITE_OK && from < to) {
    const auto size = std::min(to - from, static_cast<sqlite3_int64>(kZeros.size()));
    code = log->pMethods->xWrite(log, kZeros.data(), static_cast<int>(size), from);
    from += size;
  }
  return code;
}

Status status_of(Database& database, sqlite3_file* log, int code, std::string_view what) {
  if (code == SQLITE_OK) return {};
  int system_error = 0;
  log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &system_error);
  return std::unexpected(database.error(code, what, system_error));
}

}  // namespace

Status extend_log(Database& database, int pages) {
  sqlite3_file* const log = log_of(database);
  if (log == nullptr) return {};
  sqlite3_int64 size = 0;
  int code = log->pMethods->xFileSize(log, &size);
  if (code == SQLITE_OK) code = write_zeros(log, size, kHeader + pages * kFrame);
  if (code == SQLITE_OK) code = sync(log);
  return status_of(database, log, code, "extend the log");
}

Status erase_log(Database& database) {
  sqlite3_file* const log = log_of(database);
  if (log == nullptr) return {};
  sqlite3_int64 size = 0;
  int code = log->pMethods->xFileSize(log, &size);
  if (size == 0) return status_of(database, log, code, "erase the log");
  // The header first, and on the disk: if a crash left it with only the first of its frames, they would be played back
  // over what later ones have brought.
  if (code == SQLITE_OK) code = write_zeros(log, 0, std::min(size, kHeader));
  if (code == SQLITE_OK) code = sync(log);
  if (code == SQLITE_OK) code = write_zeros(log, kHeader, size);
  if (code == SQLITE_OK) code = sync(log);
  return status_of(database, log, code, "erase the log");
}

}  // namespace ekiden::runtime
