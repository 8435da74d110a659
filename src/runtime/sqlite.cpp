#include "runtime/sqlite.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include "runtime/gathering_vfs.hpp"
#include "runtime/lock_holder.hpp"

namespace ekiden::runtime {
namespace {

bool is_out_of_space(int system_error) { return system_error == ENOSPC || system_error == EDQUOT; }

Errc errc_of(int extended, int system_error) {
  switch (extended & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return Errc::storage_full;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Errc::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_TOOBIG:  // Nothing that we write is so large that it could not be read.
      return Errc::storage_corrupt;
    case SQLITE_IOERR:
      // A write that a quota refused changed nothing. A sync that failed may have lost what it reports no more.
      if (extended == SQLITE_IOERR_WRITE && is_out_of_space(system_error)) return Errc::storage_full;
      return extended == SQLITE_IOERR_NOMEM ? Errc::storage_full : Errc::storage_failed;
    default:
      return Errc::storage_failed;
  }
}

constexpr std::string_view kRead = "read the store";

std::string_view advice(Errc code) {
  switch (code) {
    case Errc::storage_full:
      return "free some space; what was accepted is kept and written as soon as there is room";
    case Errc::storage_corrupt:
      return "keep the file, check the disk, and restore the data directory from a backup; nothing was changed";
    case Errc::busy:
      return "end the program that holds it";
    default:
      return "check the disk and the permissions, then start the node again";
  }
}

}  // namespace

void Statement::bind(int index, std::uint64_t number) {
  sqlite3_bind_int64(statement_.get(), index, static_cast<sqlite3_int64>(number));
}

void Statement::bind(int index, ByteView bytes) {
  // A null pointer would bind NULL; an empty value is still a value.
  const void* data = bytes.empty() ? static_cast<const void*>("") : bytes.data();
  sqlite3_bind_blob64(statement_.get(), index, data, bytes.size(), SQLITE_STATIC);
}

int Statement::step() { return sqlite3_step(statement_.get()); }

int Statement::run() {
  const int code = step();
  const int reset_code = sqlite3_reset(statement_.get());
  return code == SQLITE_DONE || code == SQLITE_ROW ? reset_code : code;
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::uint64_t Statement::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_.get(), column));
}

ByteView Statement::blob(int column) const {
  const auto* data = static_cast<const Byte*>(sqlite3_column_blob(statement_.get(), column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::string_view Statement::text(int column) const { return as_text(blob(column)); }

Result<Database> Database::open(const std::filesystem::path& path, const char* vfs) {
  sqlite3* handle = nullptr;
  const char* const layer = gathering_vfs(vfs);
  if (layer == nullptr) return fail(Errc::storage_failed, path.string() + ": SQLite has no file layer of that name");
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, layer);
  Database database;
  database.handle_.reset(handle);
  database.path_ = path;
  if (code != SQLITE_OK) return std::unexpected(database.error(code, "open the store"));
  return database;
}

Status Database::execute(const char* sql, std::string_view what) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(error(code, what));
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return std::unexpected(error(code, kRead));
  return Statement(statement);
}

Result<std::uint64_t> Database::query_number(const char* sql) {
  EKIDEN_ASSIGN(Statement statement, prepare(sql));
  const int code = statement.step();
  if (code != SQLITE_ROW) return std::unexpected(error(code, kRead));
  return statement.number(0);
}

Error Database::error(int code, std::string_view what, std::optional<int> given) const {
  const int system_error = given.value_or(handle_ == nullptr ? 0 : sqlite3_system_errno(handle_.get()));
  const Errc errc = errc_of(code, system_error);
  const std::string general = sqlite3_errstr(code & 0xff);
  std::string message = path_.string() + ": cannot " + std::string(what) + ": " + general;
  if (handle_ != nullptr && sqlite3_extended_errcode(handle_.get()) == code) {
    // Often the same words again.
    const std::string exact = sqlite3_errmsg(handle_.get());
    if (exact != general) message += " (" + exact + ")";
  }
  if (errc == Errc::storage_failed && system_error != 0) {
    message += ", " + std::generic_category().message(system_error);
  }
  if (errc == Errc::busy) message += lock_holder_note(path_);
  return {errc, message + ": " + std::string(advice(errc))};
}

}  // namespace ekiden::runtime
